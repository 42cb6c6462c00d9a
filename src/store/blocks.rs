//! Who wants to hear nothing of whom.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use super::Store;
use super::error::failed;
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::UserId;

impl Store {
    /// Notes that `owner` wants to hear nothing of `blocked`. False if it is so already.
    ///
    /// # Errors
    /// `Forbidden` if there are `most` of them.
    pub async fn block(&self, owner: UserId, blocked: UserId, now_ms: i64, most: i64) -> Result<bool> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let inserted = sqlx::query(
            "insert into blocks (owner_id, blocked_id, created_ms) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(owner.0)
        .bind(blocked.0)
        .bind(now_ms)
        .execute(&mut transaction)
        .await
        .map_err(failed)?
        .rows_affected();
        let count: i64 = sqlx::query_scalar("select count(*) from blocks where owner_id = $1")
            .bind(owner.0)
            .fetch_one(&mut transaction)
            .await
            .map_err(failed)?;
        if inserted > 0 && count > most {
            return Err(Error::Forbidden(Reason::ListFull));
        }
        transaction.commit().await.map_err(failed)?;
        Ok(inserted > 0)
    }

    /// Ends it. False if it is not so.
    pub async fn unblock(&self, owner: UserId, blocked: UserId) -> Result<bool> {
        let deleted = sqlx::query("delete from blocks where owner_id = $1 and blocked_id = $2")
            .bind(owner.0)
            .bind(blocked.0)
            .execute(&self.write)
            .await
            .map_err(failed)?
            .rows_affected();
        Ok(deleted > 0)
    }

    /// Whom `owner` has blocked, ordered by id, at most `limit`.
    pub async fn blocked_by(&self, owner: UserId, limit: i64) -> Result<Vec<UserId>> {
        let ids: Vec<i64> =
            sqlx::query_scalar("select blocked_id from blocks where owner_id = $1 order by blocked_id limit $2")
                .bind(owner.0)
                .bind(limit)
                .fetch_all(&self.read)
                .await
                .map_err(failed)?;
        Ok(ids.into_iter().map(UserId).collect())
    }

    /// Those of `owners` who have blocked `user`.
    pub async fn blockers(&self, user: UserId, owners: &[UserId]) -> Result<HashSet<UserId>> {
        let mut blockers = HashSet::new();
        // Hardly anybody is blocked by anybody.
        if owners.is_empty() || !self.is_blocked_at_all(user).await? {
            return Ok(blockers);
        }
        for run in runs(owners, Marker::Dollar.longest(1)) {
            let list = placeholders(1, run.len());
            let text =
                format!("select owner_id from blocks where owner_id in {list} and blocked_id = ${}", run.len() + 1);
            let query = run.iter().fold(sqlx::query_scalar(AssertSqlSafe(text)), |query, id| query.bind(id.0));
            let ids: Vec<i64> = query.bind(user.0).fetch_all(&self.read).await.map_err(failed)?;
            blockers.extend(ids.into_iter().map(UserId));
        }
        Ok(blockers)
    }

    async fn is_blocked_at_all(&self, user: UserId) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("select owner_id from blocks where blocked_id = $1 limit 1")
            .bind(user.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        Ok(found.is_some())
    }
}
