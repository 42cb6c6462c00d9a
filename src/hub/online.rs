//! Who is here, with how many connections, and what they say they are doing.

use std::sync::Arc;

use dashmap::DashMap;
use parking_lot::Mutex;

use super::connection::Connection;
use crate::chat::ids::UserId;
use crate::chat::presence::Presence;

/// What a sign-in found.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Whether this is the user's only connection.
    pub first: bool,
    pub presence: Presence,
}

/// The users with a connection here. What others are told of a user is published under that user's lock, so that
/// the last thing they hear is the last thing that happened.
#[derive(Default)]
pub(super) struct Online {
    users: DashMap<UserId, Arc<Mutex<Here>>>,
}

struct Here {
    connections: Vec<Arc<Connection>>,
    presence: Presence,
}

impl Online {
    /// Adds a connection, unless the others say that there is no place for it. The first one starts with the presence
    /// that was wished for, further ones change nothing.
    pub(super) fn add(
        &self,
        user: UserId,
        connection: &Arc<Connection>,
        wish: Presence,
        is_free: impl Fn(&[Arc<Connection>]) -> bool,
    ) -> Option<Arrived> {
        loop {
            let entry = self
                .users
                .entry(user)
                .or_insert_with(|| Arc::new(Mutex::new(Here { connections: Vec::new(), presence: wish.clone() })));
            let ours = Arc::clone(&entry);
            drop(entry);
            let mut here = ours.lock();
            // The last connection may have gone, and the entry with it, before the lock was taken.
            if !self.users.get(&user).is_some_and(|current| Arc::ptr_eq(&current, &ours)) {
                continue;
            }
            if !is_free(&here.connections) {
                return None;
            }
            let first = here.connections.is_empty();
            here.connections.push(Arc::clone(connection));
            return Some(Arrived { first, presence: here.presence.clone() });
        }
    }

    /// Removes a connection, and calls `gone` if others saw the user and this was the last one.
    pub(super) fn remove(&self, user: UserId, connection: &Connection, gone: impl FnOnce()) {
        let Some(here) = self.here(user) else {
            return;
        };
        let mut here = here.lock();
        here.connections.retain(|other| other.id != connection.id);
        if here.connections.is_empty() {
            self.users.remove(&user);
            if !here.presence.is_hidden() {
                gone();
            }
        }
    }

    /// Sets the presence, and calls `changed` with what others see, unless they saw nothing and still see nothing.
    pub(super) fn set(&self, user: UserId, presence: Presence, changed: impl FnOnce(Presence)) {
        let Some(here) = self.here(user) else {
            return;
        };
        let mut here = here.lock();
        let was_hidden = here.presence.is_hidden();
        here.presence = presence;
        if !(was_hidden && here.presence.is_hidden()) {
            changed(here.presence.visible());
        }
    }

    /// Calls `seen` with what others see, if they see anything.
    pub(super) fn announce(&self, user: UserId, seen: impl FnOnce(Presence)) {
        let Some(here) = self.here(user) else {
            return;
        };
        let here = here.lock();
        if !here.presence.is_hidden() {
            seen(here.presence.visible());
        }
    }

    /// The presence as the user set it; `None` if they are not here.
    pub(super) fn presence(&self, user: UserId) -> Option<Presence> {
        Some(self.here(user)?.lock().presence.clone())
    }

    /// The user's connections.
    pub(super) fn connections(&self, user: UserId) -> Vec<Arc<Connection>> {
        self.here(user).map(|here| here.lock().connections.clone()).unwrap_or_default()
    }

    /// At most `limit` of the users who are here.
    pub(super) fn users(&self, limit: usize) -> Vec<UserId> {
        self.users.iter().take(limit).map(|entry| *entry.key()).collect()
    }

    fn here(&self, user: UserId) -> Option<Arc<Mutex<Here>>> {
        self.users.get(&user).map(|entry| Arc::clone(&entry))
    }
}
