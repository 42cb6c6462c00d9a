//! The disk under SQLite is full for a while.

use std::convert::Infallible;

use reqwest::StatusCode;
use serde_json::json;

use crate::disk::Disk;
use crate::load::{Load, Style, Wire, account};
use crate::seed::seed;
use crate::support::{Database, Process, until};
use crate::vitals::Vitals;

const OPTIONS: &str = "size=12m";
/// Messages acknowledged before the disk is full, in between, and after.
const SOME: usize = 200;
/// The variables of the server. Marks of what was delivered are stored in the course of the test, too.
const VARIABLES: [(&str, &str); 3] =
    [("NODEIM_RATE_LIMIT", "off"), ("NODEIM_PING_INTERVAL_MS", "1000"), ("NODEIM_PING_TIMEOUT_MS", "2000")];

/// Fills the disk, and waits until everybody has been told.
async fn fill(disk: &Disk, load: &mut Load) {
    disk.fill();
    let before = load.failures();
    until("every sender is told", async || load.failures().iter().zip(&before).all(|(now, before)| now > before)).await;
}

/// Answers heartbeats.
async fn stay(wire: &mut Wire) -> Infallible {
    loop {
        wire.read().await.expect("who answers heartbeats stays");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_an_error_until_there_is_room_again() {
    if std::env::var("NODEIM_TEST_DATABASE_URL").is_ok() {
        eprintln!("not run: this is about SQLite");
        return;
    }
    let database = Database::sqlite();
    let Some(disk) = Disk::mount(&database.data_dir(), OPTIONS) else { return };
    let start = || Process::spawn(disk.server(&VARIABLES), &database);
    let mut process = start();
    let vitals = Vitals::of(&process);
    let reader = account(process.address, "reader").await;
    let mut wire = reader.enter(process.address, true, &mut Vec::new()).await.unwrap();
    wire.ok("message", json!({"to": reader.id, "message": "before", "cid": "1"})).await;
    // One message at a time: then a sender's order holds even if one of them fails.
    let mut load = Load::begin(process.address, Style { seed: seed(), window: 1, classics_drop: true }).await;
    let until_full = async {
        load.acknowledged(SOME).await;
        fill(&disk, &mut load).await;
    };
    tokio::select! {
        () = until_full => {}
        never = stay(&mut wire) => match never {},
    }
    assert!(process.log.lock().unwrap().iter().any(|line| line.contains("full")), "the log says why");
    assert!(vitals.metric("nodeim_commit_failures_total").await > 0.0);
    // What was said before can be read all the while.
    assert_eq!(vitals.health().await, StatusCode::OK);
    let history = wire.ok("history", json!({"to": reader.id})).await;
    assert_eq!(history["messages"][0]["text"], "before");
    disk.clear();
    load.acknowledged(SOME).await;

    // The same, and a sudden end on top of it.
    fill(&disk, &mut load).await;
    process.kill();
    disk.clear();
    process = start();
    load.moved(process.address);
    load.acknowledged(SOME).await;
    let report = load.finish().await;
    eprintln!("a full disk, twice: {report}");
    assert_eq!(report.gaps, 0, "a live message was left out");
}
