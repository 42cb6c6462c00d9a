//! The real binary: how it starts, how it ends, and what is there afterwards.

use std::os::unix::process::ExitStatusExt;

use serde_json::json;

use crate::support::{Client, Database, PASSWORD, Process, code, run_to_end};

async fn account(process: &Process, username: &str) -> Client {
    let mut client = process.connect().await;
    client.ok("signup", json!({"username": username, "password": PASSWORD})).await;
    client.username = username.to_owned();
    client.sign_in().await;
    client
}

async fn device(process: &Process, username: &str) -> Client {
    let mut client = process.connect().await;
    client.username = username.to_owned();
    client.sign_in().await;
    client
}

/// Sends numbered messages until the connection ends; returns how many of them were acknowledged, the first ones.
async fn talk_to_the_end(client: &mut Client, to: i64, mut halfway: impl FnMut()) -> usize {
    let mut fired = Vec::new();
    for n in 0..3000 {
        fired.push(client.feed("message", json!({"to": to, "message": n.to_string()})).await);
    }
    client.flush().await;
    for (n, id) in fired.into_iter().enumerate() {
        if n == 100 {
            halfway();
        }
        match client.reply_or_end(id).await {
            Some(reply) => assert_eq!(code(&reply), 200),
            None => return n,
        }
    }
    panic!("everything was acknowledged before the end came");
}

/// Everything that was acknowledged is there, once and in order; of the rest, no more than a beginning.
async fn hears_at_least(client: &mut Client, acknowledged: usize, other: &mut Client) {
    other.say(client.id, "end").await;
    let mut n = 0;
    loop {
        let text = client.next("message").await["message"].clone();
        if text == "end" {
            break;
        }
        assert_eq!(text, n.to_string());
        n += 1;
    }
    assert!(n >= acknowledged, "{n} of {acknowledged}");
}

#[tokio::test]
async fn sigterm_keeps_all_that_was_acknowledged_and_exits_with_0() {
    let database = Database::new().await;
    let process = Process::start(&database);
    let mut bob = account(&process, "bob").await;
    bob.ok("signout", json!({})).await;
    let mut alee = account(&process, "alee").await;
    // What waits in the inbox is carried out, too; so all may be acknowledged by then.
    let mut fired = Vec::new();
    for n in 0..500 {
        fired.push(alee.feed("message", json!({"to": bob.id, "message": n.to_string()})).await);
    }
    alee.flush().await;
    let mut acknowledged = 0;
    for (n, id) in fired.into_iter().enumerate() {
        if n == 50 {
            process.terminate();
        }
        let Some(reply) = alee.reply_or_end(id).await else { break };
        acknowledged += usize::from(code(&reply) == 200);
    }
    let (status, log) = process.ended();
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert!(log.iter().any(|line| line.contains("stopped")), "{log:?}");
    assert!(acknowledged >= 50);

    let process = Process::start(&database);
    let mut alee = device(&process, "alee").await;
    let mut bob = device(&process, "bob").await;
    hears_at_least(&mut bob, acknowledged, &mut alee).await;
}

#[tokio::test]
async fn sigkill_keeps_all_that_was_acknowledged() {
    let database = Database::new().await;
    let process = Process::start(&database);
    let mut bob = account(&process, "bob").await;
    bob.ok("signout", json!({})).await;
    let mut alee = account(&process, "alee").await;
    let mut process = Some(process);
    let to = bob.id;
    let acknowledged = talk_to_the_end(&mut alee, to, || process.take().unwrap().kill()).await;
    assert!(acknowledged >= 100);

    let process = Process::start(&database);
    let mut alee = device(&process, "alee").await;
    let mut bob = device(&process, "bob").await;
    hears_at_least(&mut bob, acknowledged, &mut alee).await;
}

/// Rooms, friends and profiles are acknowledged by the same promise.
#[tokio::test]
async fn sigkill_keeps_everything_else_too() {
    let database = Database::new().await;
    let process = Process::start(&database);
    let mut alee = account(&process, "alee").await;
    let mut bob = account(&process, "bob").await;
    alee.ok("profile", json!({"doc": {"nick": "A", "question": "q", "answer": "rex", "password": "222222"}})).await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    bob.ok("reply", json!({"to": alee.id})).await;
    bob.ok("group", json!({"to": alee.id, "group": "g"})).await;
    let room = alee.ok("room.create", json!({"name": "tea"})).await["room"]["id"].clone();
    bob.ok("room.join", json!({"id": room})).await;
    process.kill();

    let process = Process::start(&database);
    let mut bob = process.connect().await;
    bob.username = "bob".to_owned();
    assert_eq!(bob.sign_in().await["rooms"][0]["id"], room);
    let friend = json!({"id": alee.id, "username": "alee", "nick": "A", "group": "g", "presence": "离线"});
    assert_eq!(bob.ok("friends", json!({})).await["list"], json!([friend]));
    let mut alee = process.connect().await;
    assert_eq!(alee.ok("retrieve", json!({"username": "alee"})).await["question"], "q");
    alee.ok("signin", json!({"username": "alee", "password": "222222"})).await;
}

