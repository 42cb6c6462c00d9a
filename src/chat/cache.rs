//! What the way of a message looks up each time, kept in memory up to a limit.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::ids::{ConversationId, RoomId, UserId};
use super::room::Room;
use super::user::User;

/// Bounded; what is used least goes first.
pub(super) struct Caches {
    pub(super) users: Cache<UserId, Arc<User>>,
    rooms: Cache<RoomId, Arc<Room>>,
    /// `None` for a direct pair.
    rooms_by_conversation: Cache<ConversationId, Option<Arc<Room>>>,
    pairs: Cache<(UserId, UserId), ConversationId>,
}

impl Caches {
    pub(super) fn new(entries: usize) -> Self {
        Self {
            users: Cache::new(entries),
            rooms: Cache::new(entries),
            rooms_by_conversation: Cache::new(entries),
            pairs: Cache::new(entries),
        }
    }
}

impl Chat {
    /// The account with this id.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    pub async fn user(&self, id: UserId) -> Result<Arc<User>> {
        let load = async { self.store.user(id).await?.map(Arc::new).ok_or(Error::NotFound(Reason::NoSuchUser)) };
        self.caches.users.get_or_insert_async(&id, load).await
    }

    /// The room with this id.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    pub(super) async fn room(&self, id: RoomId) -> Result<Arc<Room>> {
        let load = async { self.store.room(id).await?.map(Arc::new).ok_or(Error::NotFound(Reason::NoSuchRoom)) };
        self.caches.rooms.get_or_insert_async(&id, load).await
    }

    /// The room behind a conversation; none behind a direct pair.
    pub(super) async fn room_of(&self, conversation: ConversationId) -> Result<Option<Arc<Room>>> {
        let load = async { Ok(self.store.room_of(conversation).await?.map(Arc::new)) };
        self.caches.rooms_by_conversation.get_or_insert_async(&conversation, load).await
    }

    /// The conversation of two users who exist.
    pub(super) async fn pair(&self, one: UserId, other: UserId) -> Result<ConversationId> {
        let key = (one.min(other), one.max(other));
        self.caches.pairs.get_or_insert_async(&key, self.store.direct_conversation(one, other)).await
    }

    /// The conversation of two users, if it is remembered.
    pub(super) fn cached_pair(&self, one: UserId, other: UserId) -> Option<ConversationId> {
        self.caches.pairs.get(&(one.min(other), one.max(other)))
    }
}
