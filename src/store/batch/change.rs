//! What takes place together with the storing of a message: friendships, edits, recalls.

use crate::chat::draft::{Change, Draft};
use crate::chat::error::{Error, Reason, Result};
use crate::store::pool::Transaction;

/// Carries out the change that goes with a draft; the inner error means that the draft must not be stored.
pub(super) async fn carry_out(connection: &mut Transaction, draft: &Draft, now_ms: i64) -> sqlx::Result<Result<()>> {
    match draft.change {
        None => Ok(Ok(())),
        Some(Change::Edit { target, since_ms }) => edit(connection, draft, target.0, since_ms, now_ms).await,
        Some(Change::Recall { target, since_ms }) => recall(connection, draft, target.0, since_ms).await,
        Some(change) => change_friendship(connection, draft, change, now_ms).await,
    }
}

async fn change_friendship(
    connection: &mut Transaction,
    draft: &Draft,
    change: Change,
    now_ms: i64,
) -> sqlx::Result<Result<()>> {
    let Some(recipient) = draft.recipient else {
        return Ok(Ok(()));
    };
    let (me, other) = (draft.sender.0, recipient.0);
    let (query, refusal) = match change {
        Change::Ask => (
            sqlx::query(
                "insert into friendships (owner_id, friend_id, accepted, created_ms, request_text)
                 values ($1, $2, 0, $3, $4) on conflict do nothing",
            )
            .bind(me)
            .bind(other)
            .bind(now_ms)
            .bind(&*draft.body),
            Error::Conflict(Reason::AlreadyRequested),
        ),
        Change::Agree => (
            sqlx::query(
                "update friendships set accepted = 1, request_text = null
                 where owner_id = $1 and friend_id = $2 and accepted = 0",
            )
            .bind(other)
            .bind(me),
            Error::NotFound(Reason::NoRequest),
        ),
        _ => (
            sqlx::query("delete from friendships where owner_id = $1 and friend_id = $2 and accepted = 0")
                .bind(other)
                .bind(me),
            Error::NotFound(Reason::NoRequest),
        ),
    };
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(Err(refusal));
    }
    if change == Change::Agree {
        sqlx::query(
            "insert into friendships (owner_id, friend_id, accepted, created_ms) values ($1, $2, 1, $3)
             on conflict (owner_id, friend_id) do update set accepted = 1, request_text = null",
        )
        .bind(me)
        .bind(other)
        .bind(now_ms)
        .execute(connection)
        .await?;
    }
    Ok(Ok(()))
}

/// Which message may be changed: one's own, said lately, and not taken back.
const TARGET: &str = "id in (select id from numbered_messages where conversation_id = $1 and seq = $2) \
                      and sender_id = $3 and stored_ms >= $4 and kind in ('text', 'image', 'file')";

async fn edit(
    connection: &mut Transaction,
    draft: &Draft,
    target: i64,
    since_ms: i64,
    now_ms: i64,
) -> sqlx::Result<Result<()>> {
    let text = format!("update messages set body = $5, format = $6 where {TARGET}");
    let changed = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(draft.conversation.0)
        .bind(target)
        .bind(draft.sender.0)
        .bind(since_ms)
        .bind(&*draft.body)
        .bind(draft.format.as_str())
        .execute(&mut *connection)
        .await?;
    if changed.rows_affected() == 0 {
        return Ok(Err(Error::NotFound(Reason::NoSuchMessage)));
    }
    sqlx::query(
        "insert into message_extras (message_id, conversation_id, edited_ms)
         select id, conversation_id, $3 from numbered_messages where conversation_id = $1 and seq = $2
         on conflict (message_id) do update set edited_ms = excluded.edited_ms",
    )
    .bind(draft.conversation.0)
    .bind(target)
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(Ok(()))
}

/// Empties a message, and with it what was quoted from it and what it was changed to.
async fn recall(connection: &mut Transaction, draft: &Draft, target: i64, since_ms: i64) -> sqlx::Result<Result<()>> {
    let conversation = draft.conversation.0;
    let text = format!("update messages set body = '', format = 'plain', kind = 'recalled' where {TARGET}");
    let changed = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(conversation)
        .bind(target)
        .bind(draft.sender.0)
        .bind(since_ms)
        .execute(&mut *connection)
        .await?;
    if changed.rows_affected() == 0 {
        return Ok(Err(Error::NotFound(Reason::NoSuchMessage)));
    }
    let statements = [
        "delete from file_uses where kind = 'message' and used_by in (
           select id from numbered_messages where conversation_id = $1 and seq = $2
           union all
           select x.message_id from message_extras x join messages m on m.id = x.message_id
           where x.conversation_id = $1 and x.about_seq = $2 and m.kind = 'edit')",
        "delete from message_extras
         where message_id in (select id from numbered_messages where conversation_id = $1 and seq = $2)",
        "update messages set body = '' where kind = 'edit' and id in (
           select message_id from message_extras where conversation_id = $1 and about_seq = $2)",
        "update message_extras set quoted_id = null, quote = null where conversation_id = $1 and about_seq = $2",
    ];
    for statement in statements {
        sqlx::query(statement).bind(conversation).bind(target).execute(&mut *connection).await?;
    }
    Ok(Ok(()))
}