#[tokio::test]
async fn shutdown_cuts_connections_without_a_goodbye() {
    let database = Database::new().await;
    let process = Process::start(&database);
    let mut alee = account(&process, "alee").await;
    process.terminate();
    alee.gone().await;
    // A Socket.IO disconnect packet would keep clients from coming back.
    assert!(!alee.transcript.iter().any(|frame| frame.starts_with("41") || frame == "1"), "{:?}", alee.transcript);
    assert_eq!(process.ended().0.code(), Some(0));
}

#[tokio::test]
async fn sigint_ends_it_as_well() {
    let database = Database::new().await;
    let process = Process::start(&database);
    let _alee = account(&process, "alee").await;
    process.signal("INT");
    assert_eq!(process.ended().0.code(), Some(0));
}

/// Somebody who does not read holds nobody up, and loses nothing.
#[tokio::test]
async fn shutdown_does_not_wait_for_those_who_do_not_read() {
    let database = Database::new().await;
    let process = Process::start_with(&database, &[("NODEIM_SHUTDOWN_TIMEOUT_MS", "2000")]);
    let mut alee = account(&process, "alee").await;
    let mut bob = Client::connect_narrow(process.address).await;
    bob.ok("signup", json!({"username": "bob", "password": PASSWORD})).await;
    bob.username = "bob".to_owned();
    bob.sign_in().await;
    let text = "x".repeat(60_000);
    for n in 0..150 {
        alee.say(bob.id, &format!("{n} {text}")).await;
    }
    process.terminate();
    let (status, log) = process.ended();
    assert_eq!(status.code(), Some(0), "{log:?}");

    let process = Process::start_with(&database, &[("NODEIM_REPLAY_PAGE", "20")]);
    let mut bob = device(&process, "bob").await;
    let mut expected = None;
    while expected != Some(150) {
        let message = bob.next("message").await;
        let n: u32 = message["message"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
        assert_eq!(n, expected.unwrap_or(n));
        // Nothing that bob took before was taken by a bob who read.
        assert!(expected.is_some() || n < 100, "the first one is {n}");
        expected = Some(n + 1);
    }
}

#[tokio::test]
async fn log_lines_can_be_json() {
    let database = Database::new().await;
    let process =
        Process::start_with(&database, &[("NODEIM_LOG_FORMAT", "json"), ("NODEIM_LOG_FILTER", "nodeim=debug,info")]);
    let mut alee = account(&process, "alee").await;
    assert_eq!(alee.code("message", json!({"to": 4711, "message": "x"})).await, 404);
    process.terminate();
    let (_, log) = process.ended();
    let lines: Vec<serde_json::Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    let refusal = lines.iter().find(|line| line["command"] == "message" && line["code"] == 404);
    let refusal = refusal.expect("the refused command is logged");
    assert!(refusal["conn.id"].as_str().is_some_and(|id| id.starts_with("socketio-")), "{refusal}");
    assert_eq!(refusal["user.id"], alee.id);
}

#[test]
fn a_wrong_configuration_is_one_line_and_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("nodeim.toml");
    std::fs::write(&file, "colour = \"red\"\n").unwrap();
    let missing = dir.path().join("missing.toml");
    for (arguments, variables, expected) in [
        (vec!["--bcrypt-cost", "3"], vec![], "bcrypt_cost"),
        (vec!["--bcrypt-cost", "many"], vec![], "bcrypt_cost"),
        (vec!["--listen", "nowhere"], vec![], "listen"),
        (vec!["--rate-limit", "maybe"], vec![], "rate_limit"),
        (vec!["--database-url", "mysql://h/d"], vec![], "database_url"),
        (vec![], vec![("NODEIM_PING_TIMEOUT_MS", "1")], "ping_timeout_ms"),
        (vec![], vec![("NODEIM_COLOUR", "red")], "colour"),
        (vec!["--config", file.to_str().unwrap()], vec![], "colour"),
        (vec!["--config", missing.to_str().unwrap()], vec![], "missing.toml"),
        (vec![], vec![("NODEIM_LOG_FILTER", "a=b=c")], "log_filter"),
    ] {
        let output = run_to_end(&arguments, &variables);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.status.signal().is_none(), "{arguments:?} {variables:?}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_address_in_use_is_one_line_and_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run_to_end(&["--listen", &address, "--data-dir", dir.path().to_str().unwrap()], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.trim_end().lines().count() == 1 && said.contains(&address), "{said}");
}

#[test]
fn config_prints_what_holds_and_no_password() {
    let variables = [("NODEIM_DATABASE_URL", "postgres://u:geheim@h/d"), ("NODEIM_BCRYPT_COST", "7")];
    let output = run_to_end(&["config", "--listen", "127.0.0.1:7000"], &variables);
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in ["listen = \"127.0.0.1:7000\"", "bcrypt_cost = 7", "rate_limit = \"on\""] {
        assert!(printed.lines().any(|printed| printed == line), "{line} in {printed}");
    }
    assert!(printed.contains("postgres://u:***@h/d") && !printed.contains("geheim"));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("geheim"));
}

