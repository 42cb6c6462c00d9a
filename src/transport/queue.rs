//! Packets that wait for a transport to carry them: bounded in number and bytes, in order.

use std::collections::VecDeque;

use crate::config::Config;

/// Queues that were long are given back when they are empty.
const KEPT_CAPACITY: usize = 32;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Up to here the client is taken to keep up, and more is read from the store for it.
    window_packets: usize,
    window_bytes: usize,
    max_packets: usize,
    max_bytes: usize,
}

impl Limits {
    /// The same as for Engine.IO, where a part of it is the library's own buffer.
    pub(super) fn of(config: &Config) -> Self {
        let window_bytes = usize::try_from(config.socket_buffer_bytes).unwrap_or(usize::MAX);
        Self {
            window_packets: config.socket_buffer_packets,
            window_bytes,
            max_packets: config.socket_buffer_packets.saturating_add(config.outbox_max_frames),
            max_bytes: window_bytes.saturating_add(config.outbox_max_bytes),
        }
    }
}

/// The client does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overrun;

/// What waits.
#[derive(Debug)]
pub(super) struct Queue {
    packets: VecDeque<String>,
    bytes: usize,
    limits: Limits,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self { packets: VecDeque::new(), bytes: 0, limits }
    }

    /// Puts a packet behind the others. A single one may have any size.
    ///
    /// # Errors
    /// [`Overrun`] if too much waits already.
    pub(super) fn push(&mut self, packet: String) -> Result<(), Overrun> {
        let bytes = self.bytes + packet.len();
        if !self.packets.is_empty() && (self.packets.len() >= self.limits.max_packets || bytes > self.limits.max_bytes)
        {
            return Err(Overrun);
        }
        self.bytes = bytes;
        self.packets.push_back(packet);
        Ok(())
    }

    /// Puts a packet before the others, once per change of the transport.
    pub(super) fn push_first(&mut self, packet: &str) {
        self.bytes += packet.len();
        self.packets.push_front(packet.to_owned());
    }

    pub(super) fn pop(&mut self) -> Option<String> {
        let packet = self.packets.pop_front();
        self.bytes -= packet.as_ref().map_or(0, String::len);
        if self.packets.is_empty() && self.packets.capacity() > KEPT_CAPACITY {
            self.packets = VecDeque::new();
        }
        packet
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        self.bytes = 0;
        std::mem::take(&mut self.packets).into()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Whether the client keeps up.
    pub(super) fn has_room(&self) -> bool {
        self.packets.len() <= self.limits.window_packets && self.bytes <= self.limits.window_bytes
    }
}

#[cfg(test)]
impl Limits {
    /// Of packets, with as many bytes as they may have.
    pub(super) fn small(window_packets: usize, max_packets: usize) -> Self {
        Self { window_packets, window_bytes: 100, max_packets, max_bytes: 1000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_in_number_and_bytes_and_in_order() {
        let mut queue = Queue::new(Limits::small(2, 3));
        queue.push("x".repeat(5000)).unwrap();
        assert!(!queue.has_room());
        assert_eq!(queue.push("a".to_owned()), Err(Overrun));
        assert_eq!(queue.pop().map(|packet| packet.len()), Some(5000));
        for packet in ["a", "b", "c"] {
            assert!(queue.has_room());
            queue.push(packet.to_owned()).unwrap();
        }
        assert!(!queue.has_room());
        assert_eq!(queue.push("d".to_owned()), Err(Overrun));
        queue.push_first("1::");
        assert_eq!(queue.pop().as_deref(), Some("1::"));
        assert_eq!(queue.take(), ["a", "b", "c"]);
        assert_eq!((queue.pop(), queue.bytes), (None, 0));
    }
}
