//! The ways to the server besides a websocket of revision 4; the real clients take them in `tests/clients/`.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, PASSWORD, Polling, Revision, Server, until, within};

const TEXT: &str = "你好 😀 é \"quoted\" \\ \u{2028}";

async fn sign_in(session: &mut Polling, username: &str) -> Value {
    session.post(&format!("420{}", json!(["signin", {"username": username, "password": PASSWORD}]))).await;
    serde_json::from_str(&session.until("430").await).unwrap()
}

#[tokio::test]
async fn revision_3_over_polling_is_sent_ascii_only() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("profile", json!({"doc": {"nick": TEXT}})).await;
    server.person("鲍勃").await;
    let mut bob = Polling::connect(server.address, Revision::V3).await;
    let reply = sign_in(&mut bob, "鲍勃").await;
    assert_eq!((&reply[0]["doc"]["username"], &reply[0]["doc"]["presence"]), (&json!("鲍勃"), &json!("在线")));
    alee.say(reply[0]["doc"]["id"].as_i64().unwrap(), TEXT).await;
    let event: Value = serde_json::from_str(&bob.until("42").await).unwrap();
    assert_eq!((&event[1]["message"], &event[1]["from"]["nick"]), (&json!(TEXT), &json!(TEXT)));
    // Errors and rspn, too.
    bob.post("421[\"room.join\",{}]").await;
    bob.until("431").await;
    bob.post("42[\"room.join\",{\"id\":\"房间\"}]").await;
    assert_eq!(serde_json::from_str::<Value>(&bob.until("42").await).unwrap()[1]["id"], "房间");
    for body in &bob.bodies {
        assert!(body.is_ascii(), "{body}");
    }
}

#[tokio::test]
async fn revision_4_over_polling_is_sent_text_as_it_is() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    server.person("鲍勃").await;
    let mut bob = Polling::connect(server.address, Revision::V4).await;
    let reply = sign_in(&mut bob, "鲍勃").await;
    alee.say(reply[0]["doc"]["id"].as_i64().unwrap(), TEXT).await;
    let event: Value = serde_json::from_str(&bob.until("42").await).unwrap();
    assert_eq!(event[1]["message"], TEXT);
    assert!(bob.bodies.iter().any(|body| body.contains("你好 😀")));
}

#[tokio::test]
async fn what_polling_clients_say_arrives_unharmed() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for (revision, name) in [(Revision::V3, "bob"), (Revision::V4, "carol")] {
        server.person(name).await;
        let mut session = Polling::connect(server.address, revision).await;
        sign_in(&mut session, name).await;
        session.post(&format!("421{}", json!(["message", {"to": alee.id, "message": TEXT}]))).await;
        assert_eq!(session.until("431").await, "[{\"code\":200}]");
        alee.hears(TEXT).await;
    }
    // Clients 1.x write UTF-8 twice over polling.
    server.person("dave").await;
    let mut session = Polling::connect(server.address, Revision::V3).await;
    sign_in(&mut session, "dave").await;
    let packet = format!("421{}", json!(["message", {"to": alee.id, "message": "你好 😀"}]));
    let twice: String = packet.bytes().map(char::from).collect();
    session.post(&twice).await;
    assert_eq!(session.until("431").await, "[{\"code\":200}]");
    alee.hears("你好 😀").await;
}

#[tokio::test]
async fn revision_3_over_websocket_is_sent_text_as_it_is() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    server.person("bob").await;
    let mut bob = Client::connect(server.address, Revision::V3).await;
    bob.username = "bob".to_owned();
    bob.sign_in().await;
    alee.say(bob.id, TEXT).await;
    bob.hears(TEXT).await;
    assert!(bob.transcript.iter().any(|frame| frame.contains("你好 😀")));
    bob.say(alee.id, TEXT).await;
    alee.hears(TEXT).await;
}

/// A namespace may be left and entered again on one connection; it is another session then.
#[tokio::test]
async fn who_leaves_the_namespace_is_signed_out() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    crate::support::befriend(&mut alee, &mut bob).await;
    alee.raw("41").await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "离线"}));
    bob.say(alee.id, "missed").await;
    alee.enter(Revision::V4).await;
    assert_eq!(alee.code("friends", json!({})).await, 403);
    alee.sign_in().await;
    alee.hears("missed").await;
    assert_eq!(bob.next("presence").await["presence"], "在线");
}

/// A polling client that goes in the middle of a poll misses nothing.
#[tokio::test]
async fn what_a_polling_client_did_not_fetch_comes_again() {
    let server = Server::with(|config| (config.ping_interval_ms, config.ping_timeout_ms) = (200, 300)).await;
    let mut alee = server.person("alee").await;
    server.person("bob").await;
    let mut session = Polling::connect(server.address, Revision::V4).await;
    let id = sign_in(&mut session, "bob").await[0]["doc"]["id"].as_i64().unwrap();
    for n in 0..5 {
        alee.say(id, &n.to_string()).await;
    }
    // It never polls again.
    crate::support::until("the end of the session", async || {
        alee.ok("friends", json!({})).await;
        server.metric("nodeim_connections{transport=\"polling\"}").await == 0.0
    })
    .await;
    let mut bob = server.device("bob").await;
    for n in 0..5 {
        bob.hears(&n.to_string()).await;
    }
}

/// Asks for a path over a connection that is kept, and returns the answer.
async fn ask(stream: &mut TcpStream, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("an answer", async {
        loop {
            let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() >= length.parse().unwrap() {
                    return;
                }
            }
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the connection was cut");
        }
    })
    .await;
    String::from_utf8(answer).unwrap()
}

/// As in a browser, and behind a proxy that keeps its connections.
#[tokio::test]
async fn the_end_of_a_polling_session_does_not_disturb_who_uses_its_connection_next() {
    let server = Server::with(|config| config.signin_timeout_ms = 1000).await;
    let session = Polling::connect(server.address, Revision::V4).await;
    session.post("420[\"friends\",{}]").await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert!(ask(&mut stream, session.path()).await.contains("430["));
    until("the end of the session", async || session.try_post("3").await != Some(reqwest::StatusCode::OK)).await;
    assert!(ask(&mut stream, "/healthz").await.starts_with("HTTP/1.1 200"));
}
