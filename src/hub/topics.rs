//! Which connections are in which topic.

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use super::connection::{Connection, ConnectionId};
use crate::chat::event::Topic;

/// The members of all topics. Publishing works on a snapshot, so that no lock is held while it fans out.
#[derive(Default)]
pub(super) struct Topics {
    map: DashMap<Topic, Members>,
}

#[derive(Default)]
struct Members {
    by_id: HashMap<ConnectionId, Arc<Connection>>,
    /// Made by the first publisher after a change, shared by the next ones.
    snapshot: Option<Arc<[Arc<Connection>]>>,
}

impl Topics {
    /// Adds `connection`. True if the topic had none before.
    pub(super) fn enter(&self, topic: Topic, connection: &Arc<Connection>) -> bool {
        let mut members = self.map.entry(topic).or_default();
        members.snapshot = None;
        members.by_id.insert(connection.id, Arc::clone(connection));
        members.by_id.len() == 1
    }

    /// Removes a connection. True if the topic has none left.
    pub(super) fn leave(&self, topic: Topic, id: ConnectionId) -> bool {
        let Entry::Occupied(mut entry) = self.map.entry(topic) else {
            return false;
        };
        let members = entry.get_mut();
        if members.by_id.remove(&id).is_none() {
            return false;
        }
        members.snapshot = None;
        let empty = members.by_id.is_empty();
        if empty {
            entry.remove();
        }
        empty
    }

    /// Everybody in `topic` at this moment.
    pub(super) fn members(&self, topic: Topic) -> Option<Arc<[Arc<Connection>]>> {
        if let Some(snapshot) = &self.map.get(&topic)?.snapshot {
            return Some(Arc::clone(snapshot));
        }
        let mut members = self.map.get_mut(&topic)?;
        let snapshot: Arc<[_]> = members.by_id.values().cloned().collect();
        members.snapshot = Some(Arc::clone(&snapshot));
        Some(snapshot)
    }
}
