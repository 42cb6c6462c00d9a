//! Who is in a room, with which role, and who may not speak there.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Store;
use super::error::failed;
use crate::chat::error::Result;
use crate::chat::ids::{ConversationId, RoomId, UserId};
use crate::chat::room::{Role, Room};

const ADMIN: &str = "admin";

/// Somebody who is in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub role: Role,
    /// Until when they may not speak, UTC milliseconds. May be over.
    pub muted_until_ms: Option<i64>,
}

impl Store {
    /// Whether `user` is in `conversation` now.
    pub async fn is_member(&self, conversation: ConversationId, user: UserId) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "select user_id from stays where conversation_id = $1 and user_id = $2 and until_seq is null",
        )
        .bind(conversation.0)
        .bind(user.0)
        .fetch_optional(&self.read)
        .await
        .map_err(failed)?;
        Ok(found.is_some())
    }

    /// Who is in a conversation, ordered by id, at most `limit`.
    pub async fn member_ids(&self, conversation: ConversationId, limit: i64) -> Result<Vec<UserId>> {
        let ids: Vec<i64> = sqlx::query_scalar(
            "select user_id from stays where conversation_id = $1 and until_seq is null order by user_id limit $2",
        )
        .bind(conversation.0)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        Ok(ids.into_iter().map(UserId).collect())
    }

    /// The members of a room, the creator first, then the admins, then by id, at most `limit`.
    pub async fn members(&self, room: &Room, limit: i64) -> Result<Vec<Member>> {
        let rows = sqlx::query(
            "select s.user_id, s.role, m.until_ms
             from stays s left join room_mutes m on m.room_id = $2 and m.user_id = s.user_id
             where s.conversation_id = $1 and s.until_seq is null
             order by case when s.user_id = $3 then 0 when s.role = 'admin' then 1 else 2 end, s.user_id limit $4",
        )
        .bind(room.conversation.0)
        .bind(room.id.0)
        .bind(room.creator.0)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        rows.iter().map(|row| read_member(row, room)).collect()
    }

    /// One member of a room; none if they are not in it.
    pub async fn member(&self, room: &Room, user: UserId) -> Result<Option<Member>> {
        let row = sqlx::query(
            "select s.user_id, s.role, m.until_ms
             from stays s left join room_mutes m on m.room_id = $2 and m.user_id = s.user_id
             where s.conversation_id = $1 and s.user_id = $3 and s.until_seq is null",
        )
        .bind(room.conversation.0)
        .bind(room.id.0)
        .bind(user.0)
        .fetch_optional(&self.read)
        .await
        .map_err(failed)?;
        row.as_ref().map(|row| read_member(row, room)).transpose()
    }

    /// Makes a member an admin, or no longer. False if they are not in the conversation.
    pub async fn set_admin(&self, conversation: ConversationId, user: UserId, is_admin: bool) -> Result<bool> {
        let changed =
            sqlx::query("update stays set role = $3 where conversation_id = $1 and user_id = $2 and until_seq is null")
                .bind(conversation.0)
                .bind(user.0)
                .bind(is_admin.then_some(ADMIN))
                .execute(&self.write)
                .await
                .map_err(failed)?
                .rows_affected();
        Ok(changed > 0)
    }

    /// Lets `user` not speak in a room until a time; no time ends it. What is over is forgotten.
    pub async fn set_mute(&self, room: RoomId, user: UserId, until_ms: Option<i64>, now_ms: i64) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        sqlx::query("delete from room_mutes where room_id = $1 and (user_id = $2 or until_ms <= $3)")
            .bind(room.0)
            .bind(user.0)
            .bind(now_ms)
            .execute(&mut transaction)
            .await
            .map_err(failed)?;
        if let Some(until_ms) = until_ms {
            sqlx::query("insert into room_mutes (room_id, user_id, until_ms) values ($1, $2, $3)")
                .bind(room.0)
                .bind(user.0)
                .bind(until_ms)
                .execute(&mut transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Who may not speak in a room, and until when, at most `limit`.
    pub async fn mutes(&self, room: RoomId, now_ms: i64, limit: i64) -> Result<HashMap<UserId, i64>> {
        let rows =
            sqlx::query("select user_id, until_ms from room_mutes where room_id = $1 and until_ms > $2 limit $3")
                .bind(room.0)
                .bind(now_ms)
                .bind(limit)
                .fetch_all(&self.read)
                .await
                .map_err(failed)?;
        let mute = |row: &AnyRow| Ok((UserId(row.try_get(0).map_err(failed)?), row.try_get(1).map_err(failed)?));
        rows.iter().map(mute).collect()
    }
}

fn read_member(row: &AnyRow, room: &Room) -> Result<Member> {
    let user = UserId(row.try_get(0).map_err(failed)?);
    let role: Option<&str> = row.try_get(1).map_err(failed)?;
    let role = match role {
        _ if user == room.creator => Role::Creator,
        Some(ADMIN) => Role::Admin,
        _ => Role::Member,
    };
    Ok(Member { user, role, muted_until_ms: row.try_get(2).map_err(failed)? })
}
