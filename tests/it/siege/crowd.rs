//! How many may be here, in all and from one address, and what the others are told.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use nodeim::config::Config;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Siege, from, hears};
use crate::support::{Client, Http, Mumi, Revision, Server, until};

/// The two who talk are at 127.0.0.1, as is who asks for figures.
const ATTACKER: &str = "127.0.0.66";

fn five_each(config: &mut Config) {
    config.connections_max_per_address = 5;
}

async fn turned_away(server: &Server, reason: &str) -> f64 {
    server.metric(&format!("nodeim_turned_away_total{{reason=\"{reason}\"}}")).await
}

/// The head of the answer to a new connection from `source` that asks for something.
async fn answer(server: &Server, source: &str) -> String {
    answer_at(server.address, source).await
}

async fn answer_at(address: SocketAddr, source: &str) -> String {
    let mut stream = from(source, address).await;
    drop(stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await);
    hears(stream).await
}

#[tokio::test]
async fn one_address_has_only_so_many_connections_and_hears_why() {
    let mut siege = Siege::with(five_each).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(from(ATTACKER, siege.server.address).await);
    }
    let refusal = answer(&siege.server, ATTACKER).await.to_lowercase();
    assert!(refusal.starts_with("http/1.1 429 ") && refusal.contains("retry-after: 10"), "{refusal}");
    assert!(refusal.ends_with("too many connections from one address\n"), "{refusal}");
    assert_eq!(turned_away(&siege.server, "address").await, 1.0);
    // Nobody else is concerned.
    assert!(answer(&siege.server, "127.0.0.67").await.starts_with("HTTP/1.1 200 "));
    siege.undisturbed().await;
    // One goes, another may come.
    held.pop();
    until("room", async || answer(&siege.server, ATTACKER).await.starts_with("HTTP/1.1 200 ")).await;
    drop(held);
    siege.over().await;
}

#[tokio::test]
async fn a_flood_of_connections_is_sent_away() {
    let mut siege = Siege::with(five_each).await;
    let mut streams = Vec::new();
    for _ in 0..500 {
        streams.push(from(ATTACKER, siege.server.address).await);
    }
    siege.undisturbed().await;
    until("all are counted", async || turned_away(&siege.server, "address").await == 495.0).await;
    // Those who were sent away are gone, whether or not they listen; the first five may stay for now.
    let mut told = 0;
    for stream in streams.split_off(5) {
        let heard = hears(stream).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 429 "), "{heard}");
        told += usize::from(!heard.is_empty());
    }
    assert!(told > 0, "nobody was told why");
    drop(streams);
    siege.over().await;
}

#[tokio::test]
async fn all_listeners_count_together() {
    let siege = Siege::with(|config| {
        five_each(config);
        config.listen_mumichat = Some((Ipv4Addr::LOCALHOST, 0).into());
    })
    .await;
    let mumichat = siege.server.mumichat_address.unwrap();
    let mut held = Vec::new();
    for address in [mumichat, siege.server.address, mumichat, siege.server.address, mumichat] {
        held.push(from(ATTACKER, address).await);
    }
    for address in [mumichat, siege.server.address] {
        // Each listener accepts for itself, so some of those five may come later than this one.
        until("no room", async || answer_at(address, ATTACKER).await.starts_with("HTTP/1.1 429 ")).await;
    }
    // Who comes from elsewhere can still use MumiChat.
    let stream = from("127.0.0.67", mumichat).await;
    Mumi::over(Box::new(stream), &format!("ws://{mumichat}/")).await.register("carol@example.com").await;
}

#[tokio::test]
async fn there_are_only_so_many_connections_in_all() {
    let mut siege = Siege::with(|config| config.connections_max = 8).await;
    let mut held = Vec::new();
    for n in 10..16 {
        held.push(from(&format!("127.0.0.{n}"), siege.server.address).await);
    }
    // Whoever asked for figures last may still have been one of them, in place of the sixth.
    held.push(from("127.0.0.16", siege.server.address).await);
    let refusal = answer(&siege.server, "127.0.0.99").await;
    assert!(refusal.starts_with("HTTP/1.1 503 ") && refusal.ends_with("too many connections in all\n"), "{refusal}");
    siege.undisturbed().await;
    drop(held);
    until("room", async || answer(&siege.server, "127.0.0.99").await.starts_with("HTTP/1.1 200 ")).await;
    assert!(turned_away(&siege.server, "all").await >= 1.0);
    siege.over().await;
}

#[tokio::test]
async fn new_connections_come_at_a_limited_rate() {
    let mut siege = Siege::with(|config| config.rate_connections_per_minute = 500).await;
    let begun = Instant::now();
    let mut welcome = 0;
    while !answer(&siege.server, ATTACKER).await.starts_with("HTTP/1.1 429 ") {
        welcome += 1;
        // What comes back while this machine is at it.
        let returned = begun.elapsed().as_secs_f64() * 500.0 / 60.0;
        assert!(f64::from(welcome) <= 501.0 + returned, "{welcome}");
    }
    assert!(welcome >= 500, "{welcome}");
    assert_eq!(turned_away(&siege.server, "rate").await, 1.0);
    siege.over().await;
}

