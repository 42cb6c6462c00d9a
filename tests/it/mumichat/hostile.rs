//! Clients that break the rules disturb nobody and cost little.

use futures_util::SinkExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Mumi, Server, answer, until, within};

/// Two people who talk while somebody attacks.
struct Scene {
    server: Server,
    alee: Mumi,
    bob: Mumi,
}

impl Scene {
    async fn new() -> Self {
        Self::on(Server::start().await).await
    }

    async fn on(server: Server) -> Self {
        let alee = server.mumi_person("alee@example.com").await;
        let bob = server.mumi_person("bob@example.com").await;
        Self { server, alee, bob }
    }

    async fn undisturbed(&mut self) {
        assert_eq!(self.alee.say(&self.bob.id, "undisturbed").await, 201);
        self.bob.hears("undisturbed").await;
        assert_eq!(self.server.get("/healthz").await.status(), 200);
    }
}

/// A connection after the handshake, byte by byte.
async fn bare(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    // Not a byte more: the greeting may be there already.
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the handshake", stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

#[tokio::test]
async fn strange_shapes_are_harmless() {
    let mut scene = Scene::new().await;
    let mut attacker = scene.server.mumi_person("attacker@example.com").await;
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_object = format!("{}1{}", r#"{"data":"#.repeat(6_000), "}".repeat(6_000));
    for frame in [
        deep.as_str(),
        &deep_object,
        &deep[..30_000],
        "{\"type\":\"message\",\"data\":{\"recipient\":1e999,\"content\":\"x\"}}",
        "{\"type\":\"message\",\"data\":{\"recipient\":\"\\ud800\",\"content\":\"x\"}}",
        "\u{feff}{}",
    ] {
        attacker.raw(frame).await;
    }
    attacker.heard_nothing().await;
    for data in [
        json!({"recipient": {"$gt": ""}, "content": "x"}),
        json!({"__proto__": {"admin": true}, "recipient": "__proto__", "content": "x"}),
        json!({"recipient": -1, "content": "x"}),
        json!({"recipient": 1e300, "content": "x"}),
    ] {
        attacker.raw(&json!({"type": "message", "data": data}).to_string()).await;
        assert_eq!(attacker.reply().await["code"], 10008, "{data}");
    }
    attacker.socket.send(Message::binary(vec![0xff; 1000])).await.unwrap();
    attacker.heard_nothing().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn frames_have_a_limit() {
    let mut scene = Scene::new().await;
    let mut attacker = scene.server.mumi().await;
    let frame = json!({"type": "x", "data": {"x": "x".repeat(64 * 1024 - 100)}}).to_string();
    assert!(frame.len() <= 64 * 1024);
    attacker.raw(&frame).await;
    attacker.heard_nothing().await;
    // The server may be gone before it is written.
    drop(attacker.socket.send(Message::text("x".repeat(64 * 1024 + 1))).await);
    attacker.gone().await;
    // A length that is only promised.
    let mut stream = bare(&scene.server).await;
    stream.write_all(&[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]).await.unwrap();
    answer(&mut stream).await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn whoever_says_nothing_at_all_is_pinged_and_then_let_go() {
    let server = Server::with(|config| {
        config.mumichat_ping_interval_ms = 100;
        config.mumichat_ping_timeout_ms = 2000;
    })
    .await;
    let mut silent = bare(&server).await;
    // Half a frame is silence too.
    silent.write_all(&[0x81]).await.unwrap();
    let mut heard = Vec::new();
    within("the end", silent.read_to_end(&mut heard)).await.unwrap();
    let (greeting, ping) = heard.split_at(2 + r#"{"key":"24AB50C2"}"#.len());
    assert!(greeting.starts_with(b"\x81\x12{"), "{greeting:?}");
    assert_eq!(ping, [0x89, 0]);
    // Whoever answers pings stays: this one reads, and so answers, until the other is gone.
    let mut quiet = server.mumi_person("quiet@example.com").await;
    let mut silent = bare(&server).await;
    let gone = answer(&mut silent);
    tokio::pin!(gone);
    let stayed = tokio::select! {
        _ = &mut gone => true,
        () = quiet.gone() => false,
    };
    assert!(stayed);
    quiet.heard_nothing().await;
}

#[tokio::test]
async fn whoever_does_not_log_in_is_let_go() {
    let server = Server::with(|config| config.mumichat_login_timeout_ms = 1500).await;
    let mut idle = server.mumi().await;
    idle.gone().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let mut other = server.mumi().await;
    other.gone().await;
    // Who is logged in may be idle for ever: longer than the other was, at least.
    alee.heard_nothing().await;
}

#[tokio::test]
async fn a_dead_clients_login_is_free_again() {
    let server = Server::with(|config| {
        config.mumichat_ping_interval_ms = 100;
        config.mumichat_ping_timeout_ms = 2000;
    })
    .await;
    // It does not read, so it does not answer either.
    let _dead = server.mumi_person("alee@example.com").await;
    server.mumi_again("alee@example.com").await;
}

#[tokio::test]
async fn whoever_does_not_read_is_cut_off_and_loses_nothing() {
    let server = Server::with(|config| {
        config.outbox_max_bytes = 64 * 1024;
        config.socket_buffer_bytes = 64 * 1024;
    })
    .await;
    let mut scene = Scene::on(server).await;
    let mut slow = Mumi::connect_narrow(scene.server.address).await;
    slow.register("slow@example.com").await;
    slow.login("slow@example.com").await;
    let text = "x".repeat(16 * 1024);
    let mut sent = 0;
    while scene.alee.say(&slow.id, &format!("{sent} {}", &text[10..])).await == 201 {
        sent += 1;
        assert!(sent < 2000, "it is never cut off");
    }
    sent += 1;
    scene.undisturbed().await;
    // What it took off its buffer in the end it may get once more.
    let mut again = scene.server.mumi_again("slow@example.com").await;
    let mut next = None;
    while next != Some(sent) {
        let push = again.next().await;
        let number: usize = push["content"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(next.is_none_or(|next| next == number), "{number} after {next:?}");
        next = Some(number + 1);
    }
}

#[tokio::test]
async fn a_flood_is_answered_in_order_or_ended() {
    let server = Server::with(|config| config.rate_commands_burst = 100).await;
    let mut scene = Scene::on(server).await;
    let mut attacker = scene.server.mumi().await;
    for _ in 0..10_000 {
        let frame = Message::text(r#"{"type":"message","data":{"recipient":"1","content":"x"}}"#);
        if attacker.socket.feed(frame).await.is_err() {
            break;
        }
    }
    drop(attacker.socket.flush().await);
    attacker.gone().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn many_idle_connections_are_no_trouble() {
    let mut scene = Scene::new().await;
    let mut idle = Vec::new();
    for _ in 0..500 {
        idle.push(bare(&scene.server).await);
    }
    scene.undisturbed().await;
    until("all are counted", async || scene.server.metric("nodeim_connections{transport=\"mumichat\"}").await == 502.0)
        .await;
    drop(idle);
    until("all are let go", async || scene.server.metric("nodeim_connections{transport=\"mumichat\"}").await == 2.0)
        .await;
}
