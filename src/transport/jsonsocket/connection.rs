//! One connection: what waits to be sent, and how it stands with it.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tracing::{debug, warn};

use super::clock::{Clock, Tick};
use crate::chat::Ending;
use crate::chat::ids::UserId;
use crate::config::Config;
use crate::hub::{Frame, Port, Refused};
use crate::metrics::Metrics;
use crate::transport::inbox::{Inbox, Incoming};
use crate::transport::pace::Pace;
use crate::transport::queue::{Limits, Queue};
use crate::transport::tcp::Peer;
use crate::transport::websocket::{Batch, End};
use crate::transport::{Call, Name, Unreadable, Way};

/// How long an end waits for the last frames to be written.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// A frame as it came in, not decoded yet. A copy: the frame itself lies in the socket's buffer.
pub(super) struct Arrived(Box<[u8]>);

impl From<Message> for Arrived {
    fn from(message: Message) -> Self {
        Self(message.into_data().as_ref().into())
    }
}

impl Incoming for Arrived {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl Arrived {
    /// The decoder refuses what is nested deeper than 128 levels.
    pub(super) fn into_call(self) -> Call {
        let payload = serde_json::from_slice(&self.0).map_err(|_| Unreadable);
        Call { event: String::new(), payload, reply: None }
    }
}

/// A connection's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more is put in; what waits is written, and then the socket closed.
    Leaving,
    /// Nothing is sent any more.
    Shut,
}

pub(super) struct Connection {
    pub(super) name: Name,
    pub(super) address: IpAddr,
    pub(super) inbox: Inbox<Arrived>,
    pub(super) pace: Option<Pace>,
    /// There is something for the task that talks.
    pub(super) wake: Notify,
    peer: Peer,
    state: Mutex<State>,
    /// Something was written, or never will be.
    progress: Notify,
    metrics: Arc<Metrics>,
}

struct State {
    phase: Phase,
    queue: Queue,
    clock: Clock,
    must_ping: bool,
    /// The session has ended.
    is_over: bool,
    /// Frames are with the socket that the kernel has not taken.
    is_writing: bool,
    /// Something was accepted for the client and dropped.
    is_lost: bool,
}

impl Connection {
    pub(super) fn new(
        name: Name,
        address: IpAddr,
        peer: Peer,
        clock: Clock,
        config: &Config,
        metrics: Arc<Metrics>,
    ) -> Self {
        let queue = Queue::new(Limits::of(config));
        let state = State {
            phase: Phase::Open,
            queue,
            clock,
            must_ping: false,
            is_over: false,
            is_writing: false,
            is_lost: false,
        };
        Self {
            name,
            address,
            inbox: Inbox::new(config.inbox_max_commands, config.inbox_max_bytes),
            pace: Pace::of(config),
            wake: Notify::new(),
            peer,
            state: Mutex::new(state),
            progress: Notify::new(),
            metrics,
        }
    }

    pub(super) fn set_clock_back(&self) {
        self.state.lock().clock.set_back(Instant::now());
    }

    pub(super) fn clock_is_due(&self) -> Instant {
        self.state.lock().clock.due()
    }

    pub(super) fn look_at_clock(&self) {
        let tick = self.state.lock().clock.tick(Instant::now());
        match tick {
            Tick::Nothing => {}
            Tick::Ping => self.state.lock().must_ping = true,
            Tick::Expired => {
                debug!(conn.id = %self.name, "a client has gone without a word");
                self.close();
            }
        }
    }

    /// Puts what waits into the batch.
    pub(super) fn fill(&self, batch: &mut Batch) -> ControlFlow<()> {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.must_ping) {
            batch.ping();
        }
        while !batch.is_full()
            && let Some(frame) = state.queue.pop()
        {
            batch.text(&frame);
            state.is_writing = true;
        }
        let is_last = state.phase == Phase::Leaving && state.queue.is_empty();
        drop(state);
        self.progress.notify_waiters();
        if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    pub(super) fn wrote(&self) {
        self.state.lock().is_writing = false;
        self.progress.notify_waiters();
    }

    pub(super) fn is_shut(&self) -> bool {
        self.state.lock().phase == Phase::Shut
    }

    /// Whether the client's session has ended.
    pub(super) fn is_over(&self) -> bool {
        self.state.lock().is_over
    }

    /// The session has ended: the socket is closed after what waits.
    pub(super) fn leave(&self) {
        let mut state = self.state.lock();
        state.is_over = true;
        if state.phase == Phase::Open {
            state.phase = Phase::Leaving;
        }
        drop(state);
        self.wake.notify_one();
    }

    /// The websocket has ended.
    pub(super) fn has_ended(&self, end: End) {
        self.shut();
        self.inbox.close(if end == End::Closed { Ending::Orderly } else { Ending::Broken });
    }

    fn shut(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Shut;
        state.is_lost |= state.is_writing || !state.queue.is_empty();
        state.queue.take();
        drop(state);
        self.wake.notify_one();
        self.progress.notify_waiters();
    }

    fn put(&self, frame: String) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return Err(Refused);
        }
        let put = state.queue.push(frame);
        drop(state);
        if put.is_err() {
            self.metrics.outbox_overflows.increment(1);
            warn!(conn.id = %self.name, "closing a connection that does not read");
            self.close();
            return Err(Refused);
        }
        self.wake.notify_one();
        Ok(())
    }

    fn put_or_log(&self, frame: String) {
        if self.put(frame).is_err() {
            // Whoever asked has gone: there is nobody left to be told.
            debug!(conn.id = %self.name, "not sent, the connection is closed");
        }
    }

    /// Waits for `reached`, which is looked at after each progress.
    async fn wait_for<T>(&self, reached: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let progress = self.progress.notified();
            tokio::pin!(progress);
            // From here on nothing is missed.
            progress.as_mut().enable();
            let answer = reached(&self.state.lock());
            match answer {
                Some(answer) => return answer,
                None => progress.await,
            }
        }
    }
}

impl Way for Connection {
    fn emit(&self, _event: &'static str, json: String) {
        self.put_or_log(json);
    }

    fn answer(&self, _ack: i64, json: String) {
        self.put_or_log(json);
    }
}

impl Port for Connection {
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused> {
        let mut json = String::new();
        frame.write_for(to, &mut json);
        self.put(json)
    }

    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let has_room = |state: &State| (state.phase != Phase::Open || state.queue.has_room()).then_some(());
        Box::pin(self.wait_for(has_room))
    }

    fn written(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        let is_written = |state: &State| {
            let is_done = state.queue.is_empty() && !state.is_writing;
            if state.is_lost || state.phase == Phase::Shut { Some(!state.is_lost) } else { is_done.then_some(true) }
        };
        Box::pin(async move { timeout(LAST_WRITES, self.wait_for(is_written)).await.unwrap_or(false) })
    }

    fn close(&self) {
        self.shut();
        self.peer.cut();
        self.inbox.close(Ending::Broken);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_frame_is_read_or_unreadable(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
            for frame in [Message::binary(bytes), Message::text(text.clone()), Message::text(format!("[{text}"))] {
                let call = Arrived::from(frame).into_call();
                prop_assert!(call.event.is_empty() && call.reply.is_none());
            }
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let payload = |depth: usize| {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            Arrived::from(Message::text(text)).into_call().payload
        };
        assert!(payload(100).is_ok());
        assert_eq!(payload(30_000), Err(Unreadable));
    }
}
