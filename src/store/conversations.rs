//! The list of a user's conversations.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::messages::{COLUMNS, EXTRAS, read_message};
use super::rooms::read_room_at;
use crate::chat::error::Result;
use crate::chat::ids::{ConversationId, Seq, UserId};
use crate::chat::message::Message;
use crate::chat::room::Room;

/// Unread messages are counted up to here.
const UNREAD_MAX: usize = 100;

/// A conversation in a user's list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub conversation: ConversationId,
    pub with: With,
    pub last_seq: Seq,
    /// How far the user has read.
    pub read: Seq,
    /// How far the other side has; 0 in a room.
    pub peer_read: Seq,
    pub unread: i64,
    pub quiet: bool,
    /// The last message that can be shown.
    pub last: Option<Message>,
}

/// Who is at the other end.
#[derive(Debug, Clone)]
pub enum With {
    User { id: UserId, is_blocked: bool },
    Room { room: Room, is_admin: bool, muted_until_ms: Option<i64> },
}

impl Store {
    /// The conversations of `user`, those with the newest messages first, at most `limit`; or one of them.
    pub async fn conversations(
        &self,
        user: UserId,
        only: Option<ConversationId>,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<Listed>> {
        let which = match only {
            Some(_) => "s.conversation_id = $4",
            // A pair is made before its first message.
            None => "(c.low_id is null or c.last_seq > 0) and $4 = 0",
        };
        let text = format!(
            "select {COLUMNS}, t.conversation_id, t.last_seq, t.read_seq, t.quiet, t.role, t.low_id,
               case when t.low_id = $1 then t.high_id else t.low_id end,
               (select p.read_seq from stays p
                where t.low_id is not null and p.conversation_id = t.conversation_id and p.user_id <> $1
                  and p.until_seq is null),
               (select count(*) from (
                  select u.seq from numbered_messages u
                  where u.conversation_id = t.conversation_id and u.seq > t.read_seq and u.sender_id <> $1
                    and u.kind not in ('edit', 'recall') limit {UNREAD_MAX}) as unread),
               (select b.owner_id from blocks b
                where b.owner_id = $1 and b.blocked_id = case when t.low_id = $1 then t.high_id else t.low_id end),
               (select q.until_ms from room_mutes q where q.room_id = r.id and q.user_id = $1 and q.until_ms > $2),
               r.id, r.conversation_id, r.name, r.intro, r.creator_id, r.avatar
             from (
               select s.conversation_id, s.read_seq, s.quiet, s.role, c.low_id, c.high_id, c.last_seq,
                 (select latest.id from (
                    select n.id, n.seq from numbered_messages n
                    where n.conversation_id = s.conversation_id and n.seq > s.since_seq
                      and n.kind not in ('edit', 'recall')
                    order by n.seq desc limit 1) as latest) as shown_id
               from stays s join conversations c on c.id = s.conversation_id
               where s.user_id = $1 and s.until_seq is null and {which}) as t
             left join messages m on m.id = t.shown_id
             {EXTRAS}
             left join rooms r on t.low_id is null and r.conversation_id = t.conversation_id
             order by m.id desc nulls last, t.conversation_id desc limit $3"
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(user.0)
            .bind(now_ms)
            .bind(limit)
            .bind(only.map_or(0, |id| id.0))
            .fetch_all(&self.read)
            .await
            .map_err(failed)?;
        rows.iter().map(read_listed).collect()
    }
}

fn read_listed(row: &AnyRow) -> Result<Listed> {
    let number = |column: usize| row.try_get::<Option<i64>, _>(column).map_err(failed);
    let with = match number(22)? {
        Some(_) => With::User { id: UserId(number(23)?.unwrap_or(0)), is_blocked: number(26)?.is_some() },
        None => With::Room {
            room: read_room_at(row, 28)?,
            is_admin: row.try_get::<Option<&str>, _>(21).map_err(failed)? == Some("admin"),
            muted_until_ms: number(27)?,
        },
    };
    Ok(Listed {
        conversation: ConversationId(row.try_get(17).map_err(failed)?),
        with,
        last_seq: Seq(row.try_get(18).map_err(failed)?),
        read: Seq(row.try_get(19).map_err(failed)?),
        peer_read: Seq(number(24)?.unwrap_or(0)),
        unread: row.try_get(25).map_err(failed)?,
        quiet: row.try_get::<i64, _>(20).map_err(failed)? != 0,
        last: number(0)?.map(|_| read_message(row)).transpose()?,
    })
}
