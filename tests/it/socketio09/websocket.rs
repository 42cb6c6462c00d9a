//! The websocket transport, and packets as they are over every transport.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::quick;
use crate::support::{Http, Server, TRANSPORTS, within};

#[tokio::test]
async fn the_first_packet_is_the_connect_packet() {
    let server = Server::start().await;
    let mut socket = Http::handshake(server.address, "websocket").await.websocket().await;
    assert_eq!(within("a packet", socket.next()).await.unwrap().unwrap(), Message::text("1::"));
}

#[tokio::test]
async fn events_and_acknowledgements_to_the_letter() {
    let server = Server::start().await;
    for transport in TRANSPORTS {
        let mut client = server.old(transport).await;
        let reply = r#"{"code":403,"message":"尚未登陆","reason":"not_signed_in"}"#;
        for (packet, answers) in [
            (
                r#"5:::{"name":"friends","args":[{"id":0,"data":{}}]}"#,
                vec![format!(r#"5:::{{"name":"rspn","args":[{{"id":0,"cmd":"friends","data":{reply}}}]}}"#)],
            ),
            (r#"5:7+::{"name":"friends","args":[{}]}"#, vec![format!("6:::7+[{reply}]")]),
            (r#"5:8+::{"name":"friends"}"#, vec![format!("6:::8+[{reply}]")]),
            // A request for a receipt is answered at once, and is none for a reply.
            (
                r#"5:9::{"name":"friends","args":[{"id":4}]}"#,
                vec![
                    "6:::9".to_owned(),
                    format!(r#"5:::{{"name":"rspn","args":[{{"id":4,"cmd":"friends","data":{reply}}}]}}"#),
                ],
            ),
            ("3:1::hi", vec!["6:::1".to_owned()]),
            (r#"4:2::{"a":1}"#, vec!["6:::2".to_owned(), r#"5:::{"name":"rspn","args":[{"cmd":"message","data":{"code":403,"message":"尚未登陆","reason":"not_signed_in"}}]}"#.to_owned()]),
            ("1::", vec!["1::".to_owned()]),
        ] {
            client.send(packet).await;
            for answer in answers {
                assert_eq!(client.packet().await, answer, "{transport} {packet}");
            }
        }
    }
}

/// A JSON packet with an object is an event `message`.
#[tokio::test]
async fn a_json_packet_is_a_message() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.old_person("bob", "websocket").await;
    bob.send(&format!("4:1+::{}", json!({"to": alee.id, "message": "你好"}))).await;
    assert_eq!(bob.packet().await, r#"6:::1+[{"code":200}]"#);
    alee.hears("你好").await;
}

/// Old server: silent.
#[tokio::test]
async fn what_is_not_understood_is_ignored() {
    let server = Server::start().await;
    for transport in TRANSPORTS {
        let mut client = server.old(transport).await;
        for packet in [
            "9::",
            "x",
            ":::",
            "5:::",
            "5:::{",
            "5:::null",
            r#"5:::{"args":[1]}"#,
            r#"5:1+::{"name":7}"#,
            r#"5:1+::junk"#,
            r#"5:1+:/chat:{"name":"friends"}"#,
            r#"5:1+::/chat:{"name":"friends"}"#,
            r#"5::{"name":"friends"}"#,
            "1::/chat",
            "0::/chat",
            "3:::hi",
            "4:::7",
            "4:1+::[1]",
            "6:::1+[1]",
            "6:::1",
            "7:::1+0",
            "7:::2",
            "8::",
            "2::",
            r#"5:::{"name":"disconnect","args":[{}]}"#,
            r#"5:::{"name":"no.such.command","args":[{}]}"#,
            r#"5:99999999999999999999+::{"name":"friends"}"#,
        ] {
            client.send(packet).await;
        }
        client.send(r#"5:1+::{"name":"no.such.command","args":[{}]}"#).await;
        assert_eq!(
            client.packet().await,
            r#"6:::1+[{"code":404,"message":"未知命令","reason":"unknown_command"}]"#,
            "{transport}"
        );
    }
}

/// The client looks for an acknowledgement's arguments up to the first line end.
#[tokio::test]
async fn unicode_line_ends_are_escaped() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let text = "a\u{2028}b\u{2029}c";
    alee.ok("profile", json!({"doc": {"sign": text}})).await;
    for (n, transport) in TRANSPORTS.into_iter().enumerate() {
        let mut bob = server.old_person(&format!("bob{n}"), transport).await;
        bob.send(r#"5:1+::{"name":"find","args":[{"username":"alee"}]}"#).await;
        let reply = bob.packet().await;
        assert!(reply.contains(r#""sign":"a\u2028b\u2029c""#), "{reply}");
        alee.say(bob.id, text).await;
        let event = bob.hears(text).await;
        assert_eq!(event["from"]["sign"], text);
        let raw = bob.transcript.concat();
        assert!(!raw.contains(['\u{2028}', '\u{2029}']), "{raw}");
    }
}

#[tokio::test]
async fn the_server_asks_and_an_answer_keeps_the_session() {
    let server = quick().await;
    let mut bob = server.old_person("bob", "websocket").await;
    // Longer than a session may live without answers; reading answers them.
    let end = Instant::now() + Duration::from_millis(1500);
    while timeout(end - Instant::now(), bob.receive()).await.is_ok() {}
    let asked = bob.transcript.iter().filter(|packet| *packet == "2::").count();
    assert!((2..=8).contains(&asked), "asked {asked} times");
    bob.ok("friends", json!({})).await;
}

#[tokio::test]
async fn who_does_not_answer_the_heartbeat_is_gone() {
    let server = quick().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.old_person("bob", "websocket").await;
    bob.befriend(&mut alee).await;
    // Bob does not read, so he answers nothing.
    assert_eq!(alee.next("presence").await, json!({"id": bob.id, "presence": "离线"}));
    bob.gone().await;
    assert!(!bob.transcript.iter().any(|packet| packet == "0::"), "after it he would stay away");
}

#[tokio::test]
async fn a_close_is_a_goodbye_at_once() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.old_person("bob", "websocket").await;
    bob.befriend(&mut alee).await;
    bob.close().await;
    assert_eq!(alee.next("presence").await["presence"], "离线");
    let mut bob = server.old_device("bob", "websocket").await;
    assert_eq!(alee.next("presence").await["presence"], "在线");
    bob.heard_nothing(&mut alee).await;
    bob.vanish();
    assert_eq!(alee.next("presence").await["presence"], "离线");
}

#[tokio::test]
async fn an_unknown_session_is_told_to_reconnect() {
    let server = Server::start().await;
    let http = Http { sid: "unknown".to_owned(), ..Http::handshake(server.address, "websocket").await };
    let mut socket = http.websocket().await;
    assert_eq!(within("a packet", socket.next()).await.unwrap().unwrap(), Message::text("7:::1+0"));
    assert!(matches!(within("the close", socket.next()).await, Some(Ok(Message::Close(_)))));
}

#[tokio::test]
async fn binary_frames_and_pings_do_no_harm() {
    let server = Server::start().await;
    let mut socket = Http::handshake(server.address, "websocket").await.websocket().await;
    for message in [Message::binary(vec![0, 1, 2]), Message::Ping("x".into()), Message::text("1::")] {
        socket.send(message).await.unwrap();
    }
    let mut heard = Vec::new();
    while heard.len() < 3 {
        heard.push(within("a packet", socket.next()).await.unwrap().unwrap());
    }
    assert!(heard.contains(&Message::Pong("x".into())), "{heard:?}");
    assert_eq!(heard.iter().filter(|message| **message == Message::text("1::")).count(), 2);
}
