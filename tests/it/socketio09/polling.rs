//! The polling transports.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::quick;
use crate::support::{Http, Server, frame, unframe};

const POLLING: [&str; 2] = ["xhr-polling", "jsonp-polling"];

#[tokio::test]
async fn the_first_poll_is_answered_at_once_and_the_next_one_waits() {
    let server = quick().await;
    for transport in POLLING {
        let http = Http::handshake(server.address, transport).await;
        assert_eq!(http.get().await, ["1::"]);
        let begun = Instant::now();
        assert_eq!(http.get().await, ["8::"]);
        assert!(begun.elapsed() >= Duration::from_millis(290), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn answers_carry_the_headers_that_old_browsers_need() {
    let server = Server::start().await;
    for (transport, content_type, body) in [
        ("xhr-polling", "text/plain; charset=UTF-8", "1::"),
        ("jsonp-polling", "text/javascript; charset=UTF-8", r#"io.j[5]("1::");"#),
    ] {
        let http = Http::handshake(server.address, transport).await;
        let response = http.client.get(format!("{}?t=1&i=5", http.url())).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers().get("x-xss-protection").is_some(), transport == "jsonp-polling");
        assert_eq!(response.text().await.unwrap(), body);
        let response = http.try_post("2::").await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; charset=UTF-8");
        assert_eq!(response.text().await.unwrap(), "1");
    }
}

#[tokio::test]
async fn the_index_of_a_script_is_digits_alone() {
    let server = Server::start().await;
    for index in ["i=x", "i=", "i=1]%28", "i=-1", ""] {
        let http = Http::handshake(server.address, "jsonp-polling").await;
        let body = http.client.get(format!("{}?{index}", http.url())).send().await.unwrap().text().await.unwrap();
        assert_eq!(body, r#"io.j[0]("1::");"#, "{index}");
    }
}

/// Old Internet Explorers send no content type at all.
#[tokio::test]
async fn a_body_is_read_whatever_its_content_type() {
    let server = Server::start().await;
    let http = Http::handshake(server.address, "xhr-polling").await;
    assert_eq!(http.get().await, ["1::"]);
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let mut request = http.client.post(http.url()).body(r#"5:1+::{"name":"no.such.command","args":["你好😀"]}"#);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "1");
        assert_eq!(http.get().await, [r#"6:::1+[{"code":404,"message":"未知命令","reason":"unknown_command"}]"#]);
    }
}

#[tokio::test]
async fn several_packets_are_framed_in_utf16_both_ways() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for transport in POLLING {
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        let texts = ["一 😀", "二 \u{fffd}3\u{fffd}8::", "三"];
        let packets = texts.map(|text| {
            format!("5:::{}", json!({"name": "message", "args": [{"id": 1, "data": {"to": alee.id, "message": text}}]}))
        });
        bob.send(&frame(&packets.each_ref().map(String::as_str))).await;
        for text in texts {
            alee.hears(text).await;
            bob.next("rspn").await;
        }
        for text in texts {
            alee.say(bob.id, text).await;
        }
        // Everything that waits comes in one answer.
        let packets = bob.http.get().await;
        assert_eq!(packets.len(), 3, "{packets:?}");
        for (packet, text) in packets.iter().zip(texts) {
            assert!(packet.starts_with(r#"5:::{"name":"message","args":[{"#) && packet.contains(text), "{packet}");
        }
    }
}

/// Over a poll that waits, the length of a lone packet is its own matter.
#[tokio::test]
async fn one_packet_is_not_framed() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let bob = server.old_person("bob", "xhr-polling").await;
    let (body, ()) = tokio::join!(bob.http.get_body(), alee.say(bob.id, "hi"));
    assert!(body.starts_with("5:::{"), "{body}");
    assert_eq!(unframe(&body).len(), 1);
}

#[tokio::test]
async fn of_two_polls_the_older_one_is_ended_and_the_newer_one_used() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let bob = server.old_person("bob", "xhr-polling").await;
    let older = bob.http.poll();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let newer = bob.http.poll();
    assert_eq!(older.answer().await, ["8::"]);
    alee.say(bob.id, "hi").await;
    let packets = newer.answer().await;
    assert!(packets[0].contains("hi"), "{packets:?}");
}

#[tokio::test]
async fn who_does_not_poll_for_too_long_is_gone() {
    let server = quick().await;
    for transport in POLLING {
        let mut alee = server.person(&format!("alee-{transport}")).await;
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        bob.befriend(&mut alee).await;
        // As long as he polls he is here, however long it takes.
        let polls = async {
            let end = Instant::now() + Duration::from_millis(1500);
            while Instant::now() < end {
                assert_eq!(bob.http.get().await, ["8::"]);
            }
        };
        let (gone, ()) = tokio::join!(alee.next("presence"), polls);
        assert_eq!(gone, json!({"id": bob.id, "presence": "离线"}));
        assert_eq!(bob.http.get().await, ["7:::1+0"]);
    }
}

#[tokio::test]
async fn an_unknown_session_is_told_to_reconnect_by_the_poll_and_not_by_the_post() {
    let server = Server::start().await;
    for transport in POLLING {
        let http = Http { sid: "unknown".to_owned(), ..Http::handshake(server.address, transport).await };
        assert_eq!(http.get().await, ["7:::1+0"]);
        http.post("2::").await;
        http.post(&"x".repeat(200_000)).await;
    }
}

/// Old server: an error with the advice to reconnect.
#[tokio::test]
async fn a_form_without_a_json_string_ends_the_session() {
    let server = Server::start().await;
    for body in ["", "d=", "d=5:::%7B%7D", "e=%222::%22", "d=%7B%7D"] {
        let client = server.old("jsonp-polling").await;
        let response = client.http.client.post(client.http.url()).body(body).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "1");
        assert_eq!(client.http.get().await, ["7:::1+0"], "{body}");
    }
}