/// A session over polling has no connection of its own; it is one all the same.
#[tokio::test]
async fn one_address_has_only_so_many_sessions() {
    let mut siege = Siege::with(|config| {
        config.connections_max_per_address = 20;
        (config.ping_interval_ms, config.ping_timeout_ms) = (200, 1500);
        config.connect_timeout_ms = 3000;
    })
    .await;
    // The two who talk have one each.
    let http = reqwest::Client::new();
    for path in [
        "/socket.io/?EIO=4&transport=polling",
        "/socket.io/?EIO=3&transport=polling",
        "/socket.io-msgpack/?EIO=4&transport=polling",
        "/socket.io/1/",
    ] {
        let ask = async || http.get(siege.server.url(path)).send().await.unwrap();
        let mut opened = 0;
        let refused = loop {
            let response = ask().await;
            match response.status().as_u16() {
                200 => opened += 1,
                _ => break response,
            }
            assert!(opened < 50, "{path}");
        };
        // Client 0.9 comes back after 503, and after nothing in between.
        assert_eq!(refused.status(), if path.ends_with("/1/") { 503 } else { 429 }, "{path}");
        assert_eq!(opened, 18, "{path}");
        siege.undisturbed().await;
        // None of them is used, so none stays.
        siege.alone().await;
    }
    siege.over().await;
}

#[tokio::test]
async fn sessions_that_are_used_count_until_they_end() {
    let mut siege = Siege::with(|config| config.connections_max_per_address = 20).await;
    let mut held = Vec::new();
    for n in 0..9 {
        held.push(siege.server.old("xhr-polling").await);
        assert_eq!(siege.server.metric("nodeim_socketio_sessions").await, f64::from(n) + 3.0);
    }
    for _ in 0..9 {
        Http::handshake(siege.server.address, "xhr-polling").await;
    }
    let refused = reqwest::get(siege.server.url("/socket.io/1/")).await.unwrap();
    assert_eq!(refused.status(), 503);
    // Another has all of its own.
    let stream = from(ATTACKER, siege.server.address).await;
    let mut other = Client::over(stream, Revision::V4, &[]).await;
    other.enter(Revision::V4).await;
    assert_eq!(other.code("friends", json!({})).await, 403);
    for old in held {
        old.http.client.get(format!("{}?disconnect=1", old.http.url())).send().await.unwrap();
    }
    until("room", async || reqwest::get(siege.server.url("/socket.io/1/")).await.unwrap().status() == 200).await;
    siege.undisturbed().await;
}

/// What a trusted proxy brings counts for those behind it, and not for the proxy.
#[tokio::test]
async fn behind_a_proxy_each_client_counts_for_itself() {
    const PROXY: &str = "127.0.0.80";
    let mut siege = Siege::with(|config| {
        five_each(config);
        config.rate_connections_per_minute = 50;
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
    })
    .await;
    let client = async |address: &str| {
        let stream = from(PROXY, siege.server.address).await;
        let mut client = Client::over(stream, Revision::V4, &[("x-forwarded-for", address)]).await;
        client.enter(Revision::V4).await;
        client
    };
    let mut held = Vec::new();
    for n in 0..60 {
        held.push(client(&format!("10.0.{}.1", n / 5)).await);
    }
    assert_eq!(siege.server.metric("nodeim_tcp_connections").await, 63.0);
    // One more of one of them, over a connection that is there or a new one.
    let ask = |address: &str| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n");
    let mut stream = from(PROXY, siege.server.address).await;
    stream.write_all(ask("10.0.99.1").as_bytes()).await.unwrap();
    stream.write_all(ask("10.0.0.1").as_bytes()).await.unwrap();
    let heard = hears(stream).await;
    let answers: Vec<_> = heard.match_indices("HTTP/1.1 ").map(|(at, _)| &heard[at + 9..at + 12]).collect();
    assert_eq!(answers, ["200", "429"], "{heard}");
    held.drain(..5);
    let again = async || {
        let mut stream = from(PROXY, siege.server.address).await;
        stream
            .write_all(ask("10.0.0.1").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        hears(stream).await.starts_with("HTTP/1.1 200 ")
    };
    until("room", again).await;
    drop(held);
    siege.over().await;
}

/// Who is no trusted proxy cannot make others of itself.
#[tokio::test]
async fn a_header_of_a_stranger_changes_nothing() {
    let mut siege = Siege::with(five_each).await;
    let mut held = Vec::new();
    for n in 0..5 {
        let mut stream = from(ATTACKER, siege.server.address).await;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.{n}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        held.push(stream);
    }
    assert!(answer(&siege.server, ATTACKER).await.starts_with("HTTP/1.1 429 "));
    drop(held);
    siege.over().await;
}

/// Old clients of MumiChat come as far as the websocket's handshake and hear of it there.
#[tokio::test]
async fn a_websocket_that_finds_no_room_fails_in_its_handshake() {
    let siege = Siege::with(five_each).await;
    let mut held: Vec<TcpStream> = Vec::new();
    for _ in 0..5 {
        held.push(from(ATTACKER, siege.server.address).await);
    }
    let stream = from(ATTACKER, siege.server.address).await;
    let refused = tokio_tungstenite::client_async(format!("ws://{}/", siege.server.address), stream).await;
    assert!(refused.unwrap_err().to_string().contains("429"));
}
