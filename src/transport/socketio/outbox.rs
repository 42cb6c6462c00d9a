//! What a client has not been sent yet: bounded in frames and bytes, in order.
//!
//! socketioxide's own buffer takes packets only as long as it has room, and then drops them, replies too. So what
//! finds no room there waits here, and a small task hands it on as room appears. A client for whom too much waits
//! does not read: its connection is cut. It loses nothing, since what it did not get is delivered when it is back.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use socketioxide::extract::AckSender;
use socketioxide::handler::FromMessageParts;
use socketioxide::socket::Socket;
use socketioxide::{ProtocolVersion, SendError, SocketError, TransportType};
use socketioxide_core::Value as Packet;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::flow::Flow;
use super::packet::Raw as RawJson;
use super::text::to_ascii;
use super::{Inbox, Raw};
use crate::chat::Ending;
use crate::chat::ids::UserId;
use crate::hub::{Frame, Port, Refused};
use crate::metrics::Metrics;
use crate::transport::{Name, Way};

/// The library tells nobody when its buffer has room again, so it is asked, after 1 ms and then ever more rarely.
const FIRST_RETRY: Duration = Duration::from_millis(1);
const LAST_RETRY: Duration = Duration::from_millis(50);
/// How long an end waits for the last packets to be written.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// How clients of this server write packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Msgpack,
}

/// The limits of an outbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_frames: usize,
    pub(super) max_bytes: usize,
    /// Bytes that may wait in the library's own buffer.
    pub(super) window_bytes: u64,
}

/// One connection's outbox, in front of its socket.
pub struct Outbox {
    me: Weak<Self>,
    name: Name,
    socket: Arc<Socket>,
    inbox: Arc<Inbox<Raw>>,
    encoding: Encoding,
    limits: Limits,
    backlog: Mutex<Backlog>,
    /// Shared with those who see the connection's HTTP requests.
    flow: Arc<Mutex<Flow>>,
    emptied: Notify,
    closed: AtomicBool,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Backlog {
    items: VecDeque<Item>,
    bytes: usize,
    /// Something was in here when the connection ended.
    lost: bool,
}

/// What is sent.
struct Item<T = String> {
    to: Target,
    json: T,
}

#[derive(Clone, Copy)]
enum Target {
    Event(&'static str),
    Ack(i64),
}

/// Why the socket did not take an item.
enum Stop {
    Full,
    Closed,
}

impl Outbox {
    pub(super) fn new(
        socket: Arc<Socket>,
        inbox: Arc<Inbox<Raw>>,
        encoding: Encoding,
        limits: Limits,
        flow: Arc<Mutex<Flow>>,
        tasks: TaskTracker,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            name: Name::of("socketio"),
            socket,
            inbox,
            encoding,
            limits,
            backlog: Mutex::default(),
            flow,
            emptied: Notify::new(),
            closed: AtomicBool::new(false),
            tasks,
            metrics,
        })
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    /// What is known of its packets' way.
    pub(super) fn flow(&self) -> Arc<Mutex<Flow>> {
        Arc::clone(&self.flow)
    }

    /// How its client writes packets.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether the connection was closed by the server, or is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The transport that the connection uses at this moment.
    pub(super) fn transport(&self) -> TransportType {
        self.socket.transport_type()
    }

    /// Whether text from this client may be encoded twice as UTF-8, as client 1.x does over polling.
    pub(super) fn may_encode_twice(&self) -> bool {
        self.encoding == Encoding::Json
            && self.socket.protocol() == ProtocolVersion::V4
            && self.socket.transport_type() == TransportType::Polling
    }

