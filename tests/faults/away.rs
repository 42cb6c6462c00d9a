//! PostgreSQL goes away while people talk, and comes back.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use crate::cluster::Cluster;
use crate::load::{Load, Report, Style, Wire, account};
use crate::relay::Relay;
use crate::seed::seed;
use crate::support::{Database, PASSWORD, Process, until};
use crate::vitals::Vitals;

/// How long the database is away at least, and longer if somebody has not been told yet.
const AWAY: Duration = Duration::from_secs(10);
/// Messages acknowledged before, and after.
const SOME: usize = 200;
/// Commits whose answers are lost, one after the other.
const LOST_ANSWERS: usize = 20;

/// The server's limits are short, so that everybody can be told while the database is still away.
const VARIABLES: [(&str, &str); 5] = [
    ("NODEIM_RATE_LIMIT", "off"),
    ("NODEIM_PING_INTERVAL_MS", "1000"),
    ("NODEIM_PING_TIMEOUT_MS", "2000"),
    ("NODEIM_DATABASE_TIMEOUT_MS", "1000"),
    ("NODEIM_DATABASE_STATEMENT_TIMEOUT_MS", "1000"),
];

/// How to be away.
enum Away {
    /// Stopped in its tracks: it neither answers nor refuses.
    Frozen,
    /// Ended as by a crash.
    Crashed,
    /// Well, but whatever is sent to it and back is lost without a sign.
    Unreachable,
}

impl Away {
    fn go(&self, cluster: &Cluster, relay: &Relay) {
        match self {
            Self::Frozen => cluster.freeze(),
            Self::Crashed => cluster.crash(),
            Self::Unreachable => relay.go_dead(),
        }
    }

    fn come_back(&self, cluster: &Cluster, relay: &Relay) {
        match self {
            Self::Frozen => cluster.thaw(),
            Self::Crashed => cluster.restart(),
            Self::Unreachable => relay.revive(),
        }
    }
}

/// False, with a word about it, where the tests run without PostgreSQL.
fn has_postgres(test: &str) -> bool {
    let has = std::env::var("NODEIM_TEST_DATABASE_URL").is_ok();
    if !has {
        eprintln!("{test} is not run: it is about PostgreSQL, see scripts/with-postgres.sh");
    }
    has
}

/// A server whose way to its database leads over a relay.
async fn start() -> (Cluster, Relay, Database, Process) {
    let cluster = Cluster::start();
    let relay = Relay::start(cluster.address()).await;
    let database = Database::elsewhere(cluster.url_over(relay.address));
    let process = Process::start_with(&database, &VARIABLES);
    (cluster, relay, database, process)
}

/// With one message at a time a sender's order holds even if one of them fails.
async fn talk(process: &Process) -> Load {
    Load::begin(process.address, Style { seed: seed(), window: 1, classics_drop: true }).await
}

/// Takes the database away for a while. Meanwhile everybody is told, and afterwards everything goes on.
async fn survive(away: Away) -> Report {
    let (cluster, relay, _database, process) = start().await;
    let vitals = Vitals::of(&process);
    let mut load = talk(&process).await;
    load.acknowledged(SOME).await;
    assert_eq!(vitals.health().await, StatusCode::OK);

    let left = Instant::now();
    away.go(&cluster, &relay);
    let before = load.failures();
    until("/healthz tells", async || vitals.health().await == StatusCode::SERVICE_UNAVAILABLE).await;
    until("every sender is told", async || load.failures().iter().zip(&before).all(|(now, before)| now > before)).await;
    let credentials = json!({"username": "newcomer", "password": PASSWORD});
    let mut newcomer = Wire::connect(process.address).await.unwrap();
    for command in ["signup", "signin"] {
        let reply = newcomer.ask(command, &credentials, &mut Vec::new()).await.unwrap();
        assert_eq!((&reply["code"], &reply["reason"]), (&json!(500), &json!("unavailable")), "{command} -> {reply}");
    }
    tokio::time::sleep(AWAY.saturating_sub(left.elapsed())).await;
    let away_for = left.elapsed();
    away.come_back(&cluster, &relay);

    load.acknowledged(SOME).await;
    until("/healthz is well", async || vitals.health().await == StatusCode::OK).await;
    account(process.address, "newcomer").await;
    let report = load.finish().await;
    eprintln!("away for {away_for:?}: {report}");
    process.terminate();
    let (status, log) = process.ended();
    assert_eq!(status.code(), Some(0), "{log:?}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_freezes_is_an_error_and_not_a_wait() {
    if has_postgres("a frozen database") {
        let report = survive(Away::Frozen).await;
        assert_eq!(report.gaps, 0, "a live message was left out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_takes_nothing_along() {
    if has_postgres("a crashed database") {
        let report = survive(Away::Crashed).await;
        assert_eq!(report.gaps, 0, "a live message was left out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_reached_is_given_up_and_found_again() {
    if has_postgres("an unreachable database") {
        let report = survive(Away::Unreachable).await;
        assert_eq!(report.gaps, 0, "a live message was left out");
    }
}

/// Then the message is stored, and the server does not know it. Whether its sender asks again or not, it must reach
/// those who are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_out_about() {
    if !has_postgres("a lost answer") {
        return;
    }
    let (_cluster, relay, _database, process) = start().await;
    let mut load = talk(&process).await;
    for _ in 0..LOST_ANSWERS {
        relay.lose_answer();
        load.acknowledged(SOME / LOST_ANSWERS).await;
        until("an answer is lost", async || relay.has_lost_all()).await;
    }
    load.acknowledged(SOME).await;
    let report = load.finish().await;
    eprintln!("{LOST_ANSWERS} lost answers: {report}");
    assert_eq!(report.gaps, 0, "a live message was left out");
}
