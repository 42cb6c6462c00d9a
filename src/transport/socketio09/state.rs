//! What a session is doing: the packets that wait, the transport that carries them, and how it stands with it.
//!
//! Time and wakers come from outside, so all of this can be tried without a socket.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::packet::{CONNECT, DISCONNECT, HEARTBEAT};
use super::times::Times;
use crate::transport::queue::{Overrun, Queue};
use crate::transport::tcp::Peer;

/// A session's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// The client has said goodbye and is answered the same, after what waits.
    Leaving,
    /// Nothing is sent any more.
    Shut,
}

/// The polling transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Xhr,
    Jsonp,
}

/// Which of a session's requests or websockets it is: the newest one has the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn(u64);

/// What carries the packets now.
enum Carrier {
    None,
    Polling {
        kind: Kind,
        turn: Turn,
        wake: Arc<Notify>,
        is_open: bool,
        /// Packets went out with the last answer. The next request proves that they arrived.
        is_unproven: bool,
        idle_since: Instant,
    },
    Websocket {
        turn: Turn,
        wake: Arc<Notify>,
        peer: Peer,
        /// Packets are with the socket that the kernel has not taken.
        is_writing: bool,
        /// A heartbeat waits for its answer.
        is_asked: bool,
        /// When the next heartbeat is due, or its answer.
        due: Instant,
    },
}

/// What a poll is answered with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Packets(Vec<String>),
    /// A newer poll or transport has taken over, or nothing came.
    Nothing,
    /// The session is over: come back with a new one.
    Over,
}

/// What the clock says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    Until(Instant),
    /// The client is gone.
    Expired,
}

/// Whether the client has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    NotYet,
    Never,
}

pub(super) struct State {
    pub(super) phase: Phase,
    queue: Queue,
    carrier: Carrier,
    turns: u64,
    /// A websocket that was replaced. Closing it would make a client that has moved on reconnect, so it stays and is
    /// not listened to.
    retired: Option<(Peer, Arc<Notify>)>,
    /// The client has said goodbye, and something is there to carry the answer, which it has not taken yet.
    owes_goodbye: bool,
    /// Something was accepted for the client and dropped.
    lost: bool,
}

impl State {
    pub(super) fn new(queue: Queue) -> Self {
        let (turns, owes_goodbye, lost) = (0, false, false);
        Self { phase: Phase::Open, queue, carrier: Carrier::None, turns, retired: None, owes_goodbye, lost }
    }

    /// Puts a packet into the queue. False if the session takes none any more.
    pub(super) fn put(&mut self, packet: String) -> Result<bool, Overrun> {
        if self.phase != Phase::Open {
            return Ok(false);
        }
        self.queue.push(packet)?;
        self.wake();
        Ok(true)
    }

    /// The client keeps up, or will get nothing more anyway.
    pub(super) fn has_room(&self) -> bool {
        self.phase != Phase::Open || self.queue.has_room()
    }

    fn wake(&self) {
        match &self.carrier {
            Carrier::Polling { wake, .. } | Carrier::Websocket { wake, .. } => wake.notify_one(),
            Carrier::None => {}
        }
    }

    fn next_turn(&mut self) -> Turn {
        self.turns += 1;
        Turn(self.turns)
    }

    pub(super) fn is_current(&self, turn: Turn) -> bool {
        match &self.carrier {
            Carrier::Polling { turn: current, .. } | Carrier::Websocket { turn: current, .. } => *current == turn,
            Carrier::None => false,
        }
    }

    /// A poll has come: it takes over from whatever carried the packets before. On a transport that is new to the
    /// session, `1::` comes first.
    pub(super) fn begin_poll(&mut self, kind: Kind, now: Instant) -> (Turn, Arc<Notify>) {
        let (turn, wake) = (self.next_turn(), Arc::<Notify>::default());
        self.wake();
        if !matches!(&self.carrier, Carrier::Polling { kind: current, .. } if *current == kind) {
            self.retire();
            self.queue.push_first(CONNECT);
        }
        self.carrier = Carrier::Polling {
            kind,
            turn,
            wake: Arc::clone(&wake),
            is_open: true,
            is_unproven: false,
            idle_since: now,
        };
        (turn, wake)
    }

    /// What there is for a poll; nothing if it has to wait.
    pub(super) fn answer_poll(&mut self, turn: Turn, now: Instant) -> Option<Answer> {
        if self.phase == Phase::Shut {
            return Some(Answer::Over);
        }
        let Carrier::Polling { turn: current, is_open, is_unproven, idle_since, .. } = &mut self.carrier else {
            return Some(Answer::Nothing);
        };
        if *current != turn {
            return Some(Answer::Nothing);
        }
        if self.queue.is_empty() && self.phase == Phase::Open {
            return None;
        }
        *is_open = false;
        *idle_since = now;
        *is_unproven |= !self.queue.is_empty();
        let mut packets = self.queue.take();
        if self.phase == Phase::Leaving {
            packets.push(DISCONNECT.to_owned());
            self.owes_goodbye = false;
        }
        Some(Answer::Packets(packets))
    }

    /// A poll has ended, answered with nothing or not at all.
    pub(super) fn end_poll(&mut self, ended: Turn, now: Instant) {
        if let Carrier::Polling { turn, is_open: is_open @ true, idle_since, .. } = &mut self.carrier
            && *turn == ended
        {
            *is_open = false;
            *idle_since = now;
            self.owes_goodbye = false;
        }
    }

