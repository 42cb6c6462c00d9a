//! All live Socket.IO connections, by session id.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use socketioxide::TransportType;
use socketioxide::socket::Sid;

use super::flow::Flow;
use super::{Door, Outbox};
use crate::chat::Ending;
use crate::hub::Port;
use crate::transport::Connections;
use crate::transport::tcp::Peer;

/// Sessions, or inventions, that are remembered before they have entered the namespace.
const MAX_EARLY: usize = 10_000;

/// A polling request under way.
pub struct Poll(Arc<Mutex<Flow>>);

impl Drop for Poll {
    fn drop(&mut self) {
        self.0.lock().poll_ended();
    }
}

/// Connections between their first packet and the end of their session.
pub struct Registry {
    connections: DashMap<Sid, (Arc<Door>, Arc<Outbox>)>,
    early: Cache<Sid, Arc<Mutex<Flow>>>,
    /// A connection that was alive for so long has read everything that was sent to it before.
    heartbeat: Duration,
}

impl Registry {
    pub(super) fn new(heartbeat: Duration) -> Self {
        Self { connections: DashMap::new(), early: Cache::new(MAX_EARLY), heartbeat }
    }

    pub(super) fn add(&self, sid: Sid, door: Arc<Door>, outbox: Arc<Outbox>) {
        self.connections.insert(sid, (door, outbox));
    }

    /// Removes this connection. A client may have entered again with the same session id.
    pub(super) fn remove(&self, sid: Sid, outbox: &Arc<Outbox>) {
        self.connections.remove_if(&sid, |_, connection| Arc::ptr_eq(&connection.1, outbox));
        self.early.remove(&sid);
    }

    /// A request over `peer` asks to move the session to a websocket.
    pub fn upgrading(&self, sid: &str, peer: &Peer) {
        if let Ok(sid) = sid.parse() {
            self.flow(sid).lock().upgrading(peer.clone());
        }
    }

    /// A polling request over `peer` asks for packets of the session, until the returned value is dropped.
    pub fn polling(&self, sid: &str, peer: &Peer) -> Option<Poll> {
        let flow = self.flow(sid.parse().ok()?);
        flow.lock().poll_began(peer);
        Some(Poll(flow))
    }

    /// What is known of the way of a session's packets. Its first requests come before it has entered the namespace.
    pub(super) fn flow(&self, sid: Sid) -> Arc<Mutex<Flow>> {
        if let Some(connection) = self.connections.get(&sid) {
            return connection.1.flow();
        }
        let Ok(flow) = self.early.get_or_insert_with(&sid, || Ok::<_, Infallible>(Arc::default()));
        flow
    }

    /// Whether the server has ended this session, though the library does not know yet.
    pub fn is_ended(&self, sid: &str) -> bool {
        self.outbox(sid).is_some_and(|outbox| outbox.is_closed())
    }

    fn outbox(&self, sid: &str) -> Option<Arc<Outbox>> {
        let sid: Sid = sid.parse().ok()?;
        Some(Arc::clone(&self.connections.get(&sid)?.1))
    }
}

impl Connections for Registry {
    /// What was accepted is carried out, and then the sessions end.
    fn close_inboxes(&self) {
        for entry in &self.connections {
            entry.0.inbox.close(Ending::Orderly);
        }
    }

    fn is_quiet(&self) -> bool {
        self.connections.iter().all(|entry| entry.1.is_closed())
    }

    /// Without waiting for the library to notice.
    fn cut(&self) {
        for entry in &self.connections {
            entry.1.close();
            entry.0.gone.cancel();
        }
    }

    fn count(&self) -> Vec<(&'static str, usize)> {
        let polling = self.connections.iter().filter(|entry| entry.1.transport() == TransportType::Polling).count();
        vec![("polling", polling), ("websocket", self.connections.len().saturating_sub(polling))]
    }

    fn unnoticed(&self) -> Duration {
        if self.connections.is_empty() { Duration::ZERO } else { self.heartbeat }
    }
}
