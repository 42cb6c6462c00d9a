//! Nobody fills the log by being refused.

use futures_util::SinkExt;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::hears;
use crate::support::{Database, PASSWORD, Process, within};

/// Lines that ask for somebody's attention.
fn loud(log: &[String]) -> Vec<&String> {
    log.iter().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect()
}

#[tokio::test]
async fn answers_of_status_500_and_more_are_no_errors_of_the_log() {
    let database = Database::new().await;
    let server = Process::start_with(&database, &[("NODEIM_SIO09_HANDSHAKES_PER_ADDRESS", "1")]);
    let http = reqwest::Client::new();
    let mut refused = 0;
    for _ in 0..50 {
        let response = http.get(format!("http://{}/socket.io/1/", server.address)).send().await.unwrap();
        refused += usize::from(response.status() == 503);
        let response = http.get(format!("http://{}/socket.io/2/", server.address)).send().await.unwrap();
        refused += usize::from(response.status() == 500);
    }
    assert_eq!(refused, 99);
    server.terminate();
    let (_, log) = server.ended();
    assert_eq!(loud(&log), [&""; 0]);
}

/// Connections that are turned away, and a library's own words about answers that nobody reads.
#[tokio::test]
async fn what_strangers_cause_is_logged_a_few_times_and_then_counted() {
    let database = Database::new().await;
    let variables = [
        ("NODEIM_CONNECTIONS_MAX_PER_ADDRESS", "2"),
        ("NODEIM_LOG_REPEATS_PER_MINUTE", "5"),
        ("NODEIM_SOCKET_BUFFER_PACKETS", "16"),
    ];
    let server = Process::start_with(&database, &variables);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.address);
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let held = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..100 {
        hears(TcpStream::connect(server.address).await.unwrap()).await;
    }
    drop(held);
    for _ in 0..2000 {
        socket.feed(Message::text("40/none,")).await.unwrap();
    }
    within("writing", socket.flush()).await.unwrap();
    // It has read it all when it lets one in.
    socket.send(Message::text("40")).await.unwrap();
    let credentials = json!({"username": "alee", "password": PASSWORD});
    socket.send(Message::text(format!("420{}", json!(["signup", credentials])))).await.unwrap();
    crate::support::until("it says how much was left out", async || {
        server.log().iter().any(|line| line.contains("lines of the log were left out"))
    })
    .await;
    server.terminate();
    let (_, log) = server.ended();
    let count = |what: &str| log.iter().filter(|line| line.contains(what)).count();
    assert!((1..=10).contains(&count("a client is turned away")), "{log:?}");
    assert!(count("invalid namespace") <= 10, "{log:?}");
    assert!(loud(&log).len() <= 30, "{log:?}");
}
