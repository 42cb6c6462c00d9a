//! All live Socket.IO connections, by session id.

use std::sync::Arc;

use dashmap::DashMap;
use socketioxide::TransportType;
use socketioxide::socket::Sid;

use super::{Door, Outbox};
use crate::chat::Ending;
use crate::hub::Port;
use crate::transport::tcp::Peer;

/// Connections between their first packet and the end of their session.
#[derive(Default)]
pub struct Registry {
    connections: DashMap<Sid, (Arc<Door>, Arc<Outbox>)>,
}

impl Registry {
    pub(super) fn add(&self, sid: Sid, door: Arc<Door>, outbox: Arc<Outbox>) {
        self.connections.insert(sid, (door, outbox));
    }

    pub(super) fn remove(&self, sid: Sid) {
        self.connections.remove(&sid);
    }

    /// A request over `peer` asks to move the session `sid` to a websocket.
    pub fn upgrading(&self, sid: &str, peer: &Peer) {
        if let Ok(sid) = sid.parse::<Sid>()
            && let Some(connection) = self.connections.get(&sid)
        {
            connection.1.upgraded(peer.clone());
        }
    }

    /// Open connections over polling and over websockets.
    pub fn count(&self) -> (usize, usize) {
        let polling = self.connections.iter().filter(|entry| entry.1.transport() == TransportType::Polling).count();
        (polling, self.connections.len().saturating_sub(polling))
    }

    /// Whether no session is left.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Takes no more calls. Those that were accepted are carried out, and then the sessions end.
    pub fn close_inboxes(&self) {
        for entry in &self.connections {
            entry.0.inbox.close(Ending::Orderly);
        }
    }

    /// Cuts what is left.
    pub fn cut(&self) {
        let outboxes: Vec<_> = self.connections.iter().map(|entry| Arc::clone(&entry.1)).collect();
        for outbox in outboxes {
            outbox.close();
        }
    }
}
