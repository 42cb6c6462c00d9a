//! Friendships, each direction a row of its own. They are asked for and answered in [`super::batch`].

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Store;
use super::error::failed;
use super::gather::rows_of;
use super::pool::Pool;
use crate::chat::error::Result;
use crate::chat::ids::UserId;

/// Somebody in a user's list of friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Friend {
    pub id: UserId,
    /// The name under which the owner has filed them.
    pub group: Option<String>,
}

/// Somebody who has asked, or was asked, and there is no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The other side.
    pub user: UserId,
    /// HTML.
    pub text: String,
    pub time_ms: i64,
}

impl Store {
    /// Whether `owner` has asked `friend` (`Some(false)`) or has them as a friend (`Some(true)`).
    pub async fn friendship(&self, owner: UserId, friend: UserId) -> Result<Option<bool>> {
        let accepted: Option<i64> =
            sqlx::query_scalar("select accepted from friendships where owner_id = $1 and friend_id = $2")
                .bind(owner.0)
                .bind(friend.0)
                .fetch_optional(&self.read)
                .await
                .map_err(failed)?;
        Ok(accepted.map(|accepted| accepted != 0))
    }

    /// The friends of `owner`, ordered by id, at most `limit`.
    pub async fn friends(&self, owner: UserId, limit: i64) -> Result<Vec<Friend>> {
        let mut friends = self.together.friends.ask(owner.0).await?;
        friends.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(friends)
    }

    /// How many friends and open requests `owner` has.
    pub async fn count_friendships(&self, owner: UserId) -> Result<i64> {
        sqlx::query_scalar("select count(*) from friendships where owner_id = $1")
            .bind(owner.0)
            .fetch_one(&self.read)
            .await
            .map_err(failed)
    }

    /// Who has asked `user`, the newest first, at most `limit`; but nobody whom they have blocked.
    pub async fn requests_to(&self, user: UserId, limit: i64) -> Result<Vec<Request>> {
        let query = "select owner_id, request_text, created_ms from friendships
             where friend_id = $1 and accepted = 0
               and not exists (select 1 from blocks b where b.owner_id = $1 and b.blocked_id = friendships.owner_id)
             order by created_ms desc, owner_id limit $2";
        self.requests(query, user, limit).await
    }

    /// Whom `user` has asked, the newest first, at most `limit`.
    pub async fn requests_of(&self, user: UserId, limit: i64) -> Result<Vec<Request>> {
        let query = "select friend_id, request_text, created_ms from friendships
             where owner_id = $1 and accepted = 0
             order by created_ms desc, friend_id limit $2";
        self.requests(query, user, limit).await
    }

    async fn requests(&self, query: &'static str, user: UserId, limit: i64) -> Result<Vec<Request>> {
        let rows = sqlx::query(query).bind(user.0).bind(limit).fetch_all(&self.read).await.map_err(failed)?;
        let request = |row: &sqlx::any::AnyRow| {
            Ok(Request {
                user: UserId(row.try_get(0).map_err(failed)?),
                text: row.try_get::<Option<String>, _>(1).map_err(failed)?.unwrap_or_default(),
                time_ms: row.try_get(2).map_err(failed)?,
            })
        };
        rows.iter().map(request).collect()
    }

    /// Removes `friend` from the list of `owner`, a request too. The other direction stays. Whether they had accepted;
    /// none if they were not in the list.
    pub async fn remove_friend(&self, owner: UserId, friend: UserId) -> Result<Option<bool>> {
        let accepted: Option<i64> =
            sqlx::query_scalar("delete from friendships where owner_id = $1 and friend_id = $2 returning accepted")
                .bind(owner.0)
                .bind(friend.0)
                .fetch_optional(&self.write)
                .await
                .map_err(failed)?;
        Ok(accepted.map(|accepted| accepted != 0))
    }

    /// Files `friend` under `group`. False if they are not in the list of `owner`.
    pub async fn set_group(&self, owner: UserId, friend: UserId, group: &str) -> Result<bool> {
        let changed = sqlx::query(
            "update friendships set group_name = $3 where owner_id = $1 and friend_id = $2 and accepted = 1",
        )
        .bind(owner.0)
        .bind(friend.0)
        .bind(group)
        .execute(&self.write)
        .await
        .map_err(failed)?
        .rows_affected();
        Ok(changed > 0)
    }
}

/// For each of the owners their friends, ordered by id.
pub(super) async fn friends_of(pool: Pool, owners: Vec<i64>) -> Result<Vec<Vec<Friend>>> {
    let text = |list: &str| {
        format!(
            "select owner_id, friend_id, group_name from friendships where owner_id in {list} and accepted = 1
             order by friend_id"
        )
    };
    let friend = |row: &AnyRow| {
        Ok(Friend { id: UserId(row.try_get(1).map_err(failed)?), group: row.try_get(2).map_err(failed)? })
    };
    rows_of(&pool, &owners, text, friend).await
}
