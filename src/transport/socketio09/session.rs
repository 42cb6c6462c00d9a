//! One client's session, whichever transport carries it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use super::incoming::Arrived;
use super::packet::{self, Ack, CONNECT, Kind as PacketKind, Packet};
use super::state::{Check, Phase, State, Turn, Written};
use super::times::Times;
use super::waiting::Sid;
use crate::chat::Ending;
use crate::chat::ids::UserId;
use crate::config::Config;
use crate::hub::{Frame, Port, Refused};
use crate::metrics::Metrics;
use crate::transport::crowd::Seat;
use crate::transport::inbox::Inbox;
use crate::transport::pace::Pace;
use crate::transport::queue::{Limits, Queue};
use crate::transport::websocket::End;
use crate::transport::{Name, Refusal, Way};

/// How long an end waits for the last packets to be written.
const LAST_WRITES: Duration = Duration::from_secs(1);
/// Requests of one session that may bring packets at the same time. Clients have one.
const POSTS_MAX: usize = 2;

/// A session that a client has opened.
pub(super) struct Session {
    pub(super) sid: Sid,
    pub(super) name: Name,
    pub(super) address: IpAddr,
    pub(super) inbox: Inbox<Arrived>,
    pub(super) pace: Option<Pace>,
    pub(super) posts: Semaphore,
    pub(super) times: Times,
    state: Mutex<State>,
    /// Something was sent, has arrived, or never will.
    progress: Notify,
    /// The clock must be looked at sooner than was planned.
    sooner: Notify,
    metrics: Arc<Metrics>,
    _seat: Seat,
}

/// A call that finds no room.
pub(super) type Refused09 = (Arrived, Refusal);

impl Session {
    pub(super) fn new(sid: Sid, seat: Seat, address: IpAddr, config: &Config, metrics: Arc<Metrics>) -> Self {
        Self {
            sid,
            name: Name::of("socketio09"),
            address,
            inbox: Inbox::new(config.inbox_max_commands, config.inbox_max_bytes),
            pace: Pace::of(config),
            posts: Semaphore::new(POSTS_MAX),
            times: Times::of(config),
            state: Mutex::new(State::new(Queue::new(Limits::of(config)))),
            progress: Notify::new(),
            sooner: Notify::new(),
            metrics,
            _seat: seat,
        }
    }

    /// What the session is doing. Whoever changes what waits or what is written calls [`progressed`](Self::progressed).
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn progressed(&self) {
        self.progress.notify_waiters();
    }

    /// Another transport has taken over: other times hold.
    pub(super) fn changed_transport(&self) {
        self.sooner.notify_one();
        self.progressed();
    }

    pub(super) fn is_shut(&self) -> bool {
        self.state().phase == Phase::Shut
    }

    /// A packet has come in, over a websocket if `over` is its turn. A call goes into the inbox.
    ///
    /// # Errors
    /// Gives a call back for which there is no room.
    pub(super) fn hear(&self, text: &str, over: Option<Turn>) -> Result<(), Refused09> {
        // Old server: what cannot be decoded, and what is for a namespace that is not there, is ignored.
        let Some(packet) = Packet::decode(text).filter(|packet| packet.endpoint.is_empty()) else {
            return Ok(());
        };
        if let Ack::Receipt(id) = packet.ack {
            self.put_or_log(packet::receipt(id));
        }
        match packet.kind {
            PacketKind::Disconnect => self.leave(),
            PacketKind::Connect => self.put_or_log(CONNECT.to_owned()),
            PacketKind::Heartbeat => {
                if over.is_some_and(|turn| self.state().heartbeat(turn, Instant::now(), &self.times)) {
                    self.sooner.notify_one();
                }
            }
            PacketKind::Event | PacketKind::Json => return self.inbox.put(Arrived::from(packet)),
            PacketKind::Other => {}
        }
        Ok(())
    }

    /// The client says goodbye: it is answered the same, and what it asked for before is carried out.
    pub(super) fn leave(&self) {
        self.state().leave();
        self.inbox.close(Ending::Orderly);
        self.progressed();
    }

    /// A websocket has ended, and the session with it if it was the one in use.
    pub(super) fn websocket_ended(&self, turn: Turn, end: End) {
        let mut state = self.state();
        if !state.is_current(turn) || (state.phase == Phase::Leaving && end == End::Ours) {
            return;
        }
        state.shut();
        drop(state);
        self.inbox.close(if end == End::Closed { Ending::Orderly } else { Ending::Broken });
        self.progressed();
    }

    /// Nothing is sent any more. The client comes back with a new session.
    pub(super) fn shut(&self) {
        self.state().shut();
        self.progressed();
    }

    /// Keeps the clock, as long as the session lives.
    pub(super) async fn watch(&self) -> Infallible {
        loop {
            let check = self.state().check(Instant::now(), &self.times);
            match check {
                Check::Until(at) => {
                    tokio::select! {
                        () = sleep_until(at) => {}
                        () = self.sooner.notified() => {}
                    }
                }
                Check::Expired => {
                    debug!(conn.id = %self.name, "a client has gone without a word");
                    self.close();
                    return std::future::pending().await;
                }
            }
        }
    }

    fn put_or_log(&self, packet: String) {
        if self.put(packet).is_err() {
            // Whoever asked has gone: there is nobody left to be told.
            debug!(conn.id = %self.name, "not sent, the connection is closed");
        }
    }

    fn put(&self, packet: String) -> Result<(), Refused> {
        let put = self.state().put(packet);
        match put {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused),
            Err(_) => {
                self.metrics.outbox_overflows.increment(1);
                warn!(conn.id = %self.name, "closing a connection that does not read");
                self.close();
                Err(Refused)
            }
        }
    }

    async fn all_written(&self) -> bool {
        loop {
            let progress = self.progress.notified();
            tokio::pin!(progress);
            // From here on nothing is missed.
            progress.as_mut().enable();
            let written = self.state().written();
            match written {
                Written::Yes => return true,
                Written::Never => return false,
                Written::NotYet => progress.await,
            }
        }
    }
}

impl Way for Session {
    fn emit(&self, event: &'static str, json: String) {
        self.put_or_log(packet::event(event, &json));
    }

    fn answer(&self, ack: i64, json: String) {
        self.put_or_log(packet::ack(ack, &json));
    }
}

impl Port for Session {
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused> {
        // One place for the text of all connections that a thread serves; the packet is made from it.
        thread_local!(static TEXT: RefCell<String> = const { RefCell::new(String::new()) });
        let packet = TEXT.with_borrow_mut(|json| {
            json.clear();
            frame.write_for(to, json);
            packet::event(frame.name, json)
        });
        self.put(packet)
    }

    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            loop {
                let progress = self.progress.notified();
                tokio::pin!(progress);
                progress.as_mut().enable();
                if self.state().has_room() {
                    return;
                }
                progress.await;
            }
        })
    }

    fn written(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async { timeout(LAST_WRITES, self.all_written()).await.unwrap_or(false) })
    }

    /// Without `0::`, after which a client stays away for good.
    fn close(&self) {
        {
            let mut state = self.state();
            state.shut();
            state.cut();
        }
        self.inbox.close(Ending::Broken);
        self.progressed();
    }
}
