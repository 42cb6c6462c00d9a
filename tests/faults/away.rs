//! PostgreSQL goes away while people talk, and comes back.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::load::{Load, Report, Style, Wire};
use crate::relay::{Fate, Relay};
use crate::seed::seed;
use crate::support::{Database, PASSWORD, Process, until};
use crate::vitals::Vitals;

/// How long the database is away at least, and longer if somebody has not been told yet.
const AWAY: Duration = Duration::from_secs(10);
/// Messages acknowledged before, and after.
const SOME: usize = 200;
/// Commits whose answers are lost, and commits that come late, one after the other.
const LOST_ANSWERS: usize = 20;
const LATE_COMMITS: usize = 3;
/// The server has given such a commit up by then, and the database has not.
const LATE_BY: Duration = Duration::from_secs(3);
/// How often the database cannot be reached: a connection that is lost each time would be missed at the end.
const UNREACHABLE: usize = 2;

/// The server's limits are short, so that everybody can be told while the database is still away, and its connections
/// few.
const VARIABLES: [(&str, &str); 6] = [
    ("NODEIM_RATE_LIMIT", "off"),
    ("NODEIM_PING_INTERVAL_MS", "1000"),
    ("NODEIM_PING_TIMEOUT_MS", "2000"),
    ("NODEIM_DATABASE_CONNECTIONS", "2"),
    ("NODEIM_DATABASE_TIMEOUT_MS", "2000"),
    ("NODEIM_DATABASE_STATEMENT_TIMEOUT_MS", "2000"),
];

/// How to be away.
enum Away {
    /// Stopped in its tracks: it neither answers nor refuses.
    Frozen,
    /// Ended as by a crash.
    Crashed,
    /// Well, but from a commit on whatever is sent to it and back is lost without a sign.
    Unreachable,
}

impl Away {
    fn go(&self, cluster: &Cluster, relay: &Relay) {
        match self {
            Self::Frozen => cluster.freeze(),
            Self::Crashed => cluster.crash(),
            Self::Unreachable => relay.doom(Fate::WireDead),
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
    // For its files alone.
    let database = Database::sqlite();
    let url = cluster.url_over(relay.address);
    let variables = [&VARIABLES[..], &[("NODEIM_DATABASE_URL", &url)]].concat();
    let process = Process::start_with(&database, &variables);
    (cluster, relay, database, process)
}

/// With one message at a time a sender's order holds even if one of them fails.
async fn talk(process: &Process) -> Load {
    Load::begin(process.address, Style { seed: seed(), window: 1, classics_drop: true }).await
}

/// Takes the database away for a while, so many times. Meanwhile everybody is told, and afterwards everything goes on.
async fn survive(away: Away, times: usize) -> Report {
    let (cluster, relay, _database, process) = start().await;
    let vitals = Vitals::of(&process);
    let mut load = talk(&process).await;
    load.acknowledged(SOME).await;
    for time in 0..times {
        assert_eq!(vitals.health().await, StatusCode::OK);
        let left = Instant::now();
        away.go(&cluster, &relay);
        let before = load.failures();
        until("/healthz tells", async || vitals.health().await == StatusCode::SERVICE_UNAVAILABLE).await;
        until("every sender is told", async || load.failures().iter().zip(&before).all(|(now, before)| now > before))
            .await;
        let newcomer = json!({"username": format!("newcomer{time}"), "password": PASSWORD});
        for command in ["signup", "signin"] {
            let reply = ask(&process, command, &newcomer).await;
            assert_eq!((&reply["code"], &reply["reason"]), (&json!(500), &json!("unavailable")), "{command} {reply}");
        }
        tokio::time::sleep(AWAY.saturating_sub(left.elapsed())).await;
        away.come_back(&cluster, &relay);

        load.acknowledged(SOME).await;
        for command in ["signup", "signin"] {
            until(command, async || ask(&process, command, &newcomer).await["code"] == 200).await;
        }
        until("/healthz is well", async || vitals.health().await == StatusCode::OK).await;
    }
    let report = load.finish().await;
    eprintln!("away {times} times: {report}");
    process.terminate();
    let (status, log) = process.ended();
    assert_eq!(status.code(), Some(0), "{log:?}");
    report
}

/// One command of somebody who has just connected.
async fn ask(process: &Process, command: &str, data: &Value) -> Value {
    let mut wire = Wire::connect(process.address).await.unwrap();
    wire.ask(command, data, &mut Vec::new()).await.unwrap()
}

/// Talks while commits meet such a fate, each some messages after the other.
async fn survive_fates(fate: Fate, times: usize) {
    let (_cluster, relay, _database, process) = start().await;
    let mut load = talk(&process).await;
    for _ in 0..times {
        relay.doom(fate);
        load.acknowledged(SOME / LOST_ANSWERS).await;
        until("a fate is met", async || relay.is_done()).await;
    }
    load.acknowledged(SOME).await;
    let report = load.finish().await;
    eprintln!("{times} times {fate:?}: {report}");
    assert_eq!(report.gaps, 0, "a live message was left out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_freezes_is_an_error_and_not_a_wait() {
    if has_postgres("a frozen database") {
        let report = survive(Away::Frozen, 1).await;
        assert_eq!(report.gaps, 0, "a live message was left out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_takes_nothing_along() {
    if has_postgres("a crashed database") {
        let report = survive(Away::Crashed, 1).await;
        assert_eq!(report.gaps, 0, "a live message was left out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_reached_is_given_up_and_found_again() {
    if has_postgres("an unreachable database") {
        let report = survive(Away::Unreachable, UNREACHABLE).await;
        assert_eq!(report.gaps, 0, "a live message was left out");
    }
}

/// Then the message is stored, and the server does not know it. Whether its sender asks again or not, it must reach
/// those who are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_out_about() {
    if has_postgres("a lost answer") {
        survive_fates(Fate::AnswerLost, LOST_ANSWERS).await;
    }
}

/// Then it is stored after the server has given it up, and would not be found by who looks at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_comes_late_is_waited_for() {
    if has_postgres("a late commit") {
        survive_fates(Fate::Late(LATE_BY), LATE_COMMITS).await;
    }
}
