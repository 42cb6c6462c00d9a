//! What the way of a message looks up each time, kept in memory up to a limit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::ids::{ConversationId, RoomId, UserId};
use super::room::Room;
use super::user::User;
use crate::clock::now_ms;

/// People of one room who may not speak at the same time.
pub(super) const MUTES_MAX: i64 = 10_000;

/// Bounded; what is used least goes first.
pub(super) struct Caches {
    pub(super) users: Cache<UserId, Arc<User>>,
    rooms: Cache<RoomId, Arc<Room>>,
    /// `None` for a direct pair.
    rooms_by_conversation: Cache<ConversationId, Option<Arc<Room>>>,
    pairs: Cache<(UserId, UserId), ConversationId>,
    /// Until when somebody may not speak in a room, UTC milliseconds.
    mutes: Cache<RoomId, Arc<HashMap<UserId, i64>>>,
    /// Whom somebody has blocked.
    blocks: Cache<UserId, Arc<HashSet<UserId>>>,
}

impl Caches {
    pub(super) fn new(entries: usize) -> Self {
        Self {
            users: Cache::new(entries),
            rooms: Cache::new(entries),
            rooms_by_conversation: Cache::new(entries),
            pairs: Cache::new(entries),
            mutes: Cache::new(entries),
            blocks: Cache::new(entries),
        }
    }

    // What is being read from the store at the moment is forgotten too: it may be from before the change.

    /// A room has changed, or is gone.
    pub(super) fn forget_room(&self, room: &Room) {
        self.rooms.remove(&room.id);
        self.rooms_by_conversation.remove(&room.conversation);
    }

    /// Somebody may not speak in a room, or may again.
    pub(super) fn forget_mutes(&self, room: RoomId) {
        self.mutes.remove(&room);
    }

    /// Somebody has blocked or unblocked somebody.
    pub(super) fn forget_blocks(&self, by: UserId) {
        self.blocks.remove(&by);
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

    /// Until when somebody may not speak in a room, for all who may not.
    pub(super) async fn mutes(&self, room: RoomId) -> Result<Arc<HashMap<UserId, i64>>> {
        let load = async { self.store.mutes(room, now_ms(), MUTES_MAX).await.map(Arc::new) };
        self.caches.mutes.get_or_insert_async(&room, load).await
    }

    /// Whether `by` wants to hear nothing of `user`.
    pub async fn is_blocked(&self, by: UserId, user: UserId) -> Result<bool> {
        let load = async {
            let blocked = self.store.blocked_by(by, self.limits.friends_max).await?;
            Ok(Arc::new(HashSet::from_iter(blocked)))
        };
        Ok(self.caches.blocks.get_or_insert_async(&by, load).await?.contains(&user))
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
