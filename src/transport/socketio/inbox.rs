//! What a client has sent and nobody has looked at yet: bounded, in order.

use std::collections::VecDeque;

use parking_lot::Mutex;
use socketioxide_core::Value as Packet;
use tokio::sync::Notify;

use crate::chat::Ending;
use crate::transport::Refusal;

/// Queues that were long are given back when they are empty.
const KEPT_CAPACITY: usize = 32;

/// An event as it came in, not decoded yet.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) packet: Packet,
    pub(super) ack: Option<i64>,
}

/// A connection's queue. Filled by the reader's task without waiting, drained by the connection's own task.
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
    max_calls: usize,
    max_bytes: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Incoming>,
    bytes: usize,
    ended: Option<Ending>,
}

impl Inbox {
    pub(super) fn new(max_calls: usize, max_bytes: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), max_calls, max_bytes }
    }

    /// Puts an event in.
    ///
    /// # Errors
    /// Gives it back if there is no room for it, or the inbox is closed.
    pub(super) fn put(&self, incoming: Incoming) -> Result<(), (Incoming, Refusal)> {
        let mut state = self.state.lock();
        let bytes = state.bytes + incoming.packet.len();
        let is_full = state.queue.len() >= self.max_calls || (bytes > self.max_bytes && !state.queue.is_empty());
        if state.ended.is_some() {
            return Err((incoming, Refusal::Closing));
        }
        if is_full {
            return Err((incoming, Refusal::TooFast));
        }
        state.bytes = bytes;
        state.queue.push_back(incoming);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes nothing more in. What is in it already is still handed out.
    pub(super) fn close(&self, ending: Ending) {
        self.state.lock().ended.get_or_insert(ending);
        self.changed.notify_one();
    }

    /// The next event; after the last one, how the connection ended.
    pub(super) async fn next(&self) -> Result<Incoming, Ending> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(incoming) = state.queue.pop_front() {
                    state.bytes -= incoming.packet.len();
                    return Ok(incoming);
                }
                if let Some(ending) = state.ended {
                    return Err(ending);
                }
                if state.queue.capacity() > KEPT_CAPACITY {
                    state.queue = VecDeque::new();
                }
            }
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(text: &str) -> Incoming {
        Incoming { packet: Packet::Str(text.to_owned().into(), None), ack: None }
    }

    #[tokio::test]
    async fn it_hands_out_in_order_and_then_the_ending() {
        let inbox = Inbox::new(10, 1000);
        for text in ["a", "b"] {
            inbox.put(incoming(text)).unwrap();
        }
        inbox.close(Ending::Broken);
        inbox.close(Ending::Orderly);
        assert!(inbox.put(incoming("c")).is_err());
        for text in ["a", "b"] {
            assert_eq!(inbox.next().await.unwrap().packet, incoming(text).packet);
        }
        assert_eq!(inbox.next().await.unwrap_err(), Ending::Broken);
    }

    #[test]
    fn it_is_bounded_in_number_and_size() {
        let inbox = Inbox::new(2, 1000);
        assert!((0..3).map(|_| inbox.put(incoming("a"))).filter(Result::is_ok).count() == 2);
        let inbox = Inbox::new(10, 5);
        // A single large one is let in: its size is the frame's limit.
        assert!(inbox.put(incoming("0123456789")).is_ok());
        assert!(inbox.put(incoming("0")).is_err());
    }
}
