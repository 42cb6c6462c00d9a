//! The list of one's conversations.

use std::collections::HashMap;
use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Person, Place};
use super::ids::{ConversationId, Seq, UserId};
use super::message::Message;
use super::room::{Role, Room};
use crate::clock::now_ms;
use crate::store::{Listed, With};

const LIST_MAX: i64 = 500;

/// A conversation as it stands in one's list.
#[derive(Debug)]
pub struct Entry {
    pub with: Company,
    pub last: Option<Message>,
    pub last_seq: Seq,
    /// At most 100.
    pub unread: i64,
    /// How far one has read.
    pub read: Seq,
    /// How far the other side has; 0 in a room.
    pub peer_read: Seq,
    /// Whether one wants no notifications from here.
    pub quiet: bool,
}

/// Who is at the other end.
#[derive(Debug)]
pub enum Company {
    Person { person: Person, is_blocked: bool },
    Room { room: Arc<Room>, role: Role, muted_until_ms: Option<i64> },
}

impl Chat {
    /// One's conversations, those with the newest messages first, at most 500.
    pub async fn conversations(&self, me: UserId) -> Result<Vec<Entry>> {
        let listed = self.store.conversations(me, None, now_ms(), LIST_MAX).await?;
        self.entries(me, listed).await
    }

    /// The conversation at `place`, an empty one too.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or room, or one is not in it.
    pub async fn conversation(&self, me: UserId, place: Place) -> Result<Entry> {
        let conversation = match place {
            // A pair without a word has an entry too, so that somebody can say the first one.
            Place::User(id) => self.pair(me, self.user(id).await?.id).await?,
            Place::Room(id) => self.room(id).await?.conversation,
        };
        let listed = self.store.conversations(me, Some(conversation), now_ms(), 1).await?;
        self.entries(me, listed).await?.pop().ok_or(Error::NotFound(Reason::NotAMember))
    }

    async fn entries(&self, me: UserId, listed: Vec<Listed>) -> Result<Vec<Entry>> {
        let peers: Vec<_> = listed
            .iter()
            .filter_map(|listed| match listed.with {
                With::User { id, .. } => Some(id),
                With::Room { .. } => None,
            })
            .collect();
        let people = self.people(me, &peers).await?;
        let mut people: HashMap<_, _> = people.into_iter().map(|person| (person.user.id, person)).collect();
        let mut entries = Vec::with_capacity(listed.len());
        for listed in listed {
            let with = match listed.with {
                With::User { id, is_blocked } => {
                    let Some(person) = people.remove(&id) else {
                        continue;
                    };
                    Company::Person { person, is_blocked }
                }
                With::Room { room, is_admin, muted_until_ms } => {
                    let role = match (room.creator == me, is_admin) {
                        (true, _) => Role::Creator,
                        (false, true) => Role::Admin,
                        (false, false) => Role::Member,
                    };
                    Company::Room { room: Arc::new(room), role, muted_until_ms }
                }
            };
            let Listed { last, last_seq, unread, read, peer_read, quiet, .. } = listed;
            entries.push(Entry { with, last, last_seq, unread, read, peer_read, quiet });
        }
        Ok(entries)
    }

    /// The conversation of two users, if there is one.
    pub(super) async fn existing_pair(&self, one: UserId, other: UserId) -> Result<Option<ConversationId>> {
        match self.cached_pair(one, other) {
            Some(conversation) => Ok(Some(conversation)),
            None => self.store.existing_direct(one, other).await,
        }
    }
}
