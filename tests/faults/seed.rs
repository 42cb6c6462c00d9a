//! Chance that can be repeated.

/// The seed of this run: `NODEIM_TEST_SEED`, or a new one. It is printed, for the next run.
pub(crate) fn seed() -> u64 {
    let seed = match std::env::var("NODEIM_TEST_SEED") {
        Ok(seed) => seed.parse().expect("NODEIM_TEST_SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    eprintln!("NODEIM_TEST_SEED={seed}");
    seed
}
