//! SIGKILL and SIGTERM at random moments, under load, again and again.

use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::load::{Load, Style};
use crate::seed::seed;
use crate::support::{Database, Process};

const KILLS: usize = 10;
const STOPS: usize = 3;
/// Messages without an answer, of each sender.
const WINDOW: usize = 8;
/// Acknowledgements between two ends, at random.
const BETWEEN: std::ops::Range<usize> = 50..1500;
/// What an init system waits for, at least.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Short heartbeats, so that marks of what was delivered are stored in the course of the test.
fn start(database: &Database) -> Process {
    let variables =
        [("NODEIM_RATE_LIMIT", "off"), ("NODEIM_PING_INTERVAL_MS", "1000"), ("NODEIM_PING_TIMEOUT_MS", "2000")];
    Process::start_with(database, &variables)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigkill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let seed = seed();
    let mut random = Rng::with_seed(seed);
    let database = Database::new().await;
    let mut process = start(&database);
    let mut load = Load::begin(process.address, Style { seed, window: WINDOW, classics_drop: true }).await;
    for _ in 0..KILLS {
        load.acknowledged(random.usize(BETWEEN)).await;
        process.kill();
        process = start(&database);
        load.moved(process.address);
    }
    load.acknowledged(BETWEEN.start).await;
    let report = load.finish().await;
    eprintln!("{KILLS} kills: {report}");
    assert_eq!(report.gaps, 0, "a live message was left out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_ends_in_time_and_loses_nothing_that_was_acknowledged() {
    let seed = seed();
    let mut random = Rng::with_seed(seed);
    let database = Database::new().await;
    let mut process = start(&database);
    let mut load = Load::begin(process.address, Style { seed, window: WINDOW, classics_drop: false }).await;
    for _ in 0..STOPS {
        load.acknowledged(random.usize(BETWEEN)).await;
        let asked = Instant::now();
        process.terminate();
        let (status, log) = process.ended();
        let took = asked.elapsed();
        assert_eq!(status.code(), Some(0), "{log:?}");
        assert!(took < STOP_LIMIT, "it took {took:?}");
        assert!(!log.iter().any(|line| line.contains("did not end in time")), "{log:?}");
        process = start(&database);
        load.moved(process.address);
        // Everybody comes back by themselves, and talk goes on.
        load.everybody().await;
    }
    load.acknowledged(BETWEEN.start).await;
    let report = load.finish().await;
    eprintln!("{STOPS} stops: {report}");
    assert_eq!(report.gaps, 0, "a live message was left out");
}
