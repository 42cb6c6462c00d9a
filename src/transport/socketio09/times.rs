//! How long things take in this protocol.

use std::time::Duration;

use crate::config::Config;

/// Derived from the heartbeat of the other connections; with the defaults these are the old server's own times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// From a websocket's opening, or its client's last answer, to the next heartbeat. 25 s.
    pub(super) interval: Duration,
    /// For an answer to a heartbeat; without an open poll; for the body of a request. Clients are told it too, and
    /// give up when they hear nothing for so long. 60 s.
    pub(super) timeout: Duration,
    /// The longest poll. 20 s.
    pub(super) poll: Duration,
}

impl Times {
    pub(super) fn of(config: &Config) -> Self {
        let interval = Duration::from_millis(config.ping_interval_ms);
        // Three times the patience with modern clients; but heartbeats must come well within it.
        let timeout = (Duration::from_millis(config.ping_timeout_ms) * 3).max(interval * 2);
        Self { interval, timeout, poll: timeout / 3 }
    }

    /// What clients are told: whole seconds, since 0 makes them close at once.
    pub(super) fn told_s(&self) -> u64 {
        self.timeout.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
    }

    /// How long a packet may have been given to a dead client before that is noticed. A heartbeat that was on its way
    /// before the packet proves nothing; the next one does. A poll takes the packet, the next poll proves it.
    pub(super) fn unnoticed(&self) -> Duration {
        self.timeout + self.interval + self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(ping_interval_ms: u64, ping_timeout_ms: u64) -> (f64, f64, f64, u64) {
        let times = Times::of(&Config { ping_interval_ms, ping_timeout_ms, ..Config::defaults() });
        (times.interval.as_secs_f64(), times.timeout.as_secs_f64(), times.poll.as_secs_f64(), times.told_s())
    }

    #[test]
    fn they_are_the_old_servers_and_never_contradict_each_other() {
        let Config { ping_interval_ms, ping_timeout_ms, .. } = Config::defaults();
        assert_eq!(seconds(ping_interval_ms, ping_timeout_ms), (25.0, 60.0, 20.0, 60));
        assert_eq!(seconds(100, 400), (0.1, 1.2, 0.4, 2));
        assert_eq!(seconds(60_000, 1000), (60.0, 120.0, 40.0, 120));
        assert_eq!(seconds(100, 100).3, 1);
    }
}
