//! Rate limits on what a stranger can try (signing in, signing up, answering security questions), and on what costs much.

use std::convert::Infallible;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::DefaultClock;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use super::error::{Error, Result};
use super::ids::UserId;
use crate::config::{Config, Switch};

/// Accounts and addresses that one limiter remembers. Those that tried least lately are forgotten first.
const MAX_REMEMBERED: usize = 100_000;

/// The limits, or none where they are switched off.
///
/// Signing in is limited per account *and* address: somebody who tries passwords locks themselves out and not the
/// account's owner, who comes from elsewhere. Whoever gets in has not been guessing and starts anew. Answering the
/// question is limited per account.
pub(super) struct Guard(Option<Limiters>);

struct Limiters {
    hashes: RandomState,
    signin: Limiter,
    signin_address: Limiter,
    signup_address: Limiter,
    retrieve: Limiter,
    retrieve_address: Limiter,
    upload: Limiter,
    broadcast: Limiter,
    directory: Limiter,
}

impl Guard {
    pub(super) fn new(config: &Config) -> Self {
        if config.rate_limit == Switch::Off {
            return Self(None);
        }
        let factor = config.rate_address_factor;
        Self(Some(Limiters {
            hashes: RandomState::new(),
            signin: Limiter::per_minute(config.rate_signin_per_minute),
            signin_address: Limiter::per_minute(config.rate_signin_per_minute.saturating_mul(factor)),
            signup_address: Limiter::per_minute(config.rate_signup_per_minute),
            retrieve: Limiter::per_minute(config.rate_retrieve_per_minute),
            retrieve_address: Limiter::per_minute(config.rate_retrieve_per_minute.saturating_mul(factor)),
            upload: Limiter::per_minute(config.rate_uploads_per_minute),
            broadcast: Limiter::per_minute(config.rate_broadcasts_per_minute),
            directory: Limiter::per_minute(config.rate_directory_per_minute),
        }))
    }

    pub(super) fn signin(&self, account: &str, address: IpAddr) -> Result<()> {
        self.check(|limits| {
            limits.signin_address.take(limits.key(address)) && limits.signin.take(limits.key((account, address)))
        })
    }

    /// The password was right.
    pub(super) fn signed_in(&self, account: &str, address: IpAddr) {
        if let Some(limits) = &self.0 {
            limits.signin.forget(limits.key((account, address)));
        }
    }

    pub(super) fn signup(&self, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.signup_address.take(limits.key(address)))
    }

    pub(super) fn retrieve(&self, account: &str, address: IpAddr) -> Result<()> {
        self.check(|limits| {
            limits.retrieve_address.take(limits.key(address)) && limits.retrieve.take(limits.key(account))
        })
    }

    pub(super) fn upload(&self, user: UserId) -> Result<()> {
        self.check(|limits| limits.upload.take(limits.key(user)))
    }

    pub(super) fn broadcast(&self, user: UserId) -> Result<()> {
        self.check(|limits| limits.broadcast.take(limits.key(user)))
    }

    pub(super) fn directory(&self, user: UserId) -> Result<()> {
        self.check(|limits| limits.directory.take(limits.key(user)))
    }

    fn check(&self, allowed: impl FnOnce(&Limiters) -> bool) -> Result<()> {
        if self.0.as_ref().is_none_or(allowed) { Ok(()) } else { Err(Error::TooMany) }
    }
}

impl Limiters {
    /// A hash with a secret of this process: short, whatever somebody sends as an account's name.
    fn key(&self, of: impl Hash) -> u64 {
        self.hashes.hash_one(of)
    }
}

struct Limiter {
    limiter: RateLimiter<u64, Buckets, DefaultClock>,
    buckets: Buckets,
}

impl Limiter {
    fn per_minute(attempts: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN));
        let buckets = Buckets(Arc::new(Cache::new(MAX_REMEMBERED)));
        Self { limiter: RateLimiter::new(quota, buckets.clone(), DefaultClock::default()), buckets }
    }

    fn take(&self, key: u64) -> bool {
        self.limiter.check_key(&key).is_ok()
    }

    fn forget(&self, key: u64) {
        self.buckets.0.remove(&key);
    }
}

/// The limiter's memory: governor's own one grows without a limit and cannot forget a single key.
#[derive(Clone)]
struct Buckets(Arc<Cache<u64, Arc<InMemoryState>>>);

impl StateStore for Buckets {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, f: F) -> std::result::Result<T, E>
    where
        F: Fn(Option<Nanos>) -> std::result::Result<(T, Nanos), E>,
    {
        let Ok(bucket) = self.0.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
        bucket.measure_and_replace(&NotKeyed::NonKey, f)
    }
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
    fn getting_in_ends_the_counting() {
        let guard = Guard::new(&Config { rate_signin_per_minute: 3, ..Config::defaults() });
        let here = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..10 {
            assert!(guard.signin("alee", here).is_ok());
            guard.signed_in("alee", here);
        }
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
