//! Conversations of two.

use super::Store;
use super::error::failed;
use super::passages::insert_stay;
use crate::chat::error::Result;
use crate::chat::ids::{ConversationId, UserId};

impl Store {
    /// The conversation of two users, made if it is not there yet.
    pub async fn direct_conversation(&self, one: UserId, other: UserId) -> Result<ConversationId> {
        let (low, high) = (one.0.min(other.0), one.0.max(other.0));
        if let Some(id) = self.find_direct(low, high).await? {
            return Ok(id);
        }
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let id: Option<i64> = sqlx::query_scalar(
            "insert into conversations (low_id, high_id) values ($1, $2) on conflict do nothing returning id",
        )
        .bind(low)
        .bind(high)
        .fetch_optional(&mut transaction)
        .await
        .map_err(failed)?;
        let Some(id) = id else {
            // Somebody else has just made it.
            transaction.rollback().await.map_err(failed)?;
            let found = self.find_direct(low, high).await?;
            return found.ok_or_else(|| failed(sqlx::Error::RowNotFound));
        };
        insert_stay(&mut transaction, id, low).await.map_err(failed)?;
        if high != low {
            insert_stay(&mut transaction, id, high).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(ConversationId(id))
    }

    /// The conversation of two users, if there is one.
    pub async fn existing_direct(&self, one: UserId, other: UserId) -> Result<Option<ConversationId>> {
        self.find_direct(one.0.min(other.0), one.0.max(other.0)).await
    }

    async fn find_direct(&self, low: i64, high: i64) -> Result<Option<ConversationId>> {
        let id: Option<i64> = sqlx::query_scalar("select id from conversations where low_id = $1 and high_id = $2")
            .bind(low)
            .bind(high)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        Ok(id.map(ConversationId))
    }
}
