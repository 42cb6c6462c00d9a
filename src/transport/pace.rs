//! How fast one connection may send commands, and for how long it may try faster.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::config::{Config, Switch};

/// One connection's limits.
pub(super) struct Pace {
    commands: DefaultDirectRateLimiter,
    refusals: DefaultDirectRateLimiter,
}

/// What to do with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// It is refused.
    TooFast,
    /// It is refused, and so were so many before it that the connection is to be closed.
    Flood,
}

impl Pace {
    /// Nothing if there are no limits.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let rate = NonZeroU32::new(config.rate_commands_per_second)?;
        let limiter = |burst| Some(RateLimiter::direct(Quota::per_second(rate).allow_burst(NonZeroU32::new(burst)?)));
        let pace = Self {
            commands: limiter(config.rate_commands_burst)?,
            // Forgiven as fast as commands are allowed.
            refusals: limiter(config.rate_refusals_burst)?,
        };
        (config.rate_limit == Switch::On).then_some(pace)
    }

    /// A command is to be carried out.
    pub(super) fn command(&self) -> Verdict {
        if self.commands.check().is_ok() { Verdict::Allowed } else { self.refusal() }
    }

    /// A command is refused, for whatever reason.
    pub(super) fn refusal(&self) -> Verdict {
        if self.refusals.check().is_ok() { Verdict::TooFast } else { Verdict::Flood }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_allowed_then_refused_and_then_it_is_enough() {
        let config = Config {
            rate_commands_per_second: 1,
            rate_commands_burst: 3,
            rate_refusals_burst: 2,
            ..Config::defaults()
        };
        let pace = Pace::of(&config).unwrap();
        let verdicts: Vec<_> = (0..7).map(|_| pace.command()).collect();
        assert_eq!(verdicts[..3], [Verdict::Allowed; 3]);
        assert_eq!(verdicts[3..5], [Verdict::TooFast; 2]);
        assert_eq!(verdicts[5..], [Verdict::Flood; 2]);
        assert!(Pace::of(&Config { rate_limit: Switch::Off, ..config }).is_none());
    }
}
