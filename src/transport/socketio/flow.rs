//! How much of what was handed to the library has not reached the kernel yet.
//!
//! The library tells nothing about its buffer. But our TCP stream counts what is written to it, and the size of a
//! websocket frame is known, so the difference is what still waits. Heartbeats, a few bytes in half a minute, are
//! written too; the count starts anew whenever nothing waits, so they do not add up.

use crate::transport::tcp::Peer;

/// The account of one websocket. Without one (polling) nothing is known and nothing is said to wait.
#[derive(Default)]
pub(super) struct Flow {
    peer: Option<Peer>,
    written_before: u64,
    handed_over: u64,
}

impl Flow {
    pub(super) fn new(peer: Option<Peer>) -> Self {
        let written_before = peer.as_ref().map(Peer::written).unwrap_or_default();
        Self { peer, written_before, handed_over: 0 }
    }

    /// The other end of the websocket.
    pub(super) fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// Bytes that wait to be written.
    pub(super) fn unsent(&self) -> u64 {
        let Some(peer) = &self.peer else {
            return 0;
        };
        self.handed_over.saturating_sub(peer.written().saturating_sub(self.written_before))
    }

    /// Notes a packet with `payload` bytes of text after the Engine.IO and Socket.IO types.
    pub(super) fn handed_over(&mut self, payload: usize) {
        let Some(peer) = &self.peer else {
            return;
        };
        if self.unsent() == 0 {
            self.written_before = peer.written();
            self.handed_over = 0;
        }
        self.handed_over += frame_bytes(payload + 2) as u64;
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
