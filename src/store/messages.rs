//! Reading messages, and the marks of how far they were delivered. They are written in [`super::batch`].

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::gather::rows_of;
use super::history::{PageSize, take};
use super::pool::Pool;
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::{Error, Result};
use crate::chat::ids::{ConversationId, MessageId, Seq, UserId};
use crate::chat::message::{Extras, Format, Kind, Message, Quote};
use crate::hub::Mark;

pub(super) const COLUMNS: &str = "m.id, m.conversation_id, m.seq, m.sender_id, m.recipient_id, m.kind, m.format, m.body, \
                                  m.claimed_ms, m.stored_ms, m.client_id, x.about_seq, x.quoted_id, x.quote, x.file, \
                                  x.card, x.edited_ms";

/// Follows every `from ... messages m` and `from ... numbered_messages m`.
pub(super) const EXTRAS: &str = "left join message_extras x on x.message_id = m.id";

/// A place in a conversation from which to read on, and where the conversation ended when it was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub conversation: ConversationId,
    pub after: Seq,
    pub last: Seq,
}

/// What somebody was not given, and whether it was said in a room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missed {
    cursor: Cursor,
    in_room: bool,
}

/// What to show of everything that was addressed to a user.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogFilter {
    pub from: Option<UserId>,
    pub conversation: Option<ConversationId>,
}

/// One page of it.
#[derive(Debug, Clone)]
pub struct LogPage {
    pub messages: Vec<Message>,
    /// How many messages there are on all pages.
    pub total: i64,
}

impl Store {
    /// The stays in which `user` has not been given everything, also those that have ended, at most `limit`. Those in
    /// rooms only with `rooms`.
    pub async fn missed(&self, user: UserId, rooms: bool, limit: i64) -> Result<Vec<Cursor>> {
        let missed = self.together.missed.ask(user.0).await?;
        let wanted = missed.into_iter().filter(|missed| rooms || !missed.in_room).map(|missed| missed.cursor);
        Ok(wanted.take(usize::try_from(limit).unwrap_or(0)).collect())
    }

    /// The next messages after the cursors, over all their conversations, oldest first: so many as `size` says, and of
    /// each conversation at most `each`.
    ///
    /// With `each` as large as the page no other message comes before those that are returned: one beyond a
    /// conversation's next `each` comes after `each` others of its own conversation.
    pub async fn messages_after(&self, cursors: &[Cursor], each: usize, size: PageSize) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for run in runs(cursors, Marker::Dollar.longest(2)) {
            // Chosen by their ids alone: most of those that are looked at are not on this page.
            let text = format!(
                "select {COLUMNS} from messages m {EXTRAS} where m.id in (
                   select p.message_id from (values {}) as v
                   join message_places p on p.conversation_id = v.column1
                     and p.seq > v.column2 and p.seq <= v.column2 + {each}
                   order by p.message_id limit {limit})
                 order by m.id",
                placeholders(run.len(), 2),
                limit = size.messages
            );
            let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, cursor| {
                query.bind(cursor.conversation.0).bind(cursor.after.0)
            });
            messages.extend(take(query.fetch(&self.read), size).await?);
        }
        messages.sort_by_key(|message| message.id);
        let mut bytes = 0;
        let enough = messages.iter().position(|message| {
            let is_full = bytes >= size.bytes;
            bytes += message.body.len();
            is_full
        });
        messages.truncate(enough.unwrap_or(messages.len()).min(size.messages));
        Ok(messages)
    }

    /// Moves delivered marks forward, and read marks with them where that is said; none moves back, nor beyond the end
    /// of a stay.
    pub async fn store_marks(&self, marks: &[Mark]) -> Result<()> {
        for run in runs(marks, Marker::Dollar.longest(4)) {
            let text = format!(
                "update stays set
                   delivered_seq = case when until_seq < v.column3 then until_seq else v.column3 end,
                   read_seq = case when v.column4 = 0 or read_seq >= v.column3 then read_seq
                     when until_seq < v.column3 then until_seq else v.column3 end
                 from (values {}) as v
                 where stays.conversation_id = v.column1 and stays.user_id = v.column2
                   and stays.delivered_seq < v.column3
                   and (stays.until_seq is null or stays.delivered_seq < stays.until_seq)",
                placeholders(run.len(), 4)
            );
            let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, mark| {
                query.bind(mark.conversation.0).bind(mark.user.0).bind(mark.seq.0).bind(i64::from(mark.read))
            });
            query.execute(&self.write).await.map_err(failed)?;
        }
        Ok(())
    }

    /// What was addressed to `user`, oldest first, `per_page` at a time. Pages count from 1.
    pub async fn log(&self, user: UserId, filter: LogFilter, page: i64, per_page: i64) -> Result<LogPage> {
        let mut from = "from stays s join numbered_messages m on m.conversation_id = s.conversation_id
               and m.seq > s.since_seq and (s.until_seq is null or m.seq <= s.until_seq)
             {EXTRAS}
             where s.user_id = $1 and (m.recipient_id is null or m.recipient_id = $1)
               and m.kind not in ('edit', 'recall')"
            .replace("{EXTRAS}", EXTRAS);
        let mut parameters = vec![user.0];
        if let Some(sender) = filter.from {
            parameters.push(sender.0);
            from += &format!(" and m.sender_id = ${}", parameters.len());
        }
        if let Some(conversation) = filter.conversation {
            parameters.push(conversation.0);
            from += &format!(" and s.conversation_id = ${}", parameters.len());
        }
        // Counted directly, SQLite would make a list of all messages there are from the two parts of its index first.
        let count = format!("with found as materialized (select m.id {from}) select count(*) from found");
        let count = parameters.iter().fold(sqlx::query_scalar(AssertSqlSafe(count)), |query, value| query.bind(*value));
        let total: i64 = count.fetch_one(&self.read).await.map_err(failed)?;

        let offset = page.saturating_sub(1).saturating_mul(per_page);
        if offset >= total {
            return Ok(LogPage { messages: Vec::new(), total });
        }
        // The wire asks for pages by number, so this is the one place with an offset.
        let rows = format!("select {COLUMNS} {from} order by m.id limit {per_page} offset {offset}");
        let rows = parameters.iter().fold(sqlx::query(AssertSqlSafe(rows)), |query, value| query.bind(*value));
        let rows = rows.fetch_all(&self.read).await.map_err(failed)?;
        Ok(LogPage { messages: rows.iter().map(read_message).collect::<Result<_>>()?, total })
    }
}

