//! How often something may be done, for each of many keys: accounts, addresses, users.

use std::convert::Infallible;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::DefaultClock;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

/// Keys that one limiter remembers. Those that tried least lately are forgotten first.
const MAX_REMEMBERED: usize = 100_000;

/// A number of attempts at once for each key, which come back within a minute.
pub(crate) struct Limiter {
    /// With a secret of this process: short keys, whatever somebody sends as an account's name.
    hashes: RandomState,
    limiter: RateLimiter<u64, Buckets, DefaultClock>,
    buckets: Buckets,
}

impl Limiter {
    pub(crate) fn per_minute(attempts: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN));
        let buckets = Buckets(Arc::new(Cache::new(MAX_REMEMBERED)));
        let limiter = RateLimiter::new(quota, buckets.clone(), DefaultClock::default());
        Self { hashes: RandomState::new(), limiter, buckets }
    }

    /// Takes one of the attempts; false if there is none left.
    pub(crate) fn take(&self, key: impl Hash) -> bool {
        self.limiter.check_key(&self.hashes.hash_one(key)).is_ok()
    }

    /// Gives all attempts back.
    pub(crate) fn forget(&self, key: impl Hash) {
        self.buckets.0.remove(&self.hashes.hash_one(key));
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
    fn each_key_has_its_own_attempts_and_can_be_forgiven() {
        let limiter = Limiter::per_minute(3);
        assert_eq!((0..10).filter(|_| limiter.take("a")).count(), 3);
        assert!(limiter.take("b"));
        limiter.forget("a");
        assert_eq!((0..10).filter(|_| limiter.take("a")).count(), 3);
    }
}
