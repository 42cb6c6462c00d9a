//! What a client has sent and nobody has looked at yet: bounded, in order.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Refusal;
use crate::chat::Ending;

/// Queues that were long are given back when they are empty.
const KEPT_CAPACITY: usize = 32;

/// Something as it came in, not decoded yet.
pub(super) trait Incoming {
    /// How much room it takes.
    fn bytes(&self) -> usize;
}

/// A connection's queue. Filled by the reader's task without waiting, drained by the connection's own task.
pub(super) struct Inbox<T> {
    state: Mutex<State<T>>,
    changed: Notify,
    max_calls: usize,
    max_bytes: usize,
}

struct State<T> {
    queue: VecDeque<T>,
    bytes: usize,
    ended: Option<Ending>,
}

impl<T: Incoming> Inbox<T> {
    pub(super) fn new(max_calls: usize, max_bytes: usize) -> Self {
        let state = State { queue: VecDeque::new(), bytes: 0, ended: None };
        Self { state: Mutex::new(state), changed: Notify::new(), max_calls, max_bytes }
    }

    /// Puts an event in.
    ///
    /// # Errors
    /// Gives it back if there is no room for it, or the inbox is closed.
    pub(super) fn put(&self, incoming: T) -> Result<(), (T, Refusal)> {
        let mut state = self.state.lock();
        let bytes = state.bytes + incoming.bytes();
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
    pub(super) async fn next(&self) -> Result<T, Ending> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(incoming) = state.queue.pop_front() {
                    state.bytes -= incoming.bytes();
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

    impl Incoming for &str {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    #[tokio::test]
    async fn it_hands_out_in_order_and_then_the_ending() {
        let inbox = Inbox::new(10, 1000);
        for text in ["a", "b"] {
            inbox.put(text).unwrap();
        }
        inbox.close(Ending::Broken);
        inbox.close(Ending::Orderly);
        assert!(inbox.put("c").is_err());
        for text in ["a", "b"] {
            assert_eq!(inbox.next().await.unwrap(), text);
        }
        assert_eq!(inbox.next().await.unwrap_err(), Ending::Broken);
    }

    #[test]
    fn it_is_bounded_in_number_and_size() {
        let inbox = Inbox::new(2, 1000);
        assert!((0..3).map(|_| inbox.put("a")).filter(Result::is_ok).count() == 2);
        let inbox = Inbox::new(10, 5);
        // A single large one is let in: its size is the frame's limit.
        assert!(inbox.put("0123456789").is_ok());
        assert!(inbox.put("0").is_err());
    }
}