    async fn all_written(&self) -> bool {
        let mut pause = FIRST_RETRY;
        loop {
            {
                let backlog = self.backlog.lock();
                self.follow_transport(&mut self.flow.lock());
                let all_written = backlog.items.is_empty() && self.flow.lock().unsent() == 0 && !backlog.lost;
                if all_written || !self.socket.connected() {
                    return all_written;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    /// Takes nothing more; the socket is gone.
    pub(super) fn shut(&self) {
        self.closed.store(true, Ordering::Release);
        let mut backlog = self.backlog.lock();
        backlog.lost |= !backlog.items.is_empty();
        backlog.items = VecDeque::new();
        backlog.bytes = 0;
        drop(backlog);
        self.emptied.notify_waiters();
    }

    fn put_or_log(&self, to: Target, json: &str) {
        if self.put(Item { to, json }).is_err() {
            // Whoever asked has gone: there is nobody left to be told.
            debug!(conn.id = %self.name, "not sent, the connection is closed");
        }
    }

    fn put(&self, item: Item<&str>) -> Result<(), Refused> {
        if self.is_closed() {
            return Err(Refused);
        }
        let mut backlog = self.backlog.lock();
        if backlog.items.is_empty() {
            match self.hand_over(item.to, item.json) {
                Ok(()) => return Ok(()),
                Err(Stop::Closed) => return Err(Refused),
                Err(Stop::Full) => {
                    let Some(outbox) = self.me.upgrade() else {
                        return Err(Refused);
                    };
                    self.tasks.spawn(outbox.drain());
                }
            }
        }
        let bytes = backlog.bytes + item.json.len();
        if backlog.items.len() >= self.limits.max_frames || bytes > self.limits.max_bytes {
            drop(backlog);
            self.metrics.outbox_overflows.increment(1);
            warn!(conn.id = %self.name, "closing a connection that does not read");
            self.close();
            return Err(Refused);
        }
        backlog.bytes = bytes;
        backlog.items.push_back(Item { to: item.to, json: item.json.to_owned() });
        Ok(())
    }

    /// Hands the backlog on as the socket takes it.
    async fn drain(self: Arc<Self>) {
        let mut pause = FIRST_RETRY;
        loop {
            tokio::time::sleep(pause).await;
            match self.hand_on() {
                Progress::Done => return self.emptied.notify_waiters(),
                Progress::Closed => return self.shut(),
                Progress::Some => pause = FIRST_RETRY,
                Progress::None => pause = (pause * 2).min(LAST_RETRY),
            }
        }
    }

    fn hand_on(&self) -> Progress {
        let mut guard = self.backlog.lock();
        let backlog = &mut *guard;
        let before = backlog.items.len();
        while let Some(item) = backlog.items.front() {
            match self.hand_over(item.to, &item.json) {
                Ok(()) => {
                    backlog.bytes -= item.json.len();
                    backlog.items.pop_front();
                }
                Err(Stop::Full) if backlog.items.len() < before => return Progress::Some,
                Err(Stop::Full) => return Progress::None,
                Err(Stop::Closed) => return Progress::Closed,
            }
        }
        backlog.items = VecDeque::new();
        Progress::Done
    }

    fn hand_over(&self, to: Target, json: &str) -> Result<(), Stop> {
        let flow = &mut *self.flow.lock();
        self.follow_transport(flow);
        if flow.unsent() > self.limits.window_bytes {
            return Err(Stop::Full);
        }
        let result = self.encoded(json, |json| match json {
            Encoded::Text(json) => counted(flow, to, json.len(), || self.send(to, &RawJson(json))),
            // The size of msgpack is not known here; such clients are not counted.
            Encoded::Value(value) => self.send(to, &value),
        });
        match result {
            Ok(()) => Ok(()),
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Err(Stop::Full),
            Err(SendError::Socket(SocketError::Closed)) => Err(Stop::Closed),
            Err(SendError::Serialize(error)) => {
                // Our own JSON: a fault of the server. The rest of the conversation goes on.
                tracing::error!(%error, conn.id = %self.name, "a frame could not be encoded and was left out");
                Ok(())
            }
        }
    }

    fn follow_transport(&self, flow: &mut Flow) {
        if self.socket.transport_type() == TransportType::Websocket {
            flow.upgraded();
        }
    }

    fn send(&self, to: Target, value: &impl Serialize) -> Result<(), SendError> {
        match to {
            Target::Event(name) => self.socket.emit(name, value),
            Target::Ack(id) => {
                let nothing = &mut Packet::Bytes(Default::default());
                let Ok(ack) = AckSender::from_message_parts(&self.socket, nothing, &Some(id));
                ack.send(value)
            }
        }
    }

    /// Writes JSON in the way in which this client reads it.
    fn encoded<T>(&self, json: &str, send: impl FnOnce(Encoded<'_>) -> T) -> T {
        match self.encoding {
            Encoding::Msgpack => send(Encoded::Value(serde_json::from_str(json).unwrap_or(Value::Null))),
            // Client 1.x over polling takes UTF-8 apart once too often.
            Encoding::Json if self.may_encode_twice() => send(Encoded::Text(&to_ascii(json))),
            Encoding::Json => send(Encoded::Text(json)),
        }
    }
}

/// Sends with a note of how much: the JSON and what stands around it.
fn counted(
    flow: &mut Flow,
    to: Target,
    json_bytes: usize,
    send: impl FnOnce() -> Result<(), SendError>,
) -> Result<(), SendError> {
    let around = match to {
        Target::Event(name) => name.len() + r#"["",]"#.len(),
        Target::Ack(id) => id.checked_ilog10().unwrap_or_default() as usize + 1 + "[]".len(),
    };
    flow.hand_over(json_bytes + around);
    let result = send();
    if result.is_err() {
        flow.take_back(json_bytes + around);
    }
    result
}

/// What became of the backlog.
enum Progress {
    Done,
    Some,
    None,
    Closed,
}

enum Encoded<'a> {
    Text(&'a str),
    Value(Value),
}

impl Way for Outbox {
    fn emit(&self, event: &'static str, json: String) {
        self.put_or_log(Target::Event(event), &json);
    }

    fn answer(&self, ack: i64, json: String) {
        self.put_or_log(Target::Ack(ack), &json);
    }
}

impl Port for Outbox {
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused> {
        // Mostly the text is copied on at once, so one place to write it serves all connections of a thread.
        thread_local!(static TEXT: RefCell<String> = const { RefCell::new(String::new()) });
        TEXT.with_borrow_mut(|json| {
            json.clear();
            frame.write_for(to, json);
            self.put(Item { to: Target::Event(frame.name), json })
        })
    }

    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            loop {
                let emptied = self.emptied.notified();
                if self.backlog.lock().items.is_empty() || self.is_closed() {
                    return;
                }
                emptied.await;
            }
        })
    }

    fn written(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async { tokio::time::timeout(LAST_WRITES, self.all_written()).await.unwrap_or(false) })
    }

    /// The TCP connection is cut: the library's own way of closing waits for a peer who may not read, and its
    /// disconnect packet would keep the client from coming back. Polling requests that follow are refused.
    fn close(&self) {
        let peer = self.flow.lock().peer().cloned();
        self.shut();
        self.inbox.close(Ending::Broken);
        if let Some(peer) = peer {
            peer.cut();
        }
    }
}
