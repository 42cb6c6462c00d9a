//! Whoever does not take what is said to them is not listened to without end.
//!
//! Nearly everything that a client sends is answered. If the answers wait, the next ones wait behind them, in memory:
//! some of them in buffers of libraries that are bounded in packets only, and a packet may be large. So what is read
//! while a write waits is counted against what is written, and past a limit reading waits for writing.

use std::task::{Context, Poll, Waker};

/// What is read ahead of writing. More than any client sends that reads as well.
pub(super) const AHEAD_MAX_BYTES: usize = 1 << 20;

/// One connection's.
#[derive(Debug, Default)]
pub(super) struct Balance {
    /// A write waits.
    is_stalled: bool,
    ahead: usize,
    reader: Option<Waker>,
}

impl Balance {
    /// Resolves when there may be a read.
    pub(super) fn poll_may_read(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.is_stalled && self.ahead >= AHEAD_MAX_BYTES {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    pub(super) fn read(&mut self, bytes: usize) {
        if self.is_stalled {
            self.ahead += bytes;
        }
    }

    /// The kernel takes nothing.
    pub(super) fn stalled(&mut self) {
        self.is_stalled = true;
    }

    /// Some bytes are written, or a write has failed: whoever reads shall see it, too.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.is_stalled = false;
        self.ahead = self.ahead.saturating_sub(bytes);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_waits_for_writing_past_the_limit() {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut balance = Balance::default();
        // Nothing waits: one may send for ever.
        balance.read(10 * AHEAD_MAX_BYTES);
        assert!(balance.poll_may_read(cx).is_ready());
        balance.stalled();
        balance.read(AHEAD_MAX_BYTES - 1);
        assert!(balance.poll_may_read(cx).is_ready());
        balance.read(1);
        assert!(balance.poll_may_read(cx).is_pending());
        balance.wrote(1);
        balance.stalled();
        assert!(balance.poll_may_read(cx).is_ready());
        balance.read(2);
        assert!(balance.poll_may_read(cx).is_pending());
        assert!(balance.reader.is_some());
        balance.wrote(0);
        assert!(balance.reader.is_none() && balance.poll_may_read(cx).is_ready());
    }
}
