//! Namespaces that are not there, and the one that is, over and over.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{Siege, engine};
use crate::support::{Client, Polling, Revision, Server, until, within};

#[tokio::test]
async fn a_flood_of_unknown_namespaces_disturbs_nobody() {
    let mut siege = Siege::new().await;
    let mut socket = engine(siege.server.address, "EIO=4").await;
    for n in 0..8_000 {
        if n % 100 == 0 {
            // The answer to whichever heartbeat there was.
            socket.feed(Message::text("3")).await.unwrap();
        }
        let packet = match n % 4 {
            0 => format!("40/{n},"),
            1 => format!("42/{n},[\"friends\",{{}}]"),
            2 => format!("41/{n},"),
            _ => format!("40/{n},{{\"token\":{n}}}"),
        };
        socket.feed(Message::text(packet)).await.unwrap();
        if n % 2000 == 0 {
            siege.undisturbed().await;
        }
    }
    within("writing", socket.flush()).await.unwrap();
    // Nobody has read: some answers may have been dropped, but the connection works.
    socket.send(Message::text("40")).await.unwrap();
    let entered = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().unwrap().starts_with("40{") {
                return;
            }
        }
        panic!("the connection ended");
    };
    within("entering the namespace", entered).await;
    drop(socket);
    siege.over().await;
}

/// Asks to enter the namespace, again and again since a client that has just left it is not heard at once. Returns the
/// answer, or nothing if the connection ends.
async fn entered(client: &mut Client) -> Option<String> {
    let before = client.transcript.len();
    loop {
        client.raw_bytes(b"40".to_vec()).await.ok()?;
        if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(20), client.receive()).await {
            return None;
        }
        let mut heard = client.transcript[before..].iter();
        if let Some(answer) = heard.find(|packet| packet.starts_with("40") || packet.starts_with("44")) {
            return Some(answer.clone());
        }
    }
}

/// Leaving the namespace and entering it again does not set back how much one may send.
#[tokio::test]
async fn entering_again_is_no_way_around_the_rate() {
    let server = Server::with(|config| {
        (config.rate_commands_per_second, config.rate_commands_burst) = (1, 30);
        config.rate_refusals_burst = 1000;
    })
    .await;
    let mut client = server.connect().await;
    let mut done = 0;
    while client.code("friends", json!({})).await == 403 {
        done += 1;
        client.raw("41").await;
        if entered(&mut client).await.unwrap().starts_with("44") {
            break;
        }
        assert!(done < 90, "the rate has no effect");
    }
    // Each round takes two of thirty at least; more only as fast as time gives them back.
    assert!(done < 60, "{done}");
}

#[tokio::test]
async fn entering_over_and_over_ends_the_connection() {
    let server = Server::with(|config| {
        (config.rate_commands_per_second, config.rate_commands_burst) = (1, 30);
        config.rate_refusals_burst = 30;
        config.connect_timeout_ms = 2000;
        (config.ping_interval_ms, config.ping_timeout_ms) = (200, 4000);
    })
    .await;
    let mut client = Client::open(server.address, Revision::V4, &[]).await;
    let flood = async {
        while let Some(answer) = entered(&mut client).await {
            if answer.starts_with("40") {
                drop(client.raw_bytes(b"41".to_vec()).await);
            }
        }
    };
    within("the end of the connection", flood).await;
    assert!(client.transcript.iter().any(|packet| packet.starts_with("44") && packet.contains("too fast")));

    let mut session = Polling::connect(server.address, Revision::V4).await;
    let flood = async {
        let mut next = "41";
        // With an answer to the heartbeat, whether or not there was one.
        while session.try_post(&format!("{next}\u{1e}3")).await == Some(reqwest::StatusCode::OK) {
            next = "40";
            let Some(packets) = session.try_poll().await else {
                return;
            };
            if packets.iter().any(|packet| packet.starts_with("40")) {
                next = "41";
            }
        }
    };
    within("the end of the session", flood).await;
    until("both are counted", async || server.metric("nodeim_floods_ended_total").await >= 2.0).await;
}

/// The library removes a socket by its session's id, some time after the client has left. Who leaves twice and enters in
/// between is lost to it.
#[tokio::test]
async fn what_the_library_has_lost_ends_all_the_same() {
    let server = Server::with(|config| {
        config.connect_timeout_ms = 2000;
        (config.ping_interval_ms, config.ping_timeout_ms) = (200, 4000);
    })
    .await;
    let packets = ["40", "41", "41", "40", "40"];
    for _ in 0..300 {
        let mut client = Client::open(server.address, Revision::V4, &[]).await;
        for packet in packets.repeat(4) {
            // It may be ended for the lack of a socket while it is still at it.
            drop(client.raw_bytes(packet.as_bytes().to_vec()).await);
        }
    }
    let session = Polling::connect(server.address, Revision::V4).await;
    for _ in 0..20 {
        session.try_post(&packets.join("\u{1e}").repeat(10)).await;
    }
    drop(session);
    until("the end of all sessions", async || server.metric("nodeim_socketio_sessions").await == 0.0).await;
}
