//! Rooms: what they are called, and who made them.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::files::{Referrer, replace_uses};
use super::gather;
use super::passages::insert_stay;
use super::pool::Pool;
use crate::chat::error::Result;
use crate::chat::ids::{ConversationId, RoomId, UserId};
use crate::chat::room::Room;

const COLUMNS: &str = "r.id, r.conversation_id, r.name, r.intro, r.creator_id, r.avatar";

/// What is to change of a room; the rest stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    pub name: Option<String>,
    pub intro: Option<String>,
    pub avatar: Option<Avatar>,
}

/// A room's new picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Avatar {
    None,
    /// An uploaded file.
    File {
        name: String,
        /// The path under which it is served.
        url: String,
    },
}

impl Store {
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
                .fetch_one(&mut transaction)
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
        .execute(&mut transaction)
        .await
        .map_err(failed)?;
        insert_stay(&mut transaction, conversation, creator.0).await.map_err(failed)?;
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
        let text = format!("select {COLUMNS} from rooms r where r.id = $1 and r.deleted_ms is null");
        let row = sqlx::query(AssertSqlSafe(text)).bind(id.0).fetch_optional(&self.read).await.map_err(failed)?;
        row.as_ref().map(read_room).transpose()
    }

    /// The room of this conversation; none for a direct pair.
    pub async fn room_of(&self, conversation: ConversationId) -> Result<Option<Room>> {
        let text = format!("select {COLUMNS} from rooms r where r.conversation_id = $1 and r.deleted_ms is null");
        let row =
            sqlx::query(AssertSqlSafe(text)).bind(conversation.0).fetch_optional(&self.read).await.map_err(failed)?;
        row.as_ref().map(read_room).transpose()
    }

    /// The rooms that `user` is in, ordered by id, at most `limit`.
    pub async fn rooms_of(&self, user: UserId, limit: i64) -> Result<Vec<Room>> {
        let mut rooms = self.together.rooms.ask(user.0).await?;
        rooms.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(rooms)
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

    /// Changes a room.
    pub async fn change_room(&self, id: RoomId, change: &RoomChange) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let url = change.avatar.as_ref().map(|avatar| match avatar {
            Avatar::None => "",
            Avatar::File { url, .. } => url.as_str(),
        });
        sqlx::query(
            "update rooms set name = coalesce($2, name), intro = coalesce($3, intro),
               avatar = nullif(coalesce($4, avatar), '')
             where id = $1 and deleted_ms is null",
        )
        .bind(id.0)
        .bind(change.name.as_deref())
        .bind(change.intro.as_deref())
        .bind(url)
        .execute(&mut transaction)
        .await
        .map_err(failed)?;
        if let Some(avatar) = &change.avatar {
            let names = match avatar {
                Avatar::None => Vec::new(),
                Avatar::File { name, .. } => vec![name.clone()],
            };
            replace_uses(&mut transaction, Referrer::Room(id), &names).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Marks a room as gone, with all that says who was in it: so nobody sees any more what was said there. False if
    /// it is gone already.
    pub(super) async fn delete_room(
        &self,
        id: RoomId,
        conversation: ConversationId,
        now_ms: i64,
    ) -> sqlx::Result<bool> {
        let mut transaction = self.write.begin().await?;
        let deleted = sqlx::query("update rooms set deleted_ms = $2 where id = $1 and deleted_ms is null")
            .bind(id.0)
            .bind(now_ms)
            .execute(&mut transaction)
            .await?
            .rows_affected();
        if deleted == 0 {
            return Ok(false);
        }
        for (statement, of) in [
            ("delete from stays where conversation_id = $1", conversation.0),
            ("delete from room_mutes where room_id = $1", id.0),
            ("delete from file_uses where kind = 'room' and used_by = $1", id.0),
            (
                "delete from file_uses where kind = 'message' and used_by in (
                   select id from numbered_messages where conversation_id = $1)",
                conversation.0,
            ),
        ] {
            sqlx::query(statement).bind(of).execute(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
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

/// For each of the users the rooms that they are in, ordered by id.
pub(super) async fn rooms_with(pool: Pool, users: Vec<i64>) -> Result<Vec<Vec<Room>>> {
    let text = |list: &str| {
        format!(
            "select s.user_id, {COLUMNS} from stays s join rooms r on r.conversation_id = s.conversation_id
             where s.user_id in {list} and s.until_seq is null order by r.id"
        )
    };
    gather::rows_of(&pool, &users, text, |row| read_room_at(row, 1)).await
}
