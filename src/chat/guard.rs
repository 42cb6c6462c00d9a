//! Rate limits on what a stranger can try: signing in, signing up, answering security questions.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::{Error, Result};
use crate::config::{Config, Switch};

/// The limits, or none where they are switched off.
///
/// Signing in is limited per account *and* address: somebody who tries passwords locks themselves out and not the
/// account's owner, who comes from elsewhere. Answering the question is limited per account.
pub(super) struct Guard(Option<Limiters>);

struct Limiters {
    hashes: RandomState,
    signin: Limiter,
    signin_address: Limiter,
    signup_address: Limiter,
    retrieve: Limiter,
    retrieve_address: Limiter,
}

/// Keys are hashes with a secret of this process: short, whatever somebody sends as an account's name.
type Limiter = DefaultKeyedRateLimiter<u64>;

impl Guard {
    pub(super) fn new(config: &Config) -> Self {
        if config.rate_limit == Switch::Off {
            return Self(None);
        }
        let factor = config.rate_address_factor;
        Self(Some(Limiters {
            hashes: RandomState::new(),
            signin: per_minute(config.rate_signin_per_minute),
            signin_address: per_minute(config.rate_signin_per_minute.saturating_mul(factor)),
            signup_address: per_minute(config.rate_signup_per_minute),
            retrieve: per_minute(config.rate_retrieve_per_minute),
            retrieve_address: per_minute(config.rate_retrieve_per_minute.saturating_mul(factor)),
        }))
    }

    pub(super) fn signin(&self, account: &str, address: IpAddr) -> Result<()> {
        self.check(|limits| {
            limits.take(&limits.signin_address, address) && limits.take(&limits.signin, (account, address))
        })
    }

    pub(super) fn signup(&self, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.take(&limits.signup_address, address))
    }

    pub(super) fn retrieve(&self, account: &str, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.take(&limits.retrieve_address, address) && limits.take(&limits.retrieve, account))
    }

    /// Forgets those who could try everything again anyway.
    pub(super) fn tidy(&self) {
        let Some(limits) = &self.0 else {
            return;
        };
        for limiter in
            [&limits.signin, &limits.signin_address, &limits.signup_address, &limits.retrieve, &limits.retrieve_address]
        {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn check(&self, allowed: impl FnOnce(&Limiters) -> bool) -> Result<()> {
        if self.0.as_ref().is_none_or(allowed) { Ok(()) } else { Err(Error::TooMany) }
    }
}

impl Limiters {
    fn take(&self, limiter: &Limiter, key: impl std::hash::Hash) -> bool {
        limiter.check_key(&self.hashes.hash_one(key)).is_ok()
    }
}

fn per_minute(attempts: u32) -> Limiter {
    RateLimiter::keyed(Quota::per_minute(NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_locks_itself_out_and_nobody_else() {
        let guard = Guard::new(&Config { rate_signin_per_minute: 3, ..Config::defaults() });
        let (here, elsewhere) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let allowed = (0..10).filter(|_| guard.signin("alee", here).is_ok()).count();
        assert_eq!(allowed, 3);
        assert!(guard.signin("alee", elsewhere).is_ok());
        assert!(guard.signin("bob", here).is_ok());
    }

    #[test]
    fn answers_are_counted_per_account_from_everywhere() {
        let guard = Guard::new(&Config { rate_retrieve_per_minute: 2, ..Config::defaults() });
        let tries = (0..5).filter(|n| guard.retrieve("alee", IpAddr::from([10, 0, 0, *n])).is_ok());
        assert_eq!(tries.count(), 2);
    }

    #[test]
    fn it_can_be_switched_off() {
        let guard = Guard::new(&Config { rate_limit: Switch::Off, rate_signup_per_minute: 1, ..Config::defaults() });
        assert!((0..100).all(|_| guard.signup(IpAddr::from([10, 0, 0, 1])).is_ok()));
    }
}
