//! How much of what was handed to the library has not reached the client's side yet.
//!
//! The library tells nothing about its buffer, so it is watched from outside. Over a websocket, our TCP stream counts
//! what is written to it and the size of a frame is known: the difference is what still waits. Heartbeats, a few
//! bytes in half a minute, are written too; the count starts anew whenever nothing waits, so they do not add up.
//! Over polling, a client that asks again has got the answer before.

use crate::transport::balance::AHEAD_MAX_BYTES;
use crate::transport::tcp::Peer;

/// The account of one connection.
pub(super) enum Flow {
    Polling {
        /// Requests that have asked for packets so far, and how many of them wait for some.
        begun: u64,
        waiting: u64,
        /// The request that proves that the latest packet has arrived.
        proof: u64,
        /// Bytes that were brought since a request has asked for packets.
        posted: u64,
        peer: Option<Peer>,
        /// The websocket to which the connection is about to move.
        next: Option<Peer>,
    },
    Websocket {
        peer: Peer,
        written_before: u64,
        handed_over: u64,
    },
}

impl Flow {
    pub(super) fn websocket(peer: Peer) -> Self {
        Self::Websocket { written_before: peer.written(), peer, handed_over: 0 }
    }

    /// The TCP connection that carries packets to the client, as far as there is one now. That of a poll which is over
    /// may serve somebody else: browsers and proxies keep connections and use them again.
    pub(super) fn peer(&self) -> Option<&Peer> {
        match self {
            Self::Polling { peer, waiting, .. } => peer.as_ref().filter(|_| *waiting > 0),
            Self::Websocket { peer, .. } => Some(peer),
        }
    }

    /// Bytes that wait to be written; over polling 1 while the latest packet is not known to have arrived.
    pub(super) fn unsent(&self) -> u64 {
        match self {
            Self::Polling { begun, proof, .. } => u64::from(begun < proof),
            Self::Websocket { peer, written_before, handed_over } => {
                handed_over.saturating_sub(peer.written().saturating_sub(*written_before))
            }
        }
    }

    /// Notes a packet that is about to be handed over, with `payload` bytes of text after the Engine.IO and Socket.IO
    /// types. Before and not after: it may be on its way before the library returns.
    pub(super) fn hand_over(&mut self, payload: usize) {
        let nothing_waits = self.unsent() == 0;
        match self {
            // A waiting request is answered at once, and the next one proves it; otherwise the next one is the answer.
            Self::Polling { begun, waiting, proof, .. } => *proof = *begun + if *waiting > 0 { 1 } else { 2 },
            Self::Websocket { peer, written_before, handed_over } => {
                if nothing_waits {
                    *written_before = peer.written();
                    *handed_over = 0;
                }
                *handed_over += frame_bytes(payload + 2) as u64;
            }
        }
    }

    /// The library did not take it.
    pub(super) fn take_back(&mut self, payload: usize) {
        if let Self::Websocket { handed_over, .. } = self {
            *handed_over = handed_over.saturating_sub(frame_bytes(payload + 2) as u64);
        }
    }

    /// A websocket is being prepared. Until it takes over, packets go on being fetched by polling.
    pub(super) fn upgrading(&mut self, to: Peer) {
        if let Self::Polling { next, .. } = self {
            *next = Some(to);
        }
    }

    /// The websocket has taken over. A last poll may still wait for its answer, and get what is handed over now.
    pub(super) fn upgraded(&mut self) {
        if let Self::Polling { waiting: 0, next, .. } = self
            && let Some(peer) = next.take()
        {
            *self = Self::websocket(peer);
        }
    }

    /// A polling request came over `from` to fetch packets.
    pub(super) fn poll_began(&mut self, from: &Peer) {
        if let Self::Polling { begun, waiting, posted, peer, .. } = self {
            *posted = 0;
            *begun += 1;
            *waiting += 1;
            *peer = Some(from.clone());
        }
    }

    /// Whether so many bytes may be brought. Over a websocket the TCP connection itself says how much.
    pub(super) fn may_post(&mut self, bytes: u64) -> bool {
        match self {
            Self::Polling { waiting: 0, posted, .. } => {
                let may = *posted <= AHEAD_MAX_BYTES as u64;
                *posted = posted.saturating_add(bytes);
                may
            }
            _ => true,
        }
    }

    /// It was answered, or given up.
    pub(super) fn poll_ended(&mut self) {
        if let Self::Polling { waiting, .. } = self {
            *waiting = waiting.saturating_sub(1);
        }
    }
}

impl Default for Flow {
    /// Every connection begins with polling, or turns out to have a websocket from the start.
    fn default() -> Self {
        Self::Polling { begun: 0, waiting: 0, proof: 0, posted: 0, peer: None, next: None }
    }
}

/// A websocket frame from a server: RFC 6455, without a mask.
fn frame_bytes(payload: usize) -> usize {
    let header = match payload {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    header + payload
}
