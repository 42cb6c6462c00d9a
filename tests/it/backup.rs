//! `nodeim backup FILE`: a consistent copy of the database of a running server.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::support::{Client, Database, PASSWORD, Process, run_to_end};

async fn person(process: &Process, username: &str) -> Client {
    let mut client = process.connect().await;
    client.ok("signup", json!({"username": username, "password": PASSWORD})).await;
    client.username = username.to_owned();
    client.sign_in().await;
    client
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_people_talk_has_all_that_was_acknowledged_before() {
    let (database, restored) = (Database::sqlite(), Database::sqlite());
    let process = Process::start(&database);
    let mut alee = person(&process, "alee").await;
    let mut bob = person(&process, "bob").await;
    bob.ok("signout", json!({})).await;
    for n in 0..100 {
        alee.say(bob.id, &n.to_string()).await;
    }
    let mut fired = Vec::new();
    for n in 100..2000 {
        fired.push(alee.feed("message", json!({"to": bob.id, "message": n.to_string()})).await);
    }
    alee.flush().await;

    std::fs::create_dir(restored.data_dir()).unwrap();
    let copy = restored.data_dir().join("nodeim.sqlite");
    let data_dir = database.data_dir();
    let arguments = ["backup", text(&copy), "--data-dir", text(&data_dir)];
    let output = tokio::task::block_in_place(|| run_to_end(&arguments, &[]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    for id in fired {
        assert_eq!(alee.reply(id).await["code"], 200);
    }

    // There already: it is not touched.
    let before = std::fs::read(&copy).unwrap();
    let output = run_to_end(&arguments, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("File exists"), "{output:?}");
    assert_eq!(std::fs::read(&copy).unwrap(), before);

    process.kill();
    let process = Process::start(&restored);
    let mut bob = process.connect().await;
    bob.username = "bob".to_owned();
    bob.sign_in().await;
    let mut alee = process.connect().await;
    alee.username = "alee".to_owned();
    alee.sign_in().await;
    alee.say(bob.id, "end").await;
    let mut count = 0;
    loop {
        let text = bob.next("message").await["message"].clone();
        if text == "end" {
            break;
        }
        assert_eq!(text, count.to_string());
        count += 1;
    }
    assert!((100..=2000).contains(&count), "{count}");
}

#[tokio::test]
async fn what_cannot_be_copied_is_said_in_one_line_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.sqlite");
    let nowhere = folder.path().join("nowhere");
    for (arguments, words) in [
        (["backup", text(&copy), "--data-dir", text(&nowhere)], "unable to open database file"),
        (["backup", text(&copy), "--database-url", "postgres://nobody:secret@127.0.0.1:1/none"], "pg_dump"),
        (["backup", text(&nowhere.join("copy.sqlite")), "--data-dir", text(&nowhere)], "No such file or directory"),
    ] {
        let output = run_to_end(&arguments, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1 && !said.contains("secret"), "{said}");
        assert!(!copy.exists() && !nowhere.exists());
    }
}
