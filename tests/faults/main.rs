//! What the server survives: real processes that are killed, starved, flooded and cut off from their database while
//! people talk. What each test does and what holds stands in `docs/faults.md`.
//!
//! `cargo test --test faults` runs on SQLite, `scripts/with-postgres.sh cargo test --test faults` on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall end where it stands")]

#[path = "../it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the other tests, which need more of it")]
mod support;

mod away;
mod bad_start;
mod churn;
mod cluster;
mod disk;
mod disk_full;
mod killed;
mod load;
mod relay;
mod seed;
mod slow_reader;
mod vitals;
