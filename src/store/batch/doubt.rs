//! Commits of which nobody knows whether they took place: the connection broke, or the answer did not come in time.
//!
//! What such a commit holds may be stored, and then people must hear of it like of everything else. So nothing new is
//! written before that is found out. Those who wait are answered at once, with an error.

use std::sync::Arc;

use super::{Outcome, Waits};
use crate::chat::error::Error;
use crate::chat::message::Message;
use crate::store::Store;

/// The messages of the one commit that is in doubt, if there is one.
pub(super) struct Doubt<T>(Vec<(T, Arc<Message>)>);

impl<T> Default for Doubt<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Waits> Doubt<T> {
    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in a message of the commit in doubt.
    pub(super) fn add(&mut self, mut ticket: T, message: Arc<Message>, error: Error) {
        ticket.give_up(error);
        self.0.push((ticket, message));
    }

    /// Asks the database, and returns the messages if they are stored after all. Nothing is in doubt any more then.
    pub(super) async fn find_out(&mut self, store: &Store) -> sqlx::Result<Vec<(T, Outcome)>> {
        let Some((_, first)) = self.0.first() else {
            return Ok(Vec::new());
        };
        // A transaction is stored as a whole or not at all.
        let is_stored = is_stored(store, first).await?;
        let doubtful = std::mem::take(&mut self.0);
        let stored = doubtful.into_iter().filter(|_| is_stored);
        Ok(stored.map(|(ticket, message)| (ticket, Outcome::Stored(message))).collect())
    }
}

async fn is_stored(store: &Store, message: &Message) -> sqlx::Result<bool> {
    let mut transaction = store.write.begin().await?;
    // The transaction in doubt may still be running. It holds this row, or is the one that makes it; its end is waited for.
    sqlx::query(
        "insert into counters (name, value) values ('message', 0)
         on conflict (name) do update set value = counters.value",
    )
    .execute(&mut transaction)
    .await?;
    let found: i64 = sqlx::query_scalar(
        "select count(*) from messages where id = $1 and conversation_id = $2 and seq = $3 and sender_id = $4",
    )
    .bind(message.id.0)
    .bind(message.conversation.0)
    .bind(message.seq.0)
    .bind(message.sender.0)
    .fetch_one(&mut transaction)
    .await?;
    transaction.rollback().await?;
    Ok(found > 0)
}
