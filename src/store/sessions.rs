//! Sign-ins that can be used again with a token.

use std::collections::HashMap;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::pool::Pool;
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::Result;
use crate::chat::ids::{SessionId, UserId};

/// A session that is to be made.
#[derive(Debug)]
pub struct NewSession<'a> {
    pub user: UserId,
    pub token_hash: &'a str,
    pub device: &'a str,
    pub address: &'a str,
    pub now_ms: i64,
}

/// A session, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    /// What the client calls itself.
    pub device: String,
    /// From where it was made.
    pub address: String,
    /// UTC milliseconds.
    pub created_ms: i64,
    pub used_ms: i64,
}

const COLUMNS: &str = "id, user_id, device, address, created_ms, used_ms";

impl Store {
    /// Makes a session, and ends those of the same user that are used least lately if there are more than `most`.
    pub async fn insert_session(&self, new: &NewSession<'_>, most: i64) -> Result<SessionId> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let id: i64 = sqlx::query_scalar(
            "insert into sessions (user_id, token_hash, device, address, created_ms, used_ms)
             values ($1, $2, $3, $4, $5, $5) returning id",
        )
        .bind(new.user.0)
        .bind(new.token_hash)
        .bind(new.device)
        .bind(new.address)
        .bind(new.now_ms)
        .fetch_one(&mut transaction)
        .await
        .map_err(failed)?;
        sqlx::query(
            "delete from sessions where user_id = $1 and id not in (
               select id from sessions where user_id = $1 order by used_ms desc, id desc limit $2)",
        )
        .bind(new.user.0)
        .bind(most)
        .execute(&mut transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(SessionId(id))
    }

    /// The session of this token, if it was used since `since_ms`.
    pub async fn session(&self, token_hash: &str, since_ms: i64) -> Result<Option<Session>> {
        let session = self.together.sessions.ask(token_hash.to_owned()).await?;
        Ok(session.filter(|session| session.used_ms >= since_ms))
    }

    /// The sessions of `user` that were used since `since_ms`, the last used first, at most `limit`.
    pub async fn sessions(&self, user: UserId, since_ms: i64, limit: i64) -> Result<Vec<Session>> {
        let text = format!(
            "select {COLUMNS} from sessions where user_id = $1 and used_ms >= $2
             order by used_ms desc, id desc limit $3"
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(user.0)
            .bind(since_ms)
            .bind(limit)
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(read_session).collect()
    }

    /// Notes that a session was used.
    pub async fn touch_session(&self, id: SessionId, now_ms: i64) -> Result<()> {
        sqlx::query("update sessions set used_ms = $2 where id = $1")
            .bind(id.0)
            .bind(now_ms)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Ends one session of `user`. False if there is none with this id.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool> {
        let ended = sqlx::query("delete from sessions where user_id = $1 and id = $2")
            .bind(user.0)
            .bind(id.0)
            .execute(&self.write)
            .await
            .map_err(failed)?
            .rows_affected();
        Ok(ended > 0)
    }

    /// Ends all sessions of `user`, but one if it is given.
    pub async fn end_sessions(&self, user: UserId, but: Option<SessionId>) -> Result<()> {
        sqlx::query("delete from sessions where user_id = $1 and id <> $2")
            .bind(user.0)
            .bind(but.map_or(0, |id| id.0))
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Removes the sessions that were not used since `since_ms`.
    pub async fn remove_old_sessions(&self, since_ms: i64) -> Result<()> {
        sqlx::query("delete from sessions where used_ms < $1")
            .bind(since_ms)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

fn read_session(row: &AnyRow) -> Result<Session> {
    Ok(Session {
        id: SessionId(row.try_get(0).map_err(failed)?),
        user: UserId(row.try_get(1).map_err(failed)?),
        device: row.try_get(2).map_err(failed)?,
        address: row.try_get(3).map_err(failed)?,
        created_ms: row.try_get(4).map_err(failed)?,
        used_ms: row.try_get(5).map_err(failed)?,
    })
}

/// For each of the hashes its session, if there is one.
pub(super) async fn sessions_by_hash(pool: Pool, hashes: Vec<String>) -> Result<Vec<Option<Session>>> {
    let mut found = HashMap::new();
    for run in runs(&hashes, Marker::Dollar.longest(1)) {
        let list = placeholders(1, run.len());
        let text = format!("select {COLUMNS}, token_hash from sessions where token_hash in {list}");
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, hash| query.bind(hash.as_str()));
        for row in &query.fetch_all(&pool).await.map_err(failed)? {
            let hash: String = row.try_get(6).map_err(failed)?;
            found.insert(hash, read_session(row)?);
        }
    }
    Ok(hashes.iter().map(|hash| found.get(hash).cloned()).collect())
}
