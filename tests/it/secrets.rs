//! Passwords and answers go in and never come out again.

use serde_json::json;

use crate::support::{Client, Database, Old, Polling, Process, Revision, Server, TRANSPORTS};

const PASSWORDS: [&str; 4] = ["pw-first-Zx81", "pw-second-Zx81", "pw-third-Zx81", "pw-bob-Zx81"];
const ANSWERS: [&str; 3] = ["answer-first-Qj7", "answer-second-Qj7", "answer-bob-Qj7"];

/// Two people do everything in which a person is shown to another, and to themselves.
#[tokio::test]
async fn no_frame_of_a_whole_story_carries_one() {
    let server = Server::start().await;
    let mut alee = server.newcomer("alee").await;
    let mut bob = server.newcomer("bob").await;
    let account = json!({"username": "alee", "password": PASSWORDS[0], "question": "q", "answer": ANSWERS[0]});
    alee.ok("signup", account).await;
    let account = json!({"username": "bob", "password": PASSWORDS[3], "question": "q", "answer": ANSWERS[2]});
    bob.ok("signup", account).await;
    enter(&mut alee, PASSWORDS[0]).await;
    enter(&mut bob, PASSWORDS[3]).await;

    alee.ok("profile", json!({"doc": {"password": PASSWORDS[1], "answer": ANSWERS[1], "nick": "A"}})).await;
    let friends = [(alee.id, "subscribe", bob.id), (bob.id, "reply", alee.id), (bob.id, "friends", alee.id)];
    for (who, command, to) in friends {
        let client = if who == alee.id { &mut alee } else { &mut bob };
        client.ok(command, json!({"to": to, "id": to, "message": "please"})).await;
    }
    let room = alee.ok("room.create", json!({"name": "tea"})).await["room"]["id"].clone();
    bob.ok("room.join", json!({"id": room})).await;
    for client in [&mut alee, &mut bob] {
        client.ok("room.list", json!({"id": room})).await;
        client.ok("room.message", json!({"room": room, "message": "hello all"})).await;
        client.ok("find", json!({})).await;
        client.ok("find", json!({"username": "alee"})).await;
        client.ok("presence", json!({"presence": "忙碌"})).await;
        client.ok("log", json!({})).await;
    }
    alee.ok("message", json!({"to": bob.id, "message": "hello"})).await;
    bob.ok("message", json!({"to": alee.id, "message": "hello"})).await;

    // Wrong attempts, the way back in, and replayed messages.
    assert_eq!(alee.code("signin", json!({"username": "alee", "password": "wrong"})).await, 402);
    bob.ok("signout", json!({})).await;
    assert_eq!(bob.code("signin", json!({"username": "bob", "password": "wrong"})).await, 404);
    alee.ok("message", json!({"to": bob.id, "message": "missed"})).await;
    bob.ok("retrieve", json!({"username": "alee"})).await;
    let wrong = json!({"username": "alee", "answer": "wrong", "newpassword": PASSWORDS[2]});
    assert_eq!(bob.code("retrieve", wrong).await, 406);
    bob.ok("retrieve", json!({"username": "alee", "answer": ANSWERS[1], "newpassword": PASSWORDS[2]})).await;
    enter(&mut bob, PASSWORDS[3]).await;
    while bob.next_event("missed").await.1["message"] != "missed" {}
    alee.ok("room.leave", json!({"id": room})).await;
    alee.ok("signout", json!({})).await;
    enter(&mut alee, PASSWORDS[2]).await;

    for client in [&alee, &bob] {
        assert!(client.transcript.len() > 20, "the story was told");
        for frame in &client.transcript {
            for secret in PASSWORDS.iter().chain(&ANSWERS).chain(&["$2", "_hash", "\"password\"", "\"answer\""]) {
                assert!(!frame.contains(secret), "{secret} in {frame}");
            }
        }
    }
}

async fn enter(client: &mut Client, password: &str) {
    let reply = client.ok("signin", json!({"username": client.username, "password": password})).await;
    client.id = reply["doc"]["id"].as_i64().unwrap();
}

/// Whoever knows the id of a session can speak in its user's name.
#[tokio::test]
async fn no_line_of_the_log_tells_the_id_of_a_session() {
    let database = Database::new().await;
    let server = Process::start_with(&database, &[("NODEIM_LOG_FILTER", "debug")]);
    let mut ids = Vec::new();
    for transport in TRANSPORTS {
        let mut old = Old::connect(server.address, transport).await;
        old.command("friends", json!({})).await;
        ids.push(old.http.sid.clone());
    }
    let mut polling = Polling::connect(server.address, Revision::V4).await;
    polling.post("420[\"friends\",{}]").await;
    polling.until("430").await;
    ids.push(polling.sid().to_owned());
    server.terminate();
    let (_, log) = server.ended();
    let count = |what: &str| log.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("a command was refused"), 4, "{log:#?}");
    assert!(count("path=\"/socket.io/1/\"") > 0, "{log:#?}");
    for id in ids {
        assert_eq!(count(&id), 0, "{id} in {log:#?}");
    }
}
