//! What few messages have: rows of their own, and the files that they show.

use std::sync::Arc;

use serde::Serialize;

use crate::chat::draft::Draft;
use crate::chat::message::{Extras, Message};
use crate::store::pool::Transaction;

/// Writes the extras of those messages that have any.
pub(super) async fn insert(
    connection: &mut Transaction,
    drafts: &[Draft],
    messages: &[(usize, Arc<Message>)],
) -> sqlx::Result<()> {
    for (place, message) in messages {
        if let Some(extras) = &message.extras {
            insert_one(connection, message, extras).await?;
        }
        for name in &drafts[*place].files {
            sqlx::query(
                "insert into file_uses (name, kind, used_by) select name, 'message', $2 from files where name = $1
                 on conflict do nothing",
            )
            .bind(name.as_str())
            .bind(message.id.0)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

async fn insert_one(connection: &mut Transaction, message: &Message, extras: &Extras) -> sqlx::Result<()> {
    sqlx::query(
        "insert into message_extras (message_id, conversation_id, about_seq, quoted_id, quote, file, card, edited_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(message.id.0)
    .bind(message.conversation.0)
    .bind(extras.about.map(|seq| seq.0))
    .bind(extras.quote.as_ref().map(|quote| quote.sender.0))
    .bind(extras.quote.as_ref().map(|quote| quote.text.as_str()))
    .bind(to_json(extras.file.as_ref())?)
    .bind(to_json(extras.card.as_ref())?)
    .bind(extras.edited_ms)
    .execute(connection)
    .await
    .map(drop)
}

fn to_json(value: Option<&impl Serialize>) -> sqlx::Result<Option<String>> {
    value.map(serde_json::to_string).transpose().map_err(|error| sqlx::Error::Encode(error.into()))
}
