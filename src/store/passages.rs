//! Coming and going: where stays begin and end.

use super::Store;
use super::error::{failed, is_rivalry};
use super::pool::Transaction;
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::{ConversationId, RoomId, UserId};

/// Times a change is tried again that PostgreSQL ended in favour of another one.
const MAX_RIVALRIES: usize = 5;

/// Who comes or goes. It goes through the [`Batcher`](super::Batcher), so that it has its place among the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    Enter {
        room: RoomId,
        conversation: ConversationId,
        user: UserId,
    },
    Leave {
        conversation: ConversationId,
        user: UserId,
    },
    /// Everybody goes, and the room with them.
    Close {
        room: RoomId,
        conversation: ConversationId,
        now_ms: i64,
    },
}

impl Store {
    /// Lets somebody come or go. False if it is so already.
    ///
    /// # Errors
    /// `NotFound` for who would enter a room that is gone.
    pub(super) async fn carry_out(&self, passage: Passage) -> Result<bool> {
        let mut attempts = 0;
        loop {
            let result = match passage {
                Passage::Enter { room, conversation, user } => self.enter(room, conversation, user).await,
                Passage::Leave { conversation, user } => self.leave(conversation, user).await.map(Some),
                Passage::Close { room, conversation, now_ms } => {
                    self.delete_room(room, conversation, now_ms).await.map(Some)
                }
            };
            attempts += 1;
            match result {
                Err(error) if is_rivalry(&error) && attempts < MAX_RIVALRIES => {}
                result => return result.map_err(failed)?.ok_or(Error::NotFound(Reason::NoSuchRoom)),
            }
        }
    }

    /// False if they are in it already, none if the room is gone.
    async fn enter(&self, room: RoomId, conversation: ConversationId, user: UserId) -> sqlx::Result<Option<bool>> {
        let mut transaction = self.write.begin().await?;
        let found: Option<i64> = sqlx::query_scalar("select id from rooms where id = $1 and deleted_ms is null")
            .bind(room.0)
            .fetch_optional(&mut transaction)
            .await?;
        if found.is_none() {
            return Ok(None);
        }
        let is_new = insert_stay(&mut transaction, conversation.0, user.0).await?;
        transaction.commit().await?;
        Ok(Some(is_new))
    }

    /// Who comes back is an ordinary member again.
    async fn leave(&self, conversation: ConversationId, user: UserId) -> sqlx::Result<bool> {
        let changed = sqlx::query(
            "update stays set role = null, until_seq = (select last_seq from conversations where id = $1)
             where conversation_id = $1 and user_id = $2 and until_seq is null",
        )
        .bind(conversation.0)
        .bind(user.0)
        .execute(&self.write)
        .await?
        .rows_affected();
        Ok(changed > 0)
    }
}

/// Begins a stay after the newest message. False if one is going on. A stay that ended at this very place, without
/// a message in between, goes on instead, since a stay is known by where it begins.
pub(super) async fn insert_stay(connection: &mut Transaction, conversation: i64, user: i64) -> sqlx::Result<bool> {
    let resumed = sqlx::query(
        "update stays set until_seq = null
         where conversation_id = $1 and user_id = $2
           and since_seq = (select last_seq from conversations where id = $1) and until_seq is not null",
    )
    .bind(conversation)
    .bind(user)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if resumed > 0 {
        return Ok(true);
    }
    let inserted = sqlx::query(
        "insert into stays (conversation_id, user_id, since_seq, delivered_seq, read_seq)
         select id, $2, last_seq, last_seq, last_seq from conversations where id = $1
         on conflict do nothing",
    )
    .bind(conversation)
    .bind(user)
    .execute(connection)
    .await?
    .rows_affected();
    Ok(inserted > 0)
}
