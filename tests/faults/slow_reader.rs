//! One member of a busy room stops reading.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::load::{Frame, Gone, Person, Wire, account};
use crate::support::{Database, Process, until, within};
use crate::vitals::Vitals;

/// In the room: the sender, the slow one, and the others.
const MEMBERS: usize = 50;
const MESSAGES: usize = 20_000;
const BYTES: usize = 1024;
/// Said before the slow one comes, so that the server has the memory that such a room takes anyhow.
const WARM_UP: usize = 2_000;
/// Divides both.
const AT_A_TIME: usize = 100;

/// The documented limits: what waits in the outbox, and in the buffer before it.
const OUTBOX: u64 = (8 << 20) + (256 << 10);
/// Messages in the outbox are texts of their own, and the memory of a queue that grows is taken twice for a moment.
const SLACK: u64 = 10 << 20;

fn text(number: usize) -> String {
    format!("{number:05} {}", "x".repeat(BYTES - 6))
}

/// The number in front of a message's text; nothing if the frame is no message.
fn number(frame: &str) -> Option<usize> {
    let rest = frame.strip_prefix(r#"42["message","#)?;
    let (_, text) = rest.split_once(r#""message":""#)?;
    text[..5].parse().ok()
}

/// Reads on and on; each message must be the next one.
async fn read_all(mut wire: Wire, got: Arc<AtomicUsize>) {
    loop {
        let frame = wire.read_text().await.expect("a member who reads stays connected");
        if let Some(number) = number(&frame) {
            assert_eq!(number, got.fetch_add(1, Ordering::Relaxed), "in order and without a gap");
        }
    }
}

/// The members who read.
struct Others {
    tasks: JoinSet<()>,
    got: Vec<Arc<AtomicUsize>>,
}

impl Others {
    /// How far the last one of them is.
    fn slowest(&mut self) -> usize {
        if let Some(Err(error)) = self.tasks.try_join_next() {
            panic!("a member who reads: {error}");
        }
        self.got.iter().map(|got| got.load(Ordering::Relaxed)).min().unwrap()
    }

    /// Waits until all of them have `count` messages.
    async fn have(&mut self, count: usize) {
        until("what the others get", async || self.slowest() >= count).await;
    }
}

/// Says the messages with these numbers, so many at a time, and calls `pause` whenever all others have them: what the
/// server holds then is the slow one's.
async fn say(
    wire: &mut Wire,
    room: i64,
    numbers: std::ops::Range<usize>,
    others: &mut Others,
    mut pause: impl FnMut(),
) {
    for first in numbers.step_by(AT_A_TIME) {
        let mut unanswered = HashSet::new();
        for number in first..first + AT_A_TIME {
            let message = json!({"room": room, "message": text(number)});
            unanswered.insert(wire.send("room.message", &message).await.unwrap());
        }
        while !unanswered.is_empty() {
            if let Frame::Reply(ack, reply) = within("an acknowledgement", wire.read()).await.unwrap() {
                assert_eq!(reply["code"], 200, "{reply}");
                unanswered.remove(&ack);
            }
        }
        others.have(first + AT_A_TIME).await;
        pause();
    }
}

/// Comes in over a socket that takes little without being read.
async fn come_narrow(person: &Person, address: SocketAddr) -> (Wire, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let local = stream.local_addr().unwrap();
    let mut wire = Wire::over(stream).await.unwrap();
    wire.ok("signin", json!({"token": person.token})).await;
    (wire, local)
}

/// Everything from `wire` until its end, or until the last message.
async fn read_to_the_end(mut wire: Wire, got: &mut Vec<usize>) {
    while got.last() != Some(&(WARM_UP + MESSAGES - 1)) {
        match within("what the slow one missed", wire.read_text()).await {
            Ok(frame) => got.extend(number(&frame)),
            Err(Gone) => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_costs_an_outbox_and_no_more_and_holds_nobody_up() {
    let database = Database::new().await;
    // Neither a heartbeat nor the kernel's patience ends within the test: it is the outbox that is to end the connection.
    let variables =
        [("NODEIM_RATE_LIMIT", "off"), ("NODEIM_PING_INTERVAL_MS", "600000"), ("NODEIM_TCP_USER_TIMEOUT_MS", "600000")];
    let process = Process::start_with(&database, &variables);
    let (address, vitals) = (process.address, Vitals::of(&process));

    let sender = account(address, "sender").await;
    let mut wire = sender.enter(address, true, &mut Vec::new()).await.unwrap();
    let room = wire.ok("room.create", json!({"name": "tea"})).await["room"]["id"].as_i64().unwrap();
    let mut others = Others { tasks: JoinSet::new(), got: Vec::new() };
    for place in 0..MEMBERS - 2 {
        let person = account(address, &format!("member{place}")).await;
        let mut member = person.enter(address, false, &mut Vec::new()).await.unwrap();
        member.ask("room.join", &json!({"id": room}), &mut Vec::new()).await.unwrap();
        others.got.push(Arc::default());
        others.tasks.spawn(read_all(member, Arc::clone(others.got.last().unwrap())));
    }
    let slow = account(address, "slow").await;
    let mut visit = slow.enter(address, false, &mut Vec::new()).await.unwrap();

    say(&mut wire, room, 0..WARM_UP, &mut others, || {}).await;
    visit.ok("room.join", json!({"id": room})).await;
    drop(visit);
    until("the slow one's first connection ends", async || {
        vitals.metric(r#"nodeim_connections{transport="websocket"}"#).await == (MEMBERS - 1) as f64
    })
    .await;

    let (slow_wire, slow_address) = come_narrow(&slow, address).await;
    assert!(vitals.holds(slow_address));
    let before = vitals.memory();
    let mut highest = before;

    // Nothing is read from `slow_wire` all the while, and everybody else has everything at the end of it.
    let watch = || highest = highest.max(vitals.memory());
    say(&mut wire, room, WARM_UP..WARM_UP + MESSAGES, &mut others, watch).await;
    let grown = highest - before;
    eprintln!("memory before {} KiB, and at most {} KiB more", before >> 10, grown >> 10);
    assert!(grown <= OUTBOX + SLACK, "the server's memory has grown by {} KiB", grown >> 10);
    assert_eq!(vitals.metric("nodeim_outbox_overflows_total").await, 1.0);
    until("the slow one's descriptor is free", async || !vitals.holds(slow_address)).await;
    let connections = vitals.metric(r#"nodeim_connections{transport="websocket"}"#).await;
    assert_eq!(connections, (MEMBERS - 1) as f64);

    let mut got = Vec::new();
    read_to_the_end(slow_wire, &mut got).await;
    let before = got.len();
    assert!(got.iter().copied().eq(WARM_UP..WARM_UP + before), "in order, up to some point: {got:?}");
    assert!(before < MESSAGES, "it was given everything without reading");
    let (slow_wire, _) = come_narrow(&slow, address).await;
    let mut again = Vec::new();
    read_to_the_end(slow_wire, &mut again).await;
    assert!(again[0] <= WARM_UP + before, "a gap between {before} and {}", again[0] - WARM_UP);
    assert!(again.iter().copied().eq(again[0]..WARM_UP + MESSAGES), "in order to the end: {again:?}");
    eprintln!("the slow one read {before} messages, and {} after its return", again.len());
}
