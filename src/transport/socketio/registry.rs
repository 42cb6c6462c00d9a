//! All live Socket.IO connections, by session id.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use socketioxide::TransportType;
use socketioxide::socket::Sid;
use tokio::time::timeout;

use super::flow::Flow;
use super::guest::Outside;
use super::outbox::Encoding;
use super::{Door, Outbox};
use crate::chat::Ending;
use crate::hub::Port;
use crate::transport::Connections;
use crate::transport::tcp::Peer;

/// Sessions, or inventions, that are remembered before they have entered the namespace.
const MAX_EARLY: usize = 10_000;
/// Sessions outside of the namespace that are remembered because they are to end.
const MAX_ENDED: usize = 10_000;

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
    ended: Cache<Sid, ()>,
    /// A connection that was alive for so long has read everything that was sent to it before.
    heartbeat: Duration,
}

impl Registry {
    pub(super) fn new(heartbeat: Duration) -> Self {
        let (early, ended) = (Cache::new(MAX_EARLY), Cache::new(MAX_ENDED));
        Self { connections: DashMap::new(), early, ended, heartbeat }
    }

    /// Adds a connection. One of the same session that is still here is over.
    pub(super) fn add(&self, sid: Sid, door: Arc<Door>, outbox: Arc<Outbox>) {
        if let Some((before, _)) = self.connections.insert(sid, (door, outbox)) {
            before.close(Ending::Broken);
        }
    }

    /// Ends those connections for which the library has no socket any more, though it has not said so. Their clients
    /// have left the namespace before.
    pub(super) fn sweep(&self, has_socket: impl Fn(Sid, Encoding) -> bool) {
        for entry in &self.connections {
            let (door, outbox) = entry.value();
            if !has_socket(*entry.key(), outbox.encoding()) {
                door.has_left.store(true, Ordering::Release);
                door.close(Ending::Broken);
            }
        }
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

    /// A polling request brings so many bytes to the session. False if that is too much for a client that does not
    /// fetch the answers: they wait in memory.
    pub fn posting(&self, sid: &str, bytes: u64) -> bool {
        sid.parse().map_or(true, |sid| self.flow(sid).lock().may_post(bytes))
    }

    /// Ends a session that is not in the namespace, over the TCP connection that carries it, or by refusing requests.
    /// False if that was done already.
    pub(super) fn end(&self, sid: Sid, peer: Option<&Peer>) -> bool {
        if let Some(peer) = peer {
            peer.cut();
        }
        let is_new = self.ended.get(&sid).is_none();
        self.ended.insert(sid, ());
        is_new
    }

    /// A client has left the namespace. It may enter again, but not stay outside for longer than `grace`.
    pub(super) async fn see_out(&self, sid: Sid, flow: Arc<Mutex<Flow>>, outside: &Outside, grace: Duration) {
        let entries = outside.entries();
        if timeout(grace, outside.over.cancelled()).await.is_err() && outside.entries() == entries {
            let peer = flow.lock().peer().cloned();
            self.end(sid, peer.as_ref());
        }
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
        let Ok(sid) = sid.parse::<Sid>() else {
            return false;
        };
        self.ended.get(&sid).is_some() || self.connections.get(&sid).is_some_and(|entry| entry.1.is_closed())
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
