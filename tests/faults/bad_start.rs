//! Starting on a database that cannot be used: one line that says why, and a failure.

use std::path::Path;

use sqlx::{AnyConnection, Connection, Executor};

use crate::disk::Disk;
use crate::support::{Database, Process, run_to_end};

const PAGE: usize = 4096;

/// A database as a server leaves it behind.
async fn used() -> Database {
    let database = Database::sqlite();
    let process = Process::start(&database);
    process.terminate();
    assert_eq!(process.ended().0.code(), Some(0));
    database
}

/// Starts the server there; it must end by itself, with one line that names the database and says `why`.
fn fails_to_start(data_dir: &Path, why: &str) {
    let data_dir = data_dir.to_str().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--data-dir", data_dir];
    let output = run_to_end(&arguments, &[("NODEIM_DATABASE_TIMEOUT_MS", "500")]);
    says_why(&output, why);
}

fn says_why(output: &std::process::Output, why: &str) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.starts_with("nodeim: ") && said.contains(why), "{why} is not in {said}");
}

/// What may be repaired is left as it is.
async fn refuses_damage(damage: impl FnOnce(&mut Vec<u8>), why: &str) {
    let database = used().await;
    let file = database.data_dir().join("nodeim.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    damage(&mut bytes);
    std::fs::write(&file, &bytes).unwrap();
    fails_to_start(&database.data_dir(), why);
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused() {
    refuses_damage(|bytes| bytes.truncate(bytes.len() / 2), "malformed").await;
    refuses_damage(|bytes| bytes.truncate(PAGE), "malformed").await;
    refuses_damage(|bytes| bytes.truncate(10), "not a database").await;
}

#[tokio::test]
async fn a_file_that_was_written_over_is_refused() {
    refuses_damage(|bytes| bytes[..PAGE].fill(b'x'), "not a database").await;
    refuses_damage(|bytes| bytes[PAGE..10 * PAGE].fill(b'x'), "malformed").await;
}

/// `statements` are run and their lock kept.
async fn refuses_lock(statements: &'static str) {
    let database = used().await;
    sqlx::any::install_default_drivers();
    let file = database.data_dir().join("nodeim.sqlite");
    let mut holder = AnyConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    holder.execute(statements).await.unwrap();
    fails_to_start(&database.data_dir(), "database is locked");
    holder.close().await.unwrap();
    // And after that it starts.
    drop(Process::start(&database));
}

#[tokio::test]
async fn a_file_that_somebody_else_holds_is_refused() {
    refuses_lock("pragma locking_mode = exclusive; begin exclusive").await;
    refuses_lock("begin immediate").await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused() {
    let database = Database::sqlite();
    let Some(disk) = Disk::mount(&database.data_dir(), "ro") else { return };
    says_why(&disk.server(&[]).arg("--data-dir").arg(database.data_dir()).output().unwrap(), "Read-only file system");
}

#[tokio::test]
async fn a_full_disk_is_refused() {
    let database = Database::sqlite();
    let Some(disk) = Disk::mount(&database.data_dir(), "size=1m") else { return };
    disk.fill();
    says_why(&disk.server(&[]).arg("--data-dir").arg(database.data_dir()).output().unwrap(), "full");
    disk.clear();
    drop(Process::spawn(disk.server(&[]), &database));
}
