//! From bytes to (event name, JSON, reply slot) and back. Nothing of chat is known here.
//!
//! A transport gives each connection a [`Link`] and asks the dialect to open a [`Session`] on it. It feeds the
//! session one [`Call`] after the other, in the order in which they came, and tells it when the connection ended.

pub mod admission;
mod balance;
pub mod crowd;
mod inbox;
pub mod jsonsocket;
mod name;
mod pace;
mod queue;
mod run;
pub mod socketio;
pub mod socketio09;
pub mod tcp;
pub mod tls;
mod websocket;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::chat::Ending;
use crate::hub::Port;
pub use name::Name;

/// What a client asks for.
pub struct Call {
    pub event: String,
    /// The first argument; `Null` if there is none.
    pub payload: Result<Value, Unreadable>,
    /// Where to answer, if the client gave a place.
    pub reply: Option<ReplySlot>,
}

/// The arguments are not JSON, or nested too deeply to be read at a bounded cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// The place for exactly one answer.
pub struct ReplySlot {
    way: Arc<dyn Way>,
    ack: i64,
}

impl ReplySlot {
    /// Answers with one JSON value.
    pub fn send(self, json: String) {
        self.way.answer(self.ack, json);
    }
}

/// Why a call is not even tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The client calls faster than it is served.
    TooFast,
    /// The connection is being closed.
    Closing,
}

/// The way back to a client: a bounded outbox, whatever the transport. Nothing here waits.
pub trait Way: Port {
    /// Sends an event with one JSON value. A transport that has no event names leaves the name out.
    fn emit(&self, event: &'static str, json: String);

    /// Answers the call that came with this number.
    fn answer(&self, ack: i64, json: String);
}

/// The connections of a transport, for the shutdown.
pub trait Connections: Send + Sync {
    /// Takes no more calls in.
    fn close_inboxes(&self);

    /// Whether all sessions have ended.
    fn is_quiet(&self) -> bool;

    /// Ends every connection at once.
    fn cut(&self);

    /// How many connections there are over which transport.
    fn count(&self) -> Vec<(&'static str, usize)>;

    /// How long something may have been given to a connection that was dead already before that is noticed. Zero as
    /// long as there is no connection.
    fn unnoticed(&self) -> Duration;
}

/// One client's connection, as its session sees it.
#[derive(Clone)]
pub struct Link {
    way: Arc<dyn Way>,
    /// Where the client is, behind trusted proxies too.
    pub address: IpAddr,
    /// What this connection is called in logs.
    pub name: Name,
    /// The client speaks Socket.IO 0.9.
    pub is_09: bool,
}

impl Link {
    /// Sends JSON over a transport that has no event names.
    pub fn send(&self, json: String) {
        self.emit("", json);
    }

    /// Sends an event with one JSON value.
    pub fn emit(&self, event: &'static str, json: String) {
        self.way.emit(event, json);
    }

    /// Waits a while until everything was written to the client. False if it was not, or the connection broke before.
    pub async fn written(&self) -> bool {
        self.way.written().await
    }

    /// The outbox, for the hub.
    pub fn port(&self) -> Arc<dyn Port> {
        Arc::clone(&self.way) as Arc<dyn Port>
    }
}

/// Speaks with the clients of one kind.
pub trait Dialect: Send + Sync + 'static {
    type Session: Session;

    /// A client has connected.
    fn open(&self, link: Link) -> Self::Session;

    /// A call is not tried: say so. Must not wait.
    fn refuse(&self, link: &Link, call: Call, why: Refusal);
}

/// What is still to be done for a call, mostly waiting, without its session.
pub type Rest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One client's conversation with the server.
pub trait Session: Send + 'static {
    /// Carries out a call. The next one waits for it, and for the rest of it if there is one and
    /// [`overtakes`](Self::overtakes) does not say otherwise. The rests themselves are run in the order of their calls.
    fn call(&mut self, call: Call) -> impl Future<Output = Option<Rest>> + Send;

    /// Whether a call may begin before the rest of the ones before it is done.
    fn overtakes(&self, _call: &Call) -> bool {
        false
    }

    /// How long to wait for the next call before the connection is ended; for ever if none.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// The connection is gone.
    fn close(self, ending: Ending) -> impl Future<Output = ()> + Send;
}
