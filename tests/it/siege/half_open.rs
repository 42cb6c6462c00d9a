//! Connections that are opened and then not used.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use nodeim::config::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Siege, engine, hears, lives_on, says};
use crate::support::{Http, Polling, Revision, Server};

const PACE: Duration = Duration::from_millis(50);

fn short_times(config: &mut Config) {
    config.header_timeout_ms = 500;
    (config.ping_interval_ms, config.ping_timeout_ms) = (200, 2000);
}

#[tokio::test]
async fn who_says_nothing_at_all_is_let_go() {
    let server = Server::with(|config| {
        short_times(config);
        config.listen_mumichat = Some((Ipv4Addr::LOCALHOST, 0).into());
    })
    .await;
    let mut siege = Siege::of(server).await;
    for address in [siege.server.address, siege.server.mumichat_address.unwrap()] {
        assert_eq!(siege.during(says(address, "")).await, "");
    }
    siege.over().await;
}

#[tokio::test]
async fn headers_that_drip_in_are_not_waited_for() {
    let mut siege = Siege::with(short_times).await;
    let mut stream = TcpStream::connect(siege.server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let drip = async {
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(PACE).await
        }
    };
    siege.during(drip).await;
    siege.over().await;
}

#[tokio::test]
async fn a_connection_that_is_kept_and_not_used_is_let_go() {
    let mut siege = Siege::with(short_times).await;
    let address = siege.server.address;
    let heard = siege.during(says(address, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    siege.over().await;
}

#[tokio::test]
async fn a_head_without_end_has_a_limit() {
    let mut siege = Siege::new().await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nx: {}\r\n", "x".repeat(70_000));
    let heard = says(siege.server.address, &head).await;
    assert!(heard.starts_with("HTTP/1.1 431"), "{heard}");
    siege.over().await;
}

/// A polling session goes on as long as heartbeats are answered; a body that never ends does not.
#[tokio::test]
async fn bodies_that_drip_in_are_not_waited_for() {
    let mut siege = Siege::with(|config| {
        short_times(config);
        config.ping_timeout_ms = 1000;
    })
    .await;
    let address = siege.server.address;
    let session = Polling::connect(address, Revision::V4).await;
    for length in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
        let head = format!("POST {} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n", session.path());
        let mut stream = TcpStream::connect(siege.server.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let drip = async {
            while stream.write_all(b"1\r\n4\r\n").await.is_ok() {
                tokio::time::sleep(PACE).await
            }
        };
        siege.during(drip).await;
    }
    drop(session);
    siege.over().await;
}

/// Where nobody wants a body, nobody waits for it.
#[tokio::test]
async fn bodies_that_nobody_reads_are_not_waited_for() {
    let mut siege = Siege::with(short_times).await;
    let address = siege.server.address;
    for target in [
        "GET /healthz",
        "GET /",
        "POST /",
        "GET /metrics",
        "POST /mumichat",
        "POST /socket.io/?EIO=4",
        "POST /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAHs",
        "PUT /api/files",
        "POST /nodeim-server/Status",
        "GET /socket.io/1/",
        "POST /nothing",
        "GET /public/files/nodeim-server/x.png",
    ] {
        let head = format!("{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nxxx");
        let heard = siege.during(says(address, &head)).await;
        assert!(heard.starts_with("HTTP/1.1 "), "{target}: {heard}");
    }
    siege.over().await;
}

#[tokio::test]
async fn websockets_that_never_say_a_word_are_let_go() {
    let mut siege = Siege::with(short_times).await;
    let address = siege.server.address;
    for query in ["EIO=4", "EIO=3"] {
        let socket = engine(siege.server.address, query).await;
        siege.during(hears(socket.into_inner())).await;
    }
    let msgpack = "GET /socket.io-msgpack/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(siege.during(says(address, msgpack)).await.starts_with("HTTP/1.1 101"));
    // Of 2013: promised and opened, and promised and never opened.
    let http = Http::handshake(siege.server.address, "websocket").await;
    let socket = http.websocket().await;
    siege.during(hears(socket.into_inner())).await;
    siege.over().await;
}

#[tokio::test]
async fn a_namespace_that_is_never_entered_is_not_waited_for() {
    let mut siege = Siege::with(|config| {
        short_times(config);
        config.connect_timeout_ms = 1000;
    })
    .await;
    let socket = engine(siege.server.address, "EIO=4").await;
    siege.during(lives_on(socket)).await;
    // Over polling, and promised to a client of 2013.
    reqwest::get(siege.server.url("/socket.io/?EIO=4&transport=polling")).await.unwrap();
    Http::handshake(siege.server.address, "xhr-polling").await;
    siege.over().await;
}

/// Well before who was given ten times as long, so it is our limit and not the library's own.
#[tokio::test]
async fn a_move_to_a_websocket_that_is_never_finished_ends() {
    let mut siege = Siege::with(|config| {
        short_times(config);
        // The session itself lives on meanwhile.
        config.ping_timeout_ms = 8000;
        config.connect_timeout_ms = 10 * config.header_timeout_ms;
    })
    .await;
    for said in [&[][..], &["2probe"]] {
        let mut session = Polling::connect(siege.server.address, Revision::V4).await;
        let mut socket = engine(siege.server.address, &format!("EIO=4&sid={}", session.sid())).await;
        for packet in said {
            use futures_util::SinkExt;
            socket.send(tokio_tungstenite::tungstenite::Message::text(*packet)).await.unwrap();
        }
        let outside = engine(siege.server.address, "EIO=4").await;
        tokio::select! {
            _ = siege.during(hears(socket.into_inner())) => {}
            () = lives_on(outside) => panic!("it was waited for too long"),
        }
        session.bodies.clear();
    }
    siege.over().await;
}

/// Whoever hangs up at the very moment at which a websocket is opened leaves no session behind.
#[tokio::test]
async fn who_hangs_up_in_the_handshake_leaves_nothing() {
    let mut siege = Siege::with(short_times).await;
    let address = siege.server.address;
    for path in ["/socket.io/?EIO=4&transport=websocket", "/socket.io/?EIO=3&transport=websocket", "/"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let attack = async {
            for n in 0..500 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_zero_linger().unwrap();
                stream.write_all(request.as_bytes()).await.unwrap();
                // Somewhat later each time.
                let moment = Instant::now() + Duration::from_micros(4 * n);
                while Instant::now() < moment {
                    std::hint::spin_loop();
                }
            }
        };
        siege.during(attack).await;
    }
    siege.over().await;
}
