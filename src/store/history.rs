//! Messages of one conversation, page by page, and how far it was read.

use futures_util::TryStreamExt;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::messages::{COLUMNS, EXTRAS, read_message};
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::Result;
use crate::chat::ids::{ConversationId, Seq, UserId};
use crate::chat::message::Message;

/// What a user may see of a conversation: messages with `after < seq <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    pub conversation: ConversationId,
    pub after: Seq,
    pub last: Seq,
}

/// How far a user has read, and how far anybody else has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadMarks {
    pub mine: Seq,
    pub others: Seq,
}

/// Which way a page goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    OldestFirst,
    NewestFirst,
}

/// How much is read at a time. A page has at least one message, however long.
#[derive(Debug, Clone, Copy)]
pub struct PageSize {
    pub messages: usize,
    pub bytes: usize,
}

impl Store {
    /// The times of `user` in these conversations, the latest first, at most `limit` over all.
    pub async fn stays(&self, user: UserId, conversations: &[ConversationId], limit: usize) -> Result<Vec<Stay>> {
        let mut stays = Vec::new();
        for run in runs(conversations, Marker::Dollar.longest(1)) {
            let text = format!(
                "select s.conversation_id, s.since_seq, coalesce(s.until_seq, c.last_seq)
                 from stays s join conversations c on c.id = s.conversation_id
                 where s.user_id = ${} and s.conversation_id in {} order by s.since_seq desc limit {limit}",
                run.len() + 1,
                placeholders(1, run.len())
            );
            let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, id| query.bind(id.0));
            for row in &query.bind(user.0).fetch_all(&self.read).await.map_err(failed)? {
                stays.push(Stay {
                    conversation: ConversationId(row.try_get(0).map_err(failed)?),
                    after: Seq(row.try_get(1).map_err(failed)?),
                    last: Seq(row.try_get(2).map_err(failed)?),
                });
            }
        }
        Ok(stays)
    }

    /// What can be shown of `within`, in this direction.
    pub async fn page(&self, within: Stay, direction: Direction, size: PageSize) -> Result<Vec<Message>> {
        let order = match direction {
            Direction::OldestFirst => "asc",
            Direction::NewestFirst => "desc",
        };
        let text = format!(
            "select {COLUMNS} from numbered_messages m {EXTRAS}
             where m.conversation_id = $1 and m.seq > $2 and m.seq <= $3 and m.kind not in ('edit', 'recall')
             order by m.seq {order} limit {}",
            size.messages
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(within.conversation.0).bind(within.after.0);
        let rows = query.bind(within.last.0).fetch(&self.read);
        take(rows, size).await
    }

    /// One message, whatever it is.
    pub async fn message(&self, conversation: ConversationId, seq: Seq) -> Result<Option<Message>> {
        let text =
            format!("select {COLUMNS} from numbered_messages m {EXTRAS} where m.conversation_id = $1 and m.seq = $2");
        let row = sqlx::query(AssertSqlSafe(text))
            .bind(conversation.0)
            .bind(seq.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        row.as_ref().map(read_message).transpose()
    }

    /// How far `user` and the others have read.
    pub async fn read_marks(&self, conversation: ConversationId, user: UserId) -> Result<ReadMarks> {
        let row = sqlx::query(
            "select max(case when user_id = $2 then read_seq else 0 end), max(case when user_id = $2 then 0 else read_seq end)
             from stays where conversation_id = $1",
        )
        .bind(conversation.0)
        .bind(user.0)
        .fetch_one(&self.read)
        .await
        .map_err(failed)?;
        let mark = |column| Ok(Seq(row.try_get::<Option<i64>, _>(column).map_err(failed)?.unwrap_or(0)));
        Ok(ReadMarks { mine: mark(0)?, others: mark(1)? })
    }

    /// Moves the read mark of `user` forward, but not past the last message. Returns it if it has moved.
    pub async fn set_read(&self, conversation: ConversationId, user: UserId, seq: Seq) -> Result<Option<Seq>> {
        sqlx::query_scalar(
            "update stays set read_seq = case when c.last_seq < $3 then c.last_seq else $3 end
             from (select last_seq from conversations where id = $1) as c
             where conversation_id = $1 and user_id = $2 and until_seq is null
               and read_seq < case when c.last_seq < $3 then c.last_seq else $3 end
             returning read_seq",
        )
        .bind(conversation.0)
        .bind(user.0)
        .bind(seq.0)
        .fetch_optional(&self.write)
        .await
        .map(|seq: Option<i64>| seq.map(Seq))
        .map_err(failed)
    }

    /// Sets whether `user` wants no notifications from a conversation. False if they are not in it.
    pub async fn set_quiet(&self, conversation: ConversationId, user: UserId, quiet: bool) -> Result<bool> {
        let changed = sqlx::query(
            "update stays set quiet = $3 where conversation_id = $1 and user_id = $2 and until_seq is null",
        )
        .bind(conversation.0)
        .bind(user.0)
        .bind(i64::from(quiet))
        .execute(&self.write)
        .await
        .map_err(failed)?
        .rows_affected();
        Ok(changed > 0)
    }
}

/// Reads rows until there are enough, and no further.
pub(super) async fn take(
    mut rows: impl futures_util::Stream<Item = sqlx::Result<AnyRow>> + Unpin,
    size: PageSize,
) -> Result<Vec<Message>> {
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while messages.len() < size.messages && bytes < size.bytes {
        let Some(row) = rows.try_next().await.map_err(failed)? else {
            break;
        };
        let message = read_message(&row)?;
        bytes += message.body.len();
        messages.push(message);
    }
    Ok(messages)
}
