//! People who come and go all the time, over every transport, some with a goodbye and some without.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::load::{Frame, Person, Wire, account};
use crate::support::{Client, Database, Mumi, Old, PASSWORD, Polling, Process, Revision, until, within};
use crate::vitals::Vitals;

/// A hundred a second, for half a minute.
const PACE: Duration = Duration::from_millis(10);
const VISITS: usize = 3_000;
/// As many kinds of visits as there are, this often, before anything is measured: whatever the server holds on to for
/// good, such as its database connections and caches, it has then.
const WARM_UP: usize = 900;
const PEOPLE: usize = 90;
/// Visits at the same time, on a machine that is slower than the pace.
const AT_ONCE: usize = 64;
/// What the memory may differ by afterwards: 2 KiB a visit, less than what a connection takes. An allocator that was
/// asked by more threads at a time than before keeps some; it does not go on growing.
const SLACK: u64 = 6 << 20;
const OFFLINE: &str = "离线";

/// One visit. There are as many kinds as there are ways to be here, times two: with a goodbye and without.
async fn visit(number: usize, address: SocketAddr) {
    let username = format!("person{}", number % PEOPLE);
    let is_orderly = (number / KINDS).is_multiple_of(2);
    match number % KINDS {
        0 => websocket(address, Revision::V4, username, is_orderly).await,
        1 => websocket(address, Revision::V3, username, is_orderly).await,
        2 => polling(address, Revision::V4, &username, is_orderly).await,
        3 => polling(address, Revision::V3, &username, is_orderly).await,
        4 => old(address, "websocket", username, is_orderly).await,
        5 => old(address, "xhr-polling", username, is_orderly).await,
        6 => mumichat(address, &username, is_orderly).await,
        7 => half_open(address, is_orderly).await,
        _ => strange(address, is_orderly).await,
    }
}

const KINDS: usize = 9;

async fn websocket(address: SocketAddr, revision: Revision, username: String, is_orderly: bool) {
    let mut client = Client::connect(address, revision).await;
    client.username = username;
    client.sign_in().await;
    if is_orderly {
        client.close().await;
    }
}

async fn polling(address: SocketAddr, revision: Revision, username: &str, is_orderly: bool) {
    let mut session = Polling::connect(address, revision).await;
    let credentials = json!(["signin", {"username": username, "password": PASSWORD}]);
    session.post(&format!("420{credentials}")).await;
    assert!(session.until("430").await.contains("200"));
    if is_orderly {
        session.post("1").await;
    } else {
        // The last request is given up while it waits.
        drop(tokio::time::timeout(PACE, session.poll()).await);
    }
}

async fn old(address: SocketAddr, transport: &'static str, username: String, is_orderly: bool) {
    let mut client = Old::connect(address, transport).await;
    client.username = username;
    client.sign_in().await;
    if is_orderly {
        client.send("0::").await;
    } else {
        client.vanish();
    }
}

async fn mumichat(address: SocketAddr, username: &str, is_orderly: bool) {
    let mut client = Mumi::connect(address).await;
    let credentials = json!({"email": username, "password": PASSWORD});
    // There the last visit must have been noticed to be over.
    let login = async { while client.code("login", credentials.clone()).await != 202 {} };
    within("a login", login).await;
    if is_orderly {
        client.close().await;
    }
}

/// A session that enters no namespace, and one that is promised and never opened.
async fn half_open(address: SocketAddr, is_websocket: bool) {
    if is_websocket {
        drop(Client::open(address, Revision::V4, &[]).await);
    } else {
        let url = format!("http://{address}/socket.io/1/?t=1");
        assert_eq!(within("a handshake", reqwest::get(url)).await.unwrap().status(), 200);
    }
}

