//! Who does not read the answers cannot make the server keep many of them.

use std::time::Duration;

use futures_util::SinkExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Database, Polling, Process, Revision, within};

const MEBI: usize = 1 << 20;
/// What an attacker sends in all, and what the server may keep of it.
const SENT: usize = 300 * MEBI;
const KEPT: usize = 60 * MEBI;

/// Of the memory of a process, what is its own and not of files.
fn memory(server: &Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn start(database: &Database) -> Process {
    Process::start_with(database, &[("NODEIM_TCP_USER_TIMEOUT_MS", "2000")])
}

/// The most memory that the server has while `attack` goes on, beyond what it had before.
async fn grown(server: &Process, attack: impl Future<Output = ()>) -> usize {
    let before = memory(server);
    let mut most = 0;
    let watch = async {
        loop {
            most = most.max(memory(server));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of an attack", async {
        tokio::select! {
            () = attack => {}
            () = watch => {}
        }
    })
    .await;
    most.max(memory(server)).saturating_sub(before)
}

/// The name of a namespace is repeated in the answer that there is none of this name.
#[tokio::test]
async fn long_names_of_namespaces_over_a_websocket() {
    let database = Database::new().await;
    let server = start(&database);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream: TcpStream = socket.connect(server.address).await.unwrap();
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.address);
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let packet = format!("40/{},", "x".repeat(MEBI - 100));
    let attack = async {
        for _ in 0..SENT / MEBI {
            // It is cut off at some point, since it takes nothing.
            if socket.send(Message::text(packet.clone())).await.is_err() {
                return;
            }
        }
    };
    let grown = grown(&server, attack).await;
    assert!(grown < KEPT, "{} MiB", grown / MEBI);
}

#[tokio::test]
async fn long_names_of_namespaces_over_polling() {
    let database = Database::new().await;
    let server = start(&database);
    let session = Polling::connect(server.address, Revision::V4).await;
    let packet = format!("40/{},", "x".repeat(MEBI - 100));
    let attack = async {
        for _ in 0..SENT / MEBI {
            if session.try_post(&packet).await != Some(reqwest::StatusCode::OK) {
                return;
            }
        }
    };
    let grown = grown(&server, attack).await;
    assert!(grown < KEPT, "{} MiB", grown / MEBI);
}
