//! Conversations, rooms and who stays in them.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::Store;
use super::error::failed;
use crate::chat::error::Result;
use crate::chat::ids::{ConversationId, RoomId, UserId};
use crate::chat::room::Room;

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
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let Some(id) = id else {
            // Somebody else has just made it.
            transaction.rollback().await.map_err(failed)?;
            let found = self.find_direct(low, high).await?;
            return found.ok_or_else(|| failed(sqlx::Error::RowNotFound));
        };
        insert_stay(&mut transaction, id, low).await?;
        if high != low {
            insert_stay(&mut transaction, id, high).await?;
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

    /// Makes a room with its creator in it. Its id is the next one from `first_id` up.
    pub async fn insert_room(
        &self,
        creator: UserId,
        name: &str,
        intro: &str,
        created_ms: i64,
        first_id: i64,
    ) -> Result<Room> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let id = Self::next_id(&mut transaction, "room", first_id).await?;
        let conversation: i64 =
            sqlx::query_scalar("insert into conversations (low_id, high_id) values (null, null) returning id")
                .fetch_one(&mut *transaction)
                .await
                .map_err(failed)?;
        sqlx::query(
            "insert into rooms (id, conversation_id, name, intro, creator_id, created_ms)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(conversation)
        .bind(name)
        .bind(intro)
        .bind(creator.0)
        .bind(created_ms)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        insert_stay(&mut transaction, conversation, creator.0).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Room {
            id: RoomId(id),
            conversation: ConversationId(conversation),
            name: name.to_owned(),
            intro: intro.to_owned(),
            creator,
            avatar: None,
        })
    }

    /// The room with this id.
    pub async fn room(&self, id: RoomId) -> Result<Option<Room>> {
        let row = sqlx::query("select id, conversation_id, name, intro, creator_id, avatar from rooms where id = $1 and deleted_ms is null")
            .bind(id.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        row.as_ref().map(read_room).transpose()
    }

    /// The room of this conversation; none for a direct pair.
    pub async fn room_of(&self, conversation: ConversationId) -> Result<Option<Room>> {
        let row = sqlx::query(
            "select id, conversation_id, name, intro, creator_id, avatar from rooms where conversation_id = $1",
        )
        .bind(conversation.0)
        .fetch_optional(&self.read)
        .await
        .map_err(failed)?;
        row.as_ref().map(read_room).transpose()
    }

    /// The rooms that `user` is in, ordered by id, at most `limit`.
    pub async fn rooms_of(&self, user: UserId, limit: i64) -> Result<Vec<Room>> {
        let rows = sqlx::query(
            "select r.id, r.conversation_id, r.name, r.intro, r.creator_id, r.avatar
             from stays s join rooms r on r.conversation_id = s.conversation_id
             where s.user_id = $1 and s.until_seq is null order by r.id limit $2",
        )
        .bind(user.0)
        .bind(limit)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        rows.iter().map(read_room).collect()
    }

    /// How many rooms `user` is in.
    pub async fn count_rooms(&self, user: UserId) -> Result<i64> {
        sqlx::query_scalar(
            "select count(*) from stays s join rooms r on r.conversation_id = s.conversation_id
             where s.user_id = $1 and s.until_seq is null",
        )
        .bind(user.0)
        .fetch_one(&self.read)
        .await
        .map_err(failed)
    }

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

    /// The members of a conversation, ordered by id, at most `limit`.
    pub async fn members(&self, conversation: ConversationId, limit: i64) -> Result<Vec<UserId>> {
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

    /// Puts `user` into `conversation`. False if they are in it already.
    pub async fn join(&self, conversation: ConversationId, user: UserId) -> Result<bool> {
        let mut connection = self.write.acquire().await.map_err(failed)?;
        insert_stay(&mut connection, conversation.0, user.0).await
    }

    /// Takes `user` out of `conversation`. False if they are not in it.
    pub async fn leave(&self, conversation: ConversationId, user: UserId) -> Result<bool> {
        let changed = sqlx::query(
            "update stays set until_seq = (select last_seq from conversations where id = $1)
             where conversation_id = $1 and user_id = $2 and until_seq is null",
        )
        .bind(conversation.0)
        .bind(user.0)
        .execute(&self.write)
        .await
        .map_err(failed)?
        .rows_affected();
        Ok(changed > 0)
    }
}

/// Begins a stay after the newest message. False if one is going on. A stay that ended at this very place, without
/// a message in between, goes on instead, since a stay is known by where it begins.
async fn insert_stay(connection: &mut AnyConnection, conversation: i64, user: i64) -> Result<bool> {
    let resumed = sqlx::query(
        "update stays set until_seq = null
         where conversation_id = $1 and user_id = $2
           and since_seq = (select last_seq from conversations where id = $1) and until_seq is not null",
    )
    .bind(conversation)
    .bind(user)
    .execute(&mut *connection)
    .await
    .map_err(failed)?
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
    .await
    .map_err(failed)?
    .rows_affected();
    Ok(inserted > 0)
}

fn read_room(row: &AnyRow) -> Result<Room> {
    read_room_at(row, 0)
}

/// A room whose columns (id, conversation, name, introduction, creator, picture) begin at `first`.
pub(super) fn read_room_at(row: &AnyRow, first: usize) -> Result<Room> {
    Ok(Room {
        id: RoomId(row.try_get(first).map_err(failed)?),
        conversation: ConversationId(row.try_get(first + 1).map_err(failed)?),
        name: row.try_get(first + 2).map_err(failed)?,
        intro: row.try_get(first + 3).map_err(failed)?,
        creator: UserId(row.try_get(first + 4).map_err(failed)?),
        avatar: row.try_get(first + 5).map_err(failed)?,
    })
}
