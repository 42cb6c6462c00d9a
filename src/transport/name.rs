//! What connections are called in the log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A transport, and a number that no other connection of this process has: `socketio-17`. Never the id of a session:
/// whoever knows that one has the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    transport: &'static str,
    number: u64,
}

impl Name {
    /// A new one.
    pub(super) fn of(transport: &'static str) -> Self {
        Self { transport, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// What no other connection has, over whichever transport.
    pub(super) fn number(self) -> u64 {
        self.number
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transport, self.number)
    }
}
