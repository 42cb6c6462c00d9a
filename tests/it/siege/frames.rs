//! Bytes on an open websocket, or in a body, that are against the rules. They cost their own connection.

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Siege, engine, hears};
use crate::support::{Http, Polling, Revision, TRANSPORTS, within};

/// What no client may send, by RFC 6455.
fn against_the_rules() -> Vec<(&'static str, Vec<u8>)> {
    let large = |length: u64| [&[0x82, 0xff][..], &length.to_be_bytes(), &[1, 2, 3, 4, 5]].concat();
    vec![
        ("without a mask", vec![0x81, 0x02, b'h', b'i']),
        ("with a reserved bit", vec![0xc1, 0x82, 0, 0, 0, 0, b'h', b'i']),
        ("of a reserved kind", vec![0x83, 0x80, 0, 0, 0, 0]),
        ("of a reserved control kind", vec![0x8b, 0x80, 0, 0, 0, 0]),
        ("a continuation of nothing", vec![0x80, 0x81, 0, 0, 0, 0, b'x']),
        ("a message inside of another", vec![0x01, 0x81, 0, 0, 0, 0, b'x', 0x81, 0x81, 0, 0, 0, 0, b'y']),
        ("a ping in pieces", vec![0x09, 0x80, 0, 0, 0, 0]),
        ("a ping too long", [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[b'x'; 126]].concat()),
        ("a length beyond the limit", large(2 << 20)),
        ("a length beyond all limits", large(u64::MAX)),
        ("a length beyond the sign", large(1 << 63)),
        ("text that is none", vec![0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]),
        ("a close with half a code", vec![0x88, 0x81, 0, 0, 0, 0, 3]),
        ("a close with a forbidden code", vec![0x88, 0x82, 0, 0, 0, 0, 0, 1]),
        ("not even a frame", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("nothing but ones", vec![0xff; 100_000]),
    ]
}

async fn carried(siege: &Siege, transport: &str) -> TcpStream {
    match transport {
        "websocket09" => Http::handshake(siege.server.address, "websocket").await.websocket().await.into_inner(),
        "mumichat" => {
            let stream = TcpStream::connect(siege.server.address).await.unwrap();
            let url = format!("ws://{}/", siege.server.address);
            within("the handshake", tokio_tungstenite::client_async(url, stream)).await.unwrap().0.into_inner()
        }
        query => {
            let mut socket = engine(siege.server.address, query).await;
            within("the first packet", socket.next()).await.unwrap().unwrap();
            socket.into_inner()
        }
    }
}

#[tokio::test]
async fn broken_frames_end_their_connection_and_leave_nothing() {
    let mut siege = Siege::new().await;
    for transport in ["EIO=4", "EIO=3", "websocket09", "mumichat"] {
        for (_what, bytes) in against_the_rules() {
            let mut stream = carried(&siege, transport).await;
            drop(stream.write_all(&bytes).await);
            hears(stream).await;
        }
        siege.undisturbed().await;
    }
    siege.over().await;
}

/// Pieces of one message: as many as one likes, but no more bytes than one may send at once.
#[tokio::test]
async fn a_message_in_pieces_has_the_same_limit() {
    let mut siege = Siege::new().await;
    let piece = |head: u8| [&[head, 0xfe, 0xff, 0xff, 0, 0, 0, 0][..], &[b'x'; 0xffff]].concat();
    for transport in ["EIO=4", "websocket09", "mumichat"] {
        let mut stream = carried(&siege, transport).await;
        let pieces = async {
            if stream.write_all(&piece(0x01)).await.is_ok() {
                while stream.write_all(&piece(0x00)).await.is_ok() {}
            }
        };
        within("the end of the connection", pieces).await;
    }
    siege.over().await;
}

/// Frames that are allowed and mean nothing.
#[tokio::test]
async fn empty_frames_and_pings_without_end_disturb_nobody() {
    let mut siege = Siege::new().await;
    for transport in ["EIO=4", "EIO=3", "websocket09", "mumichat"] {
        let mut stream = carried(&siege, transport).await;
        let pings = [&[0x89u8, 0x80, 0, 0, 0, 0][..], &[0x8a, 0x80, 0, 0, 0, 0]].concat().repeat(50_000);
        let empty = [&[0x01u8, 0x80, 0, 0, 0, 0][..], &[0x00, 0x80, 0, 0, 0, 0].repeat(50_000)].concat();
        for bytes in [pings, empty] {
            // Nobody reads the answers, so some of it may never be taken.
            drop(tokio::time::timeout(std::time::Duration::from_secs(2), stream.write_all(&bytes)).await);
            siege.undisturbed().await;
        }
    }
    siege.over().await;
}

#[tokio::test]
async fn broken_and_oversized_bodies_end_their_session_and_leave_nothing() {
    let mut siege = Siege::with(|config| (config.ping_interval_ms, config.ping_timeout_ms) = (200, 4000)).await;
    let address = siege.server.address;
    for revision in [Revision::V4, Revision::V3] {
        for body in [
            "",
            "\u{1e}",
            "x",
            "9",
            "4",
            "b",
            "b4!!!",
            "99999999999999999999:4",
            "1:",
            ":",
            "-1:4x",
            "4\u{1e}4\u{1e}",
            &"4".repeat(1000),
            &"42[\"friends\",{}]\u{1e}".repeat(1000),
            &"x".repeat(2 << 20),
        ] {
            let attack = async {
                let session = Polling::connect(address, revision).await;
                session.try_post_as_it_is(body).await;
            };
            siege.during(attack).await;
        }
    }
    for transport in TRANSPORTS.into_iter().skip(1) {
        let old = siege.server.old(transport).await;
        drop(old.http.try_post(&"x".repeat(2 << 20)).await);
    }
    siege.over().await;
}
