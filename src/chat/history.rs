//! What was said before: page by page, and since one was here last.

use std::collections::HashMap;
use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Person, Place};
use super::ids::{ConversationId, RoomId, Seq, UserId};
use super::message::Message;
use crate::store::{Cursor, Direction, PageSize, ReadMarks, Stay};

const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 200;
/// A reply has about so many bytes of text at most, so that it fits into an outbox however it is escaped.
pub(super) const REPLY_BYTES: usize = 1 << 20;
/// Times that somebody entered the same room.
pub(super) const STAYS_MAX: usize = 1000;
const MARKS_MAX: usize = 500;
const RESUME_EACH: usize = 200;
const RESUME_ALL: usize = 2000;

/// Which page of a conversation.
#[derive(Debug, Clone, Copy, Default)]
pub struct HistoryQuery {
    /// Newest first, from here back; from the end if it is not given.
    pub before: Option<Seq>,
    /// Oldest first, from here on. Counts more than `before`.
    pub after: Option<Seq>,
    /// Messages; 50 if it is not given, at most 200.
    pub limit: Option<usize>,
}

/// A page of a conversation.
#[derive(Debug, Default)]
pub struct History {
    pub messages: Vec<Message>,
    /// Whether the conversation goes on in this direction.
    pub more: bool,
    pub marks: ReadMarks,
    /// The senders.
    pub people: Vec<Person>,
}

/// What came since somebody was here last.
#[derive(Debug)]
pub struct Resumed {
    pub place: Place,
    /// Oldest first, changes of earlier messages too.
    pub messages: Vec<Message>,
    /// Up to here everything is known now.
    pub last: Seq,
    /// Whether there is more after it.
    pub more: bool,
}

impl Chat {
    /// One page of a conversation, of what was said while `me` was in it.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or room, or one was never in it.
    pub async fn history(&self, me: UserId, place: Place, query: HistoryQuery) -> Result<History> {
        let spot = self.spot(me, place).await?;
        let Some(conversation) = spot.conversation else {
            return Ok(History::default());
        };
        let stays = self.store.stays(me, &[conversation], STAYS_MAX).await?;
        if stays.is_empty() {
            return Err(Error::NotFound(Reason::NotAMember));
        }
        let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
        let (messages, more) = self.pages(stays, query, limit).await?;
        let marks = self.store.read_marks(conversation, me).await?;
        let people = self.senders(me, &messages).await?;
        Ok(History { messages, more, marks, people })
    }

    /// A page over one stay after the other.
    async fn pages(&self, mut stays: Vec<Stay>, query: HistoryQuery, limit: usize) -> Result<(Vec<Message>, bool)> {
        let direction = if query.after.is_some() { Direction::OldestFirst } else { Direction::NewestFirst };
        if direction == Direction::OldestFirst {
            stays.reverse();
        }
        for stay in &mut stays {
            match (query.after, query.before) {
                (Some(after), _) => stay.after = stay.after.max(after),
                (None, Some(before)) => stay.last = stay.last.min(Seq(before.0.saturating_sub(1))),
                (None, None) => {}
            }
        }
        let mut messages: Vec<Message> = Vec::new();
        let mut room = REPLY_BYTES;
        for stay in stays.into_iter().filter(|stay| stay.after < stay.last) {
            // One more than asked for, to know whether there is more.
            let size = PageSize { messages: limit + 1 - messages.len(), bytes: room };
            let page = self.store.page(stay, direction, size).await?;
            let bytes = page.iter().map(|message| message.body.len()).sum();
            let is_cut = page.len() < size.messages && bytes >= room;
            room = room.saturating_sub(bytes);
            messages.extend(page);
            if messages.len() > limit || is_cut {
                messages.truncate(limit);
                return Ok((messages, true));
            }
        }
        Ok((messages, false))
    }

    /// What each of the conversations has beyond the number that comes with it. One that `me` is not in, or that is
    /// not there, is left out.
    ///
    /// # Errors
    /// `Invalid` if there are more than 500 marks.
    pub async fn resume(&self, me: UserId, marks: &[(Place, Seq)]) -> Result<(Vec<Resumed>, Vec<Person>)> {
        if marks.len() > MARKS_MAX {
            return Err(Error::Invalid(Reason::TooMany));
        }
        let mut places = HashMap::new();
        for (place, seq) in marks {
            match self.spot(me, *place).await {
                Ok(spot) => {
                    if let Some(conversation) = spot.conversation {
                        places.insert(conversation, (*place, *seq));
                    }
                }
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let ids: Vec<_> = places.keys().copied().collect();
        let mut open = HashMap::new();
        for stay in self.store.stays(me, &ids, STAYS_MAX).await? {
            // The latest one comes first.
            open.entry(stay.conversation).or_insert(stay);
        }
        let cursor = |stay: &Stay| {
            let (_, seq) = places[&stay.conversation];
            Cursor { conversation: stay.conversation, after: stay.after.max(seq), last: stay.last }
        };
        let cursors: Vec<_> = open.values().map(cursor).collect();
        let behind: Vec<_> = cursors.iter().filter(|cursor| cursor.after < cursor.last).copied().collect();
        let size = PageSize { messages: RESUME_ALL, bytes: REPLY_BYTES };
        let messages = self.store.messages_after(&behind, RESUME_EACH, size).await?;
        let people = self.senders(me, &messages).await?;
        let mut found: HashMap<ConversationId, Vec<Message>> = HashMap::new();
        for message in messages {
            found.entry(message.conversation).or_default().push(message);
        }
        let resumed = cursors.into_iter().map(|cursor| {
            let mut messages = found.remove(&cursor.conversation).unwrap_or_default();
            messages.retain(|message| message.seq <= cursor.last);
            let last = messages.last().map_or(cursor.after, |message| message.seq);
            let place = places[&cursor.conversation].0;
            Resumed { place, messages, last, more: last < cursor.last }
        });
        Ok((resumed.collect(), people))
    }

    /// Those who said something, each once, as `me` sees them.
    pub(super) async fn senders(&self, me: UserId, messages: &[Message]) -> Result<Vec<Person>> {
        let mut ids: Vec<_> = messages.iter().map(|message| message.sender).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut users = Vec::with_capacity(ids.len());
        for id in ids {
            users.push(self.user(id).await?);
        }
        self.people_for(Some(me), users).await
    }

    /// The room of a stored message, if it was said in one.
    pub async fn room_id_of(&self, message: &Message) -> Result<Option<RoomId>> {
        if message.recipient.is_some() {
            return Ok(None);
        }
        let room: Option<Arc<_>> = self.room_of(message.conversation).await?;
        Ok(room.map(|room| room.id))
    }
}
