//! What a client has not been sent yet: bounded in frames and bytes, in order.
//!
//! socketioxide's own buffer takes packets only as long as it has room, and then drops them, replies too. So what
//! finds no room there waits here, and a small task hands it on as room appears. A client for whom too much waits
//! does not read: its connection is cut. It loses nothing, since what it did not get is delivered when it is back.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
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
use super::packet::Raw;
use super::text::to_ascii;
use crate::chat::ids::UserId;
use crate::hub::{Frame, Port, Refused};
use crate::metrics::Metrics;
use crate::transport::tcp::Peer;

/// The library tells nobody when its buffer has room again, so it is asked, after 1 ms and then ever more rarely.
const FIRST_RETRY: Duration = Duration::from_millis(1);
const LAST_RETRY: Duration = Duration::from_millis(50);

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
    socket: Arc<Socket>,
    encoding: Encoding,
    limits: Limits,
    backlog: Mutex<Backlog>,
    emptied: Notify,
    closed: AtomicBool,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Backlog {
    items: VecDeque<Item>,
    bytes: usize,
    flow: Flow,
    /// Something was in here when the connection ended.
    lost: bool,
}

enum Item {
    Event { name: &'static str, json: String },
    Ack { id: i64, json: String },
}

impl Item {
    fn bytes(&self) -> usize {
        let (Self::Event { json, .. } | Self::Ack { json, .. }) = self;
        json.len()
    }
}

/// Why the socket did not take an item.
enum Stop {
    Full,
    Closed,
}

impl Outbox {
    pub(super) fn new(
        socket: Arc<Socket>,
        encoding: Encoding,
        limits: Limits,
        peer: Option<Peer>,
        tasks: TaskTracker,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            socket,
            encoding,
            limits,
            backlog: Mutex::new(Backlog { flow: Flow::new(peer), ..Backlog::default() }),
            emptied: Notify::new(),
            closed: AtomicBool::new(false),
            tasks,
            metrics,
        })
    }

    /// Sends an event with one JSON value.
    pub(crate) fn emit(&self, name: &'static str, json: String) {
        self.put_or_log(Item::Event { name, json });
    }

    /// Answers the event that asked for acknowledgement `id`.
    pub(crate) fn acknowledge(&self, id: i64, json: String) {
        self.put_or_log(Item::Ack { id, json });
    }

    /// The connection has moved to a websocket over `peer`.
    pub(super) fn upgraded(&self, peer: Peer) {
        self.backlog.lock().flow = Flow::new(Some(peer));
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

    /// Waits until everything was written to the client, or the connection is closed. True if it was written.
    pub(super) async fn written(&self) -> bool {
        let mut pause = FIRST_RETRY;
        loop {
            {
                let backlog = self.backlog.lock();
                let all_written = backlog.items.is_empty() && backlog.flow.unsent() == 0 && !backlog.lost;
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

    fn put_or_log(&self, item: Item) {
        if self.put(item).is_err() {
            // Whoever asked has gone: there is nobody left to be told.
            debug!(conn.id = %self.socket.id, "not sent, the connection is closed");
        }
    }

    fn put(&self, item: Item) -> Result<(), Refused> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Refused);
        }
        let mut backlog = self.backlog.lock();
        if backlog.items.is_empty() {
            match self.hand_over(&mut backlog.flow, &item) {
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
        let bytes = backlog.bytes + item.bytes();
        if backlog.items.len() >= self.limits.max_frames || bytes > self.limits.max_bytes {
            drop(backlog);
            self.metrics.outbox_overflows.increment(1);
            warn!(conn.id = %self.socket.id, "closing a connection that does not read");
            self.close();
            return Err(Refused);
        }
        backlog.bytes = bytes;
        backlog.items.push_back(item);
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
            match self.hand_over(&mut backlog.flow, item) {
                Ok(()) => {
                    backlog.bytes -= item.bytes();
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

    fn hand_over(&self, flow: &mut Flow, item: &Item) -> Result<(), Stop> {
        if flow.unsent() > self.limits.window_bytes {
            return Err(Stop::Full);
        }
        let result = match item {
            Item::Event { name, json } => self.encoded(json, |value| match value {
                Encoded::Text(json) => {
                    flow.handed_over(name.len() + json.len() + r#"["",]"#.len());
                    self.socket.emit(name, &Raw(json))
                }
                Encoded::Value(value) => self.socket.emit(name, &value),
            }),
            Item::Ack { id, json } => {
                let Ok(ack) =
                    AckSender::from_message_parts(&self.socket, &mut Packet::Bytes(Default::default()), &Some(*id));
                self.encoded(json, |value| match value {
                    Encoded::Text(json) => {
                        flow.handed_over(id.to_string().len() + json.len() + "[]".len());
                        ack.send(&Raw(json))
                    }
                    Encoded::Value(value) => ack.send(&value),
                })
            }
        };
        match result {
            Ok(()) => Ok(()),
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Err(Stop::Full),
            Err(SendError::Socket(SocketError::Closed)) => Err(Stop::Closed),
            Err(SendError::Serialize(error)) => {
                // Our own JSON: a fault of the server. The rest of the conversation goes on.
                tracing::error!(%error, conn.id = %self.socket.id, "a frame could not be encoded and was left out");
                Ok(())
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

impl Port for Outbox {
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused> {
        self.put(Item::Event { name: frame.name, json: frame.json_for(to) })
    }

    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            loop {
                let emptied = self.emptied.notified();
                if self.backlog.lock().items.is_empty() || self.closed.load(Ordering::Acquire) {
                    return;
                }
                emptied.await;
            }
        })
    }

    /// Over a websocket the TCP connection is cut, since the library's own disconnect waits for a peer who may not
    /// read; the client notices and comes back. Over polling there is nothing to cut.
    fn close(&self) {
        let peer = self.backlog.lock().flow.peer().cloned();
        self.shut();
        match peer {
            Some(peer) if self.socket.transport_type() == TransportType::Websocket => peer.cut(),
            _ => {
                if let Err(error) = Arc::clone(&self.socket).disconnect() {
                    debug!(%error, conn.id = %self.socket.id, "the connection ends by its heartbeat");
                }
            }
        }
    }
}
