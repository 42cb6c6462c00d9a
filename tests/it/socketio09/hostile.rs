//! Slow and hostile clients.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::quick;
use crate::support::{Client, Http, Server, TRANSPORTS, frame, until, within};

/// Sends a part of a request and returns what the server says to it.
async fn half_a_request(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Reset or closed, the answer stands before it.
    let _end = within("an answer", stream.read_to_string(&mut answer)).await;
    answer
}

#[tokio::test]
async fn a_post_without_end_ends() {
    let server = quick().await;
    let client = server.old("xhr-polling").await;
    let path = format!("POST /socket.io/1/xhr-polling/{} HTTP/1.1\r\nHost: x\r\n", client.http.sid);
    let answer = half_a_request(&server, &format!("{path}Content-Length: 1000\r\n\r\n5:::")).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(client.http.get().await, ["7:::1+0"]);
    let path = path.replace(&client.http.sid, "unknown");
    let answer = half_a_request(&server, &format!("{path}Content-Length: 1000\r\n\r\n5:::")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn two_posts_at_once_are_served_and_more_are_not() {
    let server = Server::start().await;
    let client = server.old("xhr-polling").await;
    let request = format!(
        "POST /socket.io/1/xhr-polling/{} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n5:::",
        client.http.sid
    );
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    until("a refusal", async || client.http.try_post("2::").await.unwrap().status() == 503).await;
    drop(slow);
    until("room", async || client.http.try_post("2::").await.unwrap().status() == 200).await;
}

#[tokio::test]
async fn a_body_of_more_than_a_frame_is_refused_and_ends_the_session() {
    let server = Server::with(|config| config.frame_max_bytes = 65_536).await;
    let mut alee = server.person("alee").await;
    for transport in ["xhr-polling", "jsonp-polling"] {
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        bob.befriend(&mut alee).await;
        // The server does not read it all, so the answer may be lost.
        if let Ok(response) = bob.http.try_post(&"x".repeat(80_000)).await {
            assert_eq!(response.status(), 413);
        }
        assert_eq!(alee.next("presence").await["presence"], "离线");
        assert_eq!(bob.http.get().await, ["7:::1+0"]);
    }
    let mut bob = server.old_person("bob", "websocket").await;
    bob.befriend(&mut alee).await;
    bob.send(&"x".repeat(80_000)).await;
    assert_eq!(alee.next("presence").await["presence"], "离线");
    bob.gone().await;
}

/// As large as it may be, split into small pieces.
#[tokio::test]
async fn a_frame_of_the_largest_size_is_served() {
    let server = Server::with(|config| config.frame_max_bytes = 200_000).await;
    let mut alee = server.person("alee").await;
    let text = "好".repeat(20_000);
    for transport in TRANSPORTS {
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        bob.ok("message", json!({"to": alee.id, "message": text})).await;
        alee.hears(&text).await;
        alee.say(bob.id, &text).await;
        bob.hears(&text).await;
    }
}

#[tokio::test]
async fn wrong_lengths_cost_the_rest_of_the_body_and_no_more() {
    let server = Server::start().await;
    let client = server.old("xhr-polling").await;
    let good = r#"5:1+::{"name":"no.such.command"}"#;
    for (body, answers) in [
        (format!("{}\u{fffd}99\u{fffd}{good}", frame(&[good])), 1),
        (format!("{}junk", frame(&[good, good])), 2),
        (format!("\u{fffd}1\u{fffd}{good}"), 0),
        (format!("\u{fffd}-1\u{fffd}{good}"), 0),
        (format!("\u{fffd}{}\u{fffd}{good}", u64::MAX), 0),
        (format!("\u{fffd}\u{fffd}{good}"), 0),
        ("\u{fffd}".repeat(10_000), 0),
        (frame(&["", "::", good]), 1),
    ] {
        client.http.post(&body).await;
        client.http.post(r#"5:2+::{"name":"no.such.command"}"#).await;
        let mut packets: Vec<String> = Vec::new();
        while !packets.last().is_some_and(|packet| packet.starts_with("6:::2+")) {
            packets.extend(client.http.get().await);
        }
        assert_eq!(packets.len(), answers + 1, "{body}: {packets:?}");
    }
}

/// Bytes that are no text: what can be read of them is.
#[tokio::test]
async fn bodies_need_not_be_utf8() {
    let server = Server::start().await;
    let client = server.old("xhr-polling").await;
    let mut body = br#"5:1+::{"name":"no.such.command","args":[""#.to_vec();
    body.extend([0xff, 0xfe, 0xed, 0xa0, 0x80]);
    body.extend(br#""]}"#);
    let response = client.http.client.post(client.http.url()).body(body).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "1");
    assert_eq!(client.http.get().await, [r#"6:::1+[{"code":404,"message":"未知命令","reason":"unknown_command"}]"#]);
    // Over a websocket that is against the rules of websockets.
    let mut socket = client.http.clone();
    socket.transport = "websocket";
    let mut socket = socket.websocket().await;
    let frame = tokio_tungstenite::tungstenite::protocol::frame::Frame::message(
        vec![0xff],
        tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode::Data(
            tokio_tungstenite::tungstenite::protocol::frame::coding::Data::Text,
        ),
        true,
    );
    socket.send(Message::Frame(frame)).await.unwrap();
    within("the end", async { while let Some(Ok(_)) = socket.next().await {} }).await;
}

#[tokio::test]
async fn thousands_of_handshakes_never_opened_harm_nobody() {
    let server = Server::with(|config| {
        config.sio09_handshakes_max = 1000;
        config.sio09_handshakes_per_address = 500;
    })
    .await;
    let mut bob = server.old_person("bob", "xhr-polling").await;
    let http = reqwest::Client::new();
    let mut refused = 0;
    for _ in 0..3000 {
        let response = http.get(server.url("/socket.io/1/")).send().await.unwrap();
        refused += usize::from(response.status() == 503);
    }
    assert_eq!(refused, 2500);
    bob.ok("friends", json!({})).await;
    // Other generations are not concerned.
    server.person("alee").await;
}

#[tokio::test]
async fn deep_json_is_answered() {
    let server = Server::start().await;
    for transport in TRANSPORTS {
        let mut client = server.old(transport).await;
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        client.send(&format!(r#"5:1+::{{"name":"friends","args":[{deep}]}}"#)).await;
        let reply = client.packet().await;
        assert!(reply.starts_with("6:::1+[{\"code\":403"), "{reply}");
    }
}

/// The numbers in front of the messages that a transcript holds.
fn numbers(transcript: &[String]) -> Vec<usize> {
    let data = transcript.iter().filter_map(|packet| packet.strip_prefix("5:::"));
    let events = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
    events
        .filter(|event| event["name"] == "message")
        .map(|event| event["args"][0]["message"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap())
        .collect()
}

async fn overrun(server: &Server, alee: &mut Client, carol: &mut Client, id: i64) -> usize {
    let before = server.metric("nodeim_outbox_overflows_total").await;
    let mut sent = 0;
    until("the end of a connection that does not read", async || {
        alee.say(id, &format!("{sent} {}", "x".repeat(60_000))).await;
        sent += 1;
        // Somebody else is served all the while.
        alee.say(carol.id, "x").await;
        carol.hears("x").await;
        assert!(sent < 1000, "the queue takes everything");
        server.metric("nodeim_outbox_overflows_total").await > before
    })
    .await;
    sent
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_while_others_go_on_and_misses_nothing() {
    let server = Server::with(|config| {
        config.outbox_max_frames = 16;
        config.socket_buffer_packets = 16;
        config.socket_buffer_bytes = 16 * 1024;
    })
    .await;
    let mut alee = server.person("alee").await;
    let mut carol = server.person("carol").await;
    let mut bob = server.old_narrow().await;
    bob.ok("signup", json!({"username": "bob", "password": crate::support::PASSWORD})).await;
    bob.username = "bob".to_owned();
    bob.sign_in().await;
    let sent = overrun(&server, &mut alee, &mut carol, bob.id).await;
    bob.gone().await;
    let before = numbers(&bob.transcript);
    assert!(before.iter().copied().eq(0..before.len()), "in order, up to some point: {before:?}");
    assert!(before.len() < sent);

    for transport in ["websocket", "xhr-polling"] {
        let mut bob = server.old_device("bob", transport).await;
        while numbers(&bob.transcript).last() != Some(&(sent - 1)) {
            bob.receive().await.unwrap();
        }
        let again = numbers(&bob.transcript);
        assert!(again[0] <= before.len(), "a gap between {} and {}", before.len(), again[0]);
        assert!(again.iter().copied().eq(again[0]..sent), "in order to the end: {again:?}");
        // Gone without a word: the next one gets it all again.
        bob.vanish();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Over polling the queue ends the session, whether or not a request comes.
#[tokio::test]
async fn who_does_not_poll_and_has_much_waiting_is_gone() {
    let server = Server::with(|config| {
        config.outbox_max_frames = 16;
        config.socket_buffer_packets = 16;
    })
    .await;
    let mut alee = server.person("alee").await;
    let mut carol = server.person("carol").await;
    let bob = server.old_person("bob", "xhr-polling").await;
    let sent = overrun(&server, &mut alee, &mut carol, bob.id).await;
    assert_eq!(bob.http.get().await, ["7:::1+0"]);
    let mut bob = server.old_device("bob", "xhr-polling").await;
    while numbers(&bob.transcript).last() != Some(&(sent - 1)) {
        bob.receive().await.unwrap();
    }
    assert!(numbers(&bob.transcript).iter().copied().eq(0..sent));
}

#[tokio::test]
async fn commands_that_come_too_fast_are_answered_429() {
    let server = Server::with(|config| {
        config.rate_commands_burst = 10;
        config.rate_commands_per_second = 1;
    })
    .await;
    let mut client = server.old("websocket").await;
    let mut codes = Vec::new();
    for n in 1..=20 {
        client.send(&format!(r#"5:{n}+::{{"name":"friends"}}"#)).await;
        let reply = client.packet().await;
        codes.push(reply[reply.find("code\":").unwrap() + 6..].chars().take(3).collect::<String>());
    }
    assert_eq!(
        codes.iter().filter(|code| *code == "403").count() + codes.iter().filter(|code| *code == "429").count(),
        20
    );
    assert!(codes[0] == "403" && codes[19] == "429", "{codes:?}");
}

/// Addresses that look like ours and are not.
#[tokio::test]
async fn strange_addresses_get_an_answer() {
    let server = Server::start().await;
    let Http { sid, client, .. } = Http::handshake(server.address, "xhr-polling").await;
    for path in [
        "/socket.io/1///",
        "/socket.io/1//",
        "/socket.io/1/%00/x",
        "/socket.io/1/websocket/",
        "/socket.io//1/",
        "/socket.io/1/xhr-polling/%E4%BD%A0",
        "/socket.io/99999999999999999999999/",
        "/socket.io/1/../../etc",
        &format!("/socket.io/1/xhr-polling/{sid}/more/and/more"),
    ] {
        let response = within("an answer", client.get(server.url(path)).send()).await.unwrap();
        assert!(response.status().as_u16() < 501, "{path}");
    }
}
