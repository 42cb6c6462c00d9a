//! When to ping a client, and when to give it up.

use std::time::Duration;

use tokio::time::Instant;

/// One connection's. Any frame from the client sets it back.
#[derive(Debug)]
pub(super) struct Clock {
    interval: Duration,
    timeout: Duration,
    due: Instant,
    is_asked: bool,
}

/// What the clock says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tick {
    /// It is not time yet.
    Nothing,
    Ping,
    /// The client has not answered.
    Expired,
}

impl Clock {
    pub(super) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self { interval, timeout, due: now + interval, is_asked: false }
    }

    /// When to look at it again.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// A frame has come.
    pub(super) fn set_back(&mut self, now: Instant) {
        self.is_asked = false;
        self.due = now + self.interval;
    }

    pub(super) fn tick(&mut self, now: Instant) -> Tick {
        if now < self.due {
            return Tick::Nothing;
        }
        if self.is_asked {
            return Tick::Expired;
        }
        self.is_asked = true;
        self.due = now + self.timeout;
        Tick::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_about_once_and_then_ends() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut clock = Clock::new(30 * second, 45 * second, start);
        assert_eq!(clock.tick(start + 29 * second), Tick::Nothing);
        clock.set_back(start + 10 * second);
        assert_eq!(clock.tick(start + 39 * second), Tick::Nothing);
        assert_eq!(clock.tick(start + 40 * second), Tick::Ping);
        assert_eq!(clock.tick(start + 84 * second), Tick::Nothing);
        assert_eq!(clock.tick(start + 85 * second), Tick::Expired);
        clock.set_back(start + 85 * second);
        assert_eq!(clock.tick(start + 115 * second), Tick::Ping);
    }
}
