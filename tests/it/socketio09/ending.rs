//! How sessions end.

use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Database, Http, Process, Server, TRANSPORTS, within};

#[tokio::test]
async fn a_goodbye_is_answered_and_ends_the_session() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for transport in TRANSPORTS {
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        bob.befriend(&mut alee).await;
        bob.send("0::").await;
        if transport == "websocket" {
            assert_eq!(bob.packet().await, "0::");
            assert!(within("the close", bob.receive()).await.is_err());
        }
        assert_eq!(alee.next("presence").await, json!({"id": bob.id, "presence": "离线"}), "{transport}");
    }
}

/// The client gives its poll up by itself; one that does not is answered.
#[tokio::test]
async fn a_poll_that_waits_at_the_goodbye_is_answered_with_it() {
    let server = Server::start().await;
    let client = server.old("xhr-polling").await;
    let poll = client.http.get();
    let goodbye = async {
        // The poll first: before it came, the session cannot know of it.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        client.http.post("0::").await;
    };
    let (packets, ()) = tokio::join!(poll, goodbye);
    assert_eq!(packets, ["0::"]);
    assert_eq!(client.http.get().await, ["7:::1+0"]);
}

/// What came before the goodbye is carried out.
#[tokio::test]
async fn commands_before_the_goodbye_count() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for transport in TRANSPORTS {
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        for n in 0..20 {
            let data =
                json!({"name": "message", "args": [{"id": n, "data": {"to": alee.id, "message": n.to_string()}}]});
            bob.send(&format!("5:::{data}")).await;
        }
        bob.send("0::").await;
        for n in 0..20 {
            alee.hears(&n.to_string()).await;
        }
    }
}

/// `?disconnect`, with two slashes where the transport would be, or with a transport.
#[tokio::test]
async fn a_session_may_be_ended_by_a_request() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for (n, transport) in TRANSPORTS.into_iter().enumerate() {
        for (m, path) in ["//SID/?disconnect=1", "/xhr-polling/SID?disconnect", "/websocket/SID?t=1&disconnect=1"]
            .into_iter()
            .enumerate()
        {
            let mut bob = server.old_person(&format!("bob{n}{m}"), transport).await;
            bob.befriend(&mut alee).await;
            let response = server.get(&format!("/socket.io/1{}", path.replace("SID", &bob.http.sid))).await;
            assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, ""), "{path}");
            assert_eq!(alee.next("presence").await["presence"], "离线", "{transport} {path}");
            if transport == "websocket" {
                assert_eq!(bob.packet().await, "0::");
            }
        }
    }
    let response = server.get("/socket.io/1//unknown/?disconnect=1").await;
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, ""));
}

/// `0::` would keep clients away for good.
#[tokio::test]
async fn a_shutdown_sends_clients_away_so_that_they_come_back() {
    let database = Database::new().await;
    let process = Process::start(&database);
    let mut socket = Http::handshake(process.address, "websocket").await.websocket().await;
    assert_eq!(within("a packet", socket.next()).await.unwrap().unwrap(), Message::text("1::"));
    let mut polls = Vec::new();
    for transport in ["xhr-polling", "jsonp-polling"] {
        let http = Http::handshake(process.address, transport).await;
        assert_eq!(http.get().await, ["1::"]);
        polls.push(http.poll());
    }
    let promised = Http::handshake(process.address, "xhr-polling").await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    process.terminate();
    for poll in polls {
        assert_eq!(poll.answer().await, ["7:::1+0"]);
    }
    loop {
        match within("the close", socket.next()).await {
            Some(Ok(Message::Text(text))) => assert_eq!(text.as_str(), "2::"),
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            Some(Ok(_)) => {}
        }
    }
    let (status, log) = process.ended();
    assert!(status.success());
    assert!(!log.iter().any(|line| line.contains("in time")), "{log:?}");
    drop(promised);
}