    /// A websocket was opened for the session.
    pub(super) fn begin_websocket(&mut self, peer: Peer, now: Instant, times: &Times) -> (Turn, Arc<Notify>) {
        let (turn, wake) = (self.next_turn(), Arc::<Notify>::default());
        self.wake();
        self.retire();
        self.queue.push_first(CONNECT);
        self.carrier = Carrier::Websocket {
            turn,
            wake: Arc::clone(&wake),
            peer,
            is_writing: false,
            is_asked: false,
            due: now + times.interval,
        };
        (turn, wake)
    }

    fn retire(&mut self) {
        if let Carrier::Websocket { peer, wake, is_writing, .. } = std::mem::replace(&mut self.carrier, Carrier::None) {
            self.lost |= is_writing;
            if let Some((peer, _)) = self.retired.replace((peer, wake)) {
                peer.cut();
            }
        }
    }

    /// The next packet for a websocket, if it is the one in use.
    pub(super) fn next_packet(&mut self, asking: Turn) -> Option<String> {
        match &mut self.carrier {
            Carrier::Websocket { turn, is_writing, .. } if *turn == asking => {
                let packet = self.queue.pop()?;
                *is_writing = true;
                Some(packet)
            }
            _ => None,
        }
    }

    /// Whether a websocket, with nothing else to send, is to send the goodbye now.
    pub(super) fn take_goodbye(&mut self, asking: Turn) -> bool {
        match &mut self.carrier {
            Carrier::Websocket { turn, is_writing, .. } if *turn == asking && self.phase == Phase::Leaving => {
                *is_writing = true;
                self.owes_goodbye = false;
                true
            }
            _ => false,
        }
    }

    /// Everything that a websocket was given is written.
    pub(super) fn wrote(&mut self, writer: Turn) {
        if let Carrier::Websocket { turn, is_writing, .. } = &mut self.carrier
            && *turn == writer
        {
            *is_writing = false;
        }
    }

    /// A heartbeat was answered over a websocket. True if that changes when to look again.
    pub(super) fn heartbeat(&mut self, hearer: Turn, now: Instant, times: &Times) -> bool {
        match &mut self.carrier {
            Carrier::Websocket { turn, is_asked, due, .. } if *turn == hearer => {
                *due = now + times.interval;
                std::mem::take(is_asked)
            }
            _ => false,
        }
    }

    /// Looks at the clock: sends heartbeats, misses answers and polls.
    pub(super) fn check(&mut self, now: Instant, times: &Times) -> Check {
        match &mut self.carrier {
            Carrier::Polling { is_open: true, .. } => Check::Until(now + times.timeout),
            Carrier::Polling { idle_since, .. } => {
                let end = *idle_since + times.timeout;
                if now < end { Check::Until(end) } else { Check::Expired }
            }
            Carrier::Websocket { due, .. } if now < *due => Check::Until(*due),
            Carrier::Websocket { is_asked: true, .. } => Check::Expired,
            Carrier::Websocket { is_asked, due, .. } => {
                *is_asked = true;
                *due = now + times.timeout;
                let due = *due;
                match self.put(HEARTBEAT.to_owned()) {
                    Ok(_) => Check::Until(due),
                    Err(Overrun) => Check::Expired,
                }
            }
            Carrier::None => Check::Until(now + times.timeout),
        }
    }

    /// The client has said goodbye.
    pub(super) fn leave(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Leaving;
            self.owes_goodbye =
                matches!(self.carrier, Carrier::Polling { is_open: true, .. } | Carrier::Websocket { .. });
            self.wake();
        }
    }

    /// The session ends. What waits is dropped, and whatever carries packets is told to stop.
    pub(super) fn shut(&mut self) {
        self.phase = Phase::Shut;
        self.lost |= self.written() != Written::Yes;
        self.queue.take();
        self.wake();
        if let Some((_, wake)) = self.retired.take() {
            wake.notify_one();
        }
    }

    /// Ends a websocket's TCP connection, or what is left of it.
    pub(super) fn cut(&self) {
        if let Carrier::Websocket { peer, .. } = &self.carrier {
            peer.cut();
        }
    }

    pub(super) fn written(&self) -> Written {
        let (is_pending, may_go_on) = match &self.carrier {
            Carrier::None => (false, false),
            // Who has said goodbye over polling does not poll again.
            Carrier::Polling { is_unproven, .. } => (*is_unproven, self.phase == Phase::Open),
            Carrier::Websocket { is_writing, .. } => (*is_writing, true),
        };
        if self.owes_goodbye && self.phase == Phase::Leaving {
            Written::NotYet
        } else if !self.lost && self.queue.is_empty() && !is_pending {
            Written::Yes
        } else if self.lost || !may_go_on || self.phase == Phase::Shut {
            Written::Never
        } else {
            Written::NotYet
        }
    }

    /// `websocket09` or `xhr09`, for the figures.
    pub(super) fn transport(&self) -> &'static str {
        match &self.carrier {
            Carrier::Websocket { .. } => "websocket09",
            Carrier::Polling { kind: Kind::Jsonp, .. } => "jsonp09",
            Carrier::Polling { .. } | Carrier::None => "xhr09",
        }
    }
}