/// Half a request, and nothing at all.
async fn strange(address: SocketAddr, writes: bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    if writes {
        stream.write_all(b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    }
}

/// The visits with these numbers, at the pace.
async fn churn(numbers: std::ops::Range<usize>, address: SocketAddr) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut visits = JoinSet::new();
    for number in numbers {
        pace.tick().await;
        visits.spawn(visit(number, address));
        while visits.len() >= AT_ONCE {
            visits.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(ended) = visits.join_next().await {
        ended.unwrap();
    }
}

/// Somebody who stays, and has all the others as friends.
struct Watcher {
    wire: Wire,
    events: Vec<(String, Value)>,
}

impl Watcher {
    async fn with_friends(address: SocketAddr) -> Self {
        let watcher = account(address, "watcher").await;
        let wire = watcher.enter(address, true, &mut Vec::new()).await.unwrap();
        let mut watcher = Self { wire, events: Vec::new() };
        for number in 0..PEOPLE {
            let Person { id, token } = account(address, &format!("person{number}")).await;
            watcher.ask("subscribe", json!({"to": id})).await;
            let mut friend = Wire::connect(address).await.unwrap();
            let me = json!({"token": token, "api": 2});
            friend.ok("signin", me).await;
            let requests = friend.ok("requests", json!({})).await;
            friend.ok("reply", json!({"to": requests["incoming"][0]["user"]["id"]})).await;
        }
        watcher
    }

    async fn ask(&mut self, command: &str, data: Value) -> Value {
        let reply = self.wire.ask(command, &data, &mut self.events).await.unwrap();
        assert_eq!(reply["code"], 200, "{command} -> {reply}");
        reply
    }

    /// Listens until `others` are done.
    async fn listen_while(&mut self, others: impl Future<Output = ()>) {
        let mut others = std::pin::pin!(others);
        loop {
            tokio::select! {
                () = &mut others => return,
                frame = self.wire.read() => if let Frame::Event(name, data) = frame.unwrap() {
                    self.events.push((name, data));
                },
            }
        }
    }

    /// Waits until nobody else is here, as friends see it.
    async fn sees_nobody(&mut self) {
        until("everybody is seen to be gone", async || {
            let friends = self.ask("friends", json!({})).await;
            let friends = friends["list"].as_array().unwrap();
            assert_eq!(friends.len(), PEOPLE);
            friends.iter().all(|friend| friend["presence"] == OFFLINE)
        })
        .await;
    }
}

/// Waits until the server has nobody but the watcher.
async fn settle(vitals: &Vitals, watcher: &mut Watcher) {
    watcher.sees_nobody().await;
    until("all connections are gone", async || vitals.sum("nodeim_connections").await == 1.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_come_and_gone_leaves_nothing_behind() {
    let database = Database::new().await;
    // Heartbeats so short that sessions without a connection end soon, and few database connections, all in use early.
    let variables = [
        ("NODEIM_RATE_LIMIT", "off"),
        ("NODEIM_PING_INTERVAL_MS", "3000"),
        ("NODEIM_PING_TIMEOUT_MS", "3000"),
        ("NODEIM_CONNECT_TIMEOUT_MS", "6000"),
        ("NODEIM_DATABASE_CONNECTIONS", "2"),
    ];
    let process = Process::start_with(&database, &variables);
    let (address, vitals) = (process.address, Vitals::of(&process));
    let mut watcher = Watcher::with_friends(address).await;

    watcher.listen_while(churn(0..WARM_UP, address)).await;
    settle(&vitals, &mut watcher).await;
    let (memory, descriptors) = (vitals.memory(), vitals.descriptors());
    watcher.listen_while(churn(WARM_UP..WARM_UP + VISITS, address)).await;
    settle(&vitals, &mut watcher).await;
    until("all descriptors are free", async || vitals.descriptors() <= descriptors).await;
    let after = vitals.memory();
    eprintln!(
        "{VISITS} visits: {} KiB before and {} KiB after them; {descriptors} descriptors before and {} after",
        memory >> 10,
        after >> 10,
        vitals.descriptors(),
    );
    assert!(after <= memory + SLACK, "the server has kept {} KiB", (after - memory) >> 10);

    let seen = watcher.events.iter().filter(|(name, _)| name == "presence").count();
    assert!(seen >= VISITS / 2, "friends saw {seen} comings and goings");
    let last = |id: &Value| watcher.events.iter().rev().find(|(name, data)| name == "presence" && data["id"] == *id);
    for (_, data) in watcher.events.iter().filter(|(name, _)| name == "presence") {
        let (_, last) = last(&data["id"]).unwrap();
        assert_eq!(last["presence"], OFFLINE, "the last that was heard of {}", data["id"]);
    }
}
