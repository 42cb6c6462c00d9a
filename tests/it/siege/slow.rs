//! Two hundred slow connections at once, of every kind.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use super::{Siege, engine};
use crate::support::{Client, Database, Http, Mumi, PASSWORD, Polling, Process, Revision, Server, until};

const EACH: usize = 20;

/// Connections that hold on for as long as they are let.
#[derive(Default)]
struct Slow {
    streams: Vec<TcpStream>,
    sockets: Vec<tokio_tungstenite::WebSocketStream<TcpStream>>,
    polls: Vec<Polling>,
    mumis: Vec<Mumi>,
}

impl Slow {
    async fn new(server: std::net::SocketAddr, token: &str) -> Self {
        let mut slow = Self::default();
        let upload = format!(
            "POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: bearer {token}\r\nContent-Length: 100000\r\n\
             Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"fi"
        );
        for _ in 0..EACH {
            // Nothing, half a head, half of an upload.
            for said in ["", "GET / HTTP/1.1\r\nHost: x\r\nx-slow: ", &upload] {
                let mut stream = TcpStream::connect(server).await.unwrap();
                stream.write_all(said.as_bytes()).await.unwrap();
                slow.streams.push(stream);
            }
            // Half a body for a session of today, and of 2013.
            let session = Polling::connect(server, Revision::V4).await;
            let old = Http::handshake(server, "xhr-polling").await;
            old.get().await;
            for path in [session.path(), &format!("/socket.io/1/xhr-polling/{}", old.sid)] {
                let mut stream = TcpStream::connect(server).await.unwrap();
                let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4");
                stream.write_all(head.as_bytes()).await.unwrap();
                slow.streams.push(stream);
            }
            slow.polls.push(session);
            // Websockets that send half a frame, and never read.
            let mut socket = engine(server, "EIO=4").await;
            socket.send(Message::text("40")).await.unwrap();
            let mut halves = [socket.into_inner(), engine(server, "EIO=3").await.into_inner()];
            for half in &mut halves {
                half.write_all(&[0x81, 0xfe, 0x10]).await.unwrap();
            }
            slow.streams.extend(halves);
            let old = Http::handshake(server, "websocket").await;
            slow.sockets.push(old.websocket().await);
            slow.mumis.push(Mumi::connect(server).await);
            // One that takes little of a large answer.
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            let mut stream = socket.connect(server).await.unwrap();
            let pipelined = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
            drop(tokio::time::timeout(Duration::from_secs(1), stream.write_all(pipelined.as_bytes())).await);
            slow.streams.push(stream);
        }
        slow
    }

    fn count(&self) -> usize {
        self.streams.len() + self.sockets.len() + self.mumis.len()
    }
}

#[tokio::test]
async fn two_hundred_slow_connections_disturb_nobody_and_are_let_go() {
    let mut siege = Siege::with(|config| {
        config.header_timeout_ms = 3000;
        config.upload_idle_timeout_ms = 3000;
        config.tcp_user_timeout_ms = 3000;
        config.connect_timeout_ms = 3000;
        config.uploads_max_per_user = 100;
        (config.ping_interval_ms, config.ping_timeout_ms) = (1000, 2000);
        (config.mumichat_ping_interval_ms, config.mumichat_ping_timeout_ms) = (1000, 2000);
    })
    .await;
    let token = siege.alee.token.clone();
    let address = siege.server.address;
    let slow = siege.during(Box::pin(Slow::new(address, &token))).await;
    assert_eq!(slow.count(), 10 * EACH);
    // They are all held until the server lets them go.
    siege.over().await;
    drop(slow);
}

/// The same for a process: every file descriptor comes back.
#[tokio::test]
async fn their_descriptors_come_back() {
    let database = Database::new().await;
    let variables = [
        ("NODEIM_HEADER_TIMEOUT_MS", "2000"),
        ("NODEIM_UPLOAD_IDLE_TIMEOUT_MS", "2000"),
        ("NODEIM_TCP_USER_TIMEOUT_MS", "2000"),
        ("NODEIM_CONNECT_TIMEOUT_MS", "2000"),
        ("NODEIM_UPLOADS_MAX_PER_USER", "100"),
        ("NODEIM_PING_INTERVAL_MS", "1000"),
        ("NODEIM_PING_TIMEOUT_MS", "2000"),
        ("NODEIM_MUMICHAT_PING_INTERVAL_MS", "1000"),
        ("NODEIM_MUMICHAT_PING_TIMEOUT_MS", "2000"),
    ];
    let server = Process::start_with(&database, &variables);
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    let mut alee = server.connect().await;
    alee.ok("signup", json!({"username": "alee", "password": PASSWORD})).await;
    alee.username = "alee".to_owned();
    alee.sign_in().await;
    let token = alee.token.clone();
    // The first time the server opens what it then keeps, as connections to its database.
    let mut kept = usize::MAX;
    for _ in 0..2 {
        let stays = async {
            loop {
                alee.ok("friends", json!({})).await;
                tokio::time::sleep(super::PAUSE).await;
            }
        };
        let _slow = tokio::select! {
            slow = Slow::new(server.address, &token) => slow,
            never = stays => never,
        };
        let mut now = descriptors();
        until("all of them are gone", async || {
            alee.ok("friends", json!({})).await;
            now = descriptors();
            now < 60 && now <= kept
        })
        .await;
        kept = now;
    }
}

/// Who reads slowly what others say in a room slows nobody down.
#[tokio::test]
async fn slow_readers_of_a_room_slow_nobody_down() {
    let server = Server::with(|config| {
        config.outbox_max_bytes = 256 * 1024;
        config.socket_buffer_bytes = 64 * 1024;
    })
    .await;
    let mut siege = Siege::of(server).await;
    let room = siege.alee.room("tea").await;
    siege.bob.join(room).await;
    siege.alee.next("room.join").await;
    let mut slow = Vec::new();
    for n in 0..10 {
        let mut client = Client::connect_narrow(siege.server.address).await;
        client.ok("signup", json!({"username": format!("slow{n}"), "password": PASSWORD})).await;
        client.username = format!("slow{n}");
        client.sign_in().await;
        client.join(room).await;
        siege.alee.next("room.join").await;
        siege.bob.next("room.join").await;
        slow.push(client);
    }
    let text = "x".repeat(30_000);
    until("the end of those who do not read", async || {
        siege.alee.ok("room.message", json!({"room": room, "message": text})).await;
        for client in [&mut siege.alee, &mut siege.bob] {
            while client.next_event("message").await.0 != "message" {}
        }
        siege.server.metric("nodeim_outbox_overflows_total").await == 10.0
    })
    .await;
    drop(slow);
    siege.alone().await;
}