pub(super) fn read_message(row: &AnyRow) -> Result<Message> {
    let kind: &str = row.try_get(5).map_err(failed)?;
    let format: &str = row.try_get(6).map_err(failed)?;
    let body: &str = row.try_get(7).map_err(failed)?;
    Ok(Message {
        id: MessageId(row.try_get(0).map_err(failed)?),
        conversation: ConversationId(row.try_get(1).map_err(failed)?),
        seq: Seq(row.try_get(2).map_err(failed)?),
        sender: UserId(row.try_get(3).map_err(failed)?),
        recipient: row.try_get::<Option<i64>, _>(4).map_err(failed)?.map(UserId),
        kind: Kind::parse(kind).ok_or_else(|| Error::internal(format!("unknown message kind {kind}")))?,
        format: Format::parse(format).ok_or_else(|| Error::internal(format!("unknown message format {format}")))?,
        body: body.into(),
        claimed_ms: row.try_get(8).map_err(failed)?,
        stored_ms: row.try_get(9).map_err(failed)?,
        client_id: row.try_get::<Option<&str>, _>(10).map_err(failed)?.map(Arc::from),
        extras: read_extras(row)?.map(Arc::new),
    })
}

fn read_extras(row: &AnyRow) -> Result<Option<Extras>> {
    let sender: Option<i64> = row.try_get(12).map_err(failed)?;
    let text: Option<String> = row.try_get(13).map_err(failed)?;
    let extras = Extras {
        about: row.try_get::<Option<i64>, _>(11).map_err(failed)?.map(Seq),
        quote: sender.zip(text).map(|(sender, text)| Quote { sender: UserId(sender), text }),
        file: read_json(row, 14)?,
        card: read_json(row, 15)?,
        edited_ms: row.try_get(16).map_err(failed)?,
    };
    Ok((extras != Extras::default()).then_some(extras))
}

fn read_json<T: DeserializeOwned>(row: &AnyRow, column: usize) -> Result<Option<T>> {
    let text: Option<&str> = row.try_get(column).map_err(failed)?;
    text.map(serde_json::from_str).transpose().map_err(Error::internal)
}

/// For each of the users the stays in which they were not given everything, by conversation, the earlier ones first.
pub(super) async fn missed_by(pool: Pool, users: Vec<i64>) -> Result<Vec<Vec<Missed>>> {
    let text = |list: &str| {
        format!(
            "select s.user_id, s.conversation_id, s.delivered_seq, coalesce(s.until_seq, c.last_seq), c.low_id
             from stays s join conversations c on c.id = s.conversation_id
             where s.user_id in {list} and coalesce(s.until_seq, c.last_seq) > s.delivered_seq
             order by s.conversation_id, s.since_seq"
        )
    };
    let missed = |row: &AnyRow| {
        let cursor = Cursor {
            conversation: ConversationId(row.try_get(1).map_err(failed)?),
            after: Seq(row.try_get(2).map_err(failed)?),
            last: Seq(row.try_get(3).map_err(failed)?),
        };
        let low: Option<i64> = row.try_get(4).map_err(failed)?;
        Ok(Missed { cursor, in_room: low.is_none() })
    };
    rows_of(&pool, &users, text, missed).await
}