#[test]
fn what_config_prints_is_a_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("nodeim.toml");
    let printed = run_to_end(&["config", "--bcrypt-cost", "9"], &[]).stdout;
    std::fs::write(&file, &printed).unwrap();
    let again = run_to_end(&["config", "--config", file.to_str().unwrap()], &[]);
    assert!(again.status.success());
    assert_eq!(again.stdout, printed);
}

/// Starts on a file that is no database; returns what it said.
fn start_on_damage() -> String {
    let database = Database::sqlite();
    std::fs::create_dir_all(database.data_dir()).unwrap();
    let file = database.data_dir().join("nodeim.sqlite");
    let damage = b"this is no database, and long enough to be looked at ".repeat(100);
    std::fs::write(&file, &damage).unwrap();
    let data_dir = database.data_dir();
    let output = run_to_end(&["--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()], &[]);
    assert!(!output.status.success() && output.status.signal().is_none());
    assert_eq!(std::fs::read(&file).unwrap(), damage, "what may be repaired is left as it is");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_damaged_database_is_a_failure_that_names_the_file() {
    let said = start_on_damage();
    assert!(said.trim_end().lines().last().unwrap().contains("nodeim.sqlite"), "{said}");
}

#[test]
fn a_damaged_database_is_one_line_that_says_so() {
    let said = start_on_damage();
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.contains("nodeim.sqlite") && said.contains("not a database"), "{said}");
}

#[test]
fn a_database_that_cannot_be_reached_is_one_line_without_its_password() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://u:geheim@{closed}/d");
    let variables = [("NODEIM_DATABASE_TIMEOUT_MS", "500")];
    let output = run_to_end(&["--listen", "127.0.0.1:0", "--database-url", &url], &variables);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.trim_end().lines().count() == 1 && said.contains("cannot open"), "{said}");
    assert!(!said.contains("geheim"), "{said}");
}

/// Does everything in which a secret is sent, and returns the log of it.
async fn log_of_secrets(filter: &str) -> Vec<String> {
    let database = Database::new().await;
    let process = Process::start_with(&database, &[("NODEIM_LOG_FILTER", filter)]);
    let mut alee = process.connect().await;
    let secret = json!({"username": "alee", "password": "geheim-1", "question": "q", "answer": "geheim-2"});
    alee.ok("signup", secret).await;
    assert_eq!(alee.code("signin", json!({"username": "alee", "password": "geheim-3"})).await, 404);
    let id = alee.ok("signin", json!({"username": "alee", "password": "geheim-1"})).await["doc"]["id"].clone();
    alee.ok("profile", json!({"doc": {"password": "geheim-4", "answer": "geheim-5"}})).await;
    let reset = json!({"username": "alee", "answer": "geheim-5", "newpassword": "geheim-6"});
    alee.ok("retrieve", reset).await;
    alee.ok("message", json!({"to": id, "message": "geheim-7"})).await;
    alee.code("message", json!({"to": 4711, "message": "geheim-8"})).await;
    process.terminate();
    let (_, log) = process.ended();
    assert!(log.len() > 2);
    log
}

/// Secrets and what people say do not belong there, even where everything of ours is logged.
#[tokio::test]
async fn the_log_holds_no_secrets_and_no_messages() {
    for line in log_of_secrets("nodeim=trace,info").await {
        assert!(!line.contains("geheim") && !line.contains("$2b$"), "{line}");
    }
}

/// The documented levels for everything.
#[tokio::test]
async fn the_log_holds_no_secrets_at_any_level() {
    for filter in ["debug", "trace", "error,tungstenite::protocol=trace,engineioxide=trace,nodeim=info"] {
        for line in log_of_secrets(filter).await {
            assert!(!line.contains("geheim") && !line.contains("$2b$"), "{filter}: {line}");
        }
    }
}
