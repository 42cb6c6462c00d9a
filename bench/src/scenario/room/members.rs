//! The members of the room, and the leave to send that a pace gives some of them.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::Client;
use crate::crowd;
use crate::packet::Packet;
use crate::payload::{Stamp, Tracker};
use crate::scenario::pace::Leave;
use crate::scenario::tally::{Tally, add};
use crate::server::Server;
use crate::wire::Wire;

const JOINING_AT_ONCE: usize = 16;
const SETUP_TIMEOUT: Duration = Duration::from_secs(180);

/// How many are in the room, and how many of them send when it is saturated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) members: u32,
    pub(super) senders: u32,
}

/// What the members share.
pub(super) struct Load {
    pub(super) tally: Tally,
    room: u64,
    pub(super) members: u64,
    joining: Semaphore,
    joined: Cell<u64>,
    /// For each member that may send
    pub(super) leaves: Vec<Leave>,
    /// The closed loop, where there is one
    window: Cell<Option<OpenWindow>>,
    /// Every how many messages the latency of a delivery is taken
    pub(super) timed_every: Cell<u32>,
}

/// A closed loop: for each message that has reached everybody, another may be sent.
///
/// It is closed over deliveries, as acks overtake them: who waits for acks only overruns the members.
#[derive(Clone, Copy, Debug)]
struct OpenWindow {
    /// Deliveries before it was opened
    before: u64,
    senders: usize,
    turn: usize,
}

impl Load {
    fn on_delivery(&self) {
        let Some(mut window) = self.window.get() else {
            return;
        };
        let delivered = self.tally.delivered.get() - window.before;
        if delivered.is_multiple_of(self.members) {
            self.leaves[window.turn].give();
            window.turn = (window.turn + 1) % window.senders;
            self.window.set(Some(window));
        }
    }

    /// Lets `senders` members have `messages` on their way.
    pub(super) fn open_window(&self, messages: u32, senders: usize) {
        self.window.set(Some(OpenWindow { before: self.tally.delivered.get(), senders, turn: 0 }));
        for message in 0..messages as usize {
            self.leaves[message % senders].give();
        }
    }

    /// Stops all senders.
    pub(super) fn close(&self) {
        self.window.set(None);
        self.leaves.iter().for_each(Leave::withdraw);
    }
}

/// Users, their connections and the room; returns when everybody is in and all is quiet.
pub(super) async fn gather(size: Size, wire: Wire, server: &Server) -> Result<(Rc<Load>, JoinSet<()>)> {
    let accounts = crowd::sign_up(server.addr(), size.members as usize).await?;
    let mut clients = crowd::sign_in_over(wire, server.addr(), &accounts).await?;
    let founder = clients.first_mut().context("a room needs a member")?;
    let created = founder.call("room.create", &json!({ "name": "bench" })).await?;
    let room = created["room"]["id"].as_u64();

    let load = Rc::new(Load {
        tally: Tally::new(),
        room: room.context("room.create: no id in the reply")?,
        members: u64::from(size.members),
        joining: Semaphore::new(JOINING_AT_ONCE),
        joined: Cell::new(0),
        leaves: (0..size.senders).map(|_| Leave::new()).collect(),
        window: Cell::new(None),
        timed_every: Cell::new(1),
    });
    let mut tasks = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        tasks.spawn_local(member(Rc::clone(&load), number, client));
    }
    settle(&load, server).await?;
    Ok((load, tasks))
}

/// Waits until all have joined and no frame has come for a while.
async fn settle(load: &Load, server: &Server) -> Result<()> {
    let begun = Instant::now();
    let mut quiet = (begun, 0);
    while load.joined.get() < load.members || quiet.0.elapsed() < Duration::from_millis(500) {
        sleep(Duration::from_millis(20)).await;
        let frames = load.tally.frames.get();
        if frames != quiet.1 {
            quiet = (Instant::now(), frames);
        }
        if begun.elapsed() > SETUP_TIMEOUT || load.tally.closed.get() > 0 {
            let joined = load.joined.get();
            let trouble = load.tally.first_trouble().unwrap_or_default();
            bail!("only {joined} members joined. {trouble} {}", server.log_tail());
        }
    }
    Ok(())
}

/// One member, until its task is ended.
async fn member(load: Rc<Load>, number: usize, mut client: Client) {
    let outcome = async {
        let turn = load.joining.acquire().await?;
        client.call("room.join", &json!({ "id": load.room })).await?;
        drop(turn);
        add(&load.joined, 1);
        match load.leaves.get(number) {
            Some(leave) => send_and_receive(&load, number, leave, &mut client).await,
            None => receive(&load, &mut client).await,
        }
    };
    if let Err(error) = Box::pin(outcome).await {
        load.tally.note_closed(&error);
    }
}

async fn receive(load: &Load, client: &mut Client) -> Result<()> {
    let mut tracker = Tracker::new(load.leaves.len());
    loop {
        let text = client.recv().await?;
        note(load, &mut tracker, &text);
    }
}

async fn send_and_receive(load: &Load, sender: usize, leave: &Leave, client: &mut Client) -> Result<()> {
    let tally = &load.tally;
    let sender = u32::try_from(sender)?;
    let mut tracker = Tracker::new(load.leaves.len());
    let mut unacked = HashMap::new();
    let mut data = String::new();
    let mut number = 0;
    loop {
        tokio::select! {
            text = client.recv() => {
                let text = text?;
                match Packet::of(&text) {
                    Packet::Ack { id, body } => {
                        if let Some(sent_us) = unacked.remove(&id) {
                            tally.note_ack(body, sent_us);
                        }
                    }
                    _ => note(load, &mut tracker, &text),
                }
            }
            due_us = leave.take() => {
                let sent_us = due_us?.unwrap_or_else(|| tally.now_us());
                data.clear();
                write!(data, "{{\"room\":{},\"message\":\"", load.room)?;
                Stamp { sender, number, sent_us }.write(&mut data);
                data.push_str("\"}");
                let id = client.send("room.message", &data).await?;
                unacked.insert(id, sent_us);
                number += 1;
                add(&tally.sent, 1);
            }
        }
    }
}

fn note(load: &Load, tracker: &mut Tracker, text: &str) {
    add(&load.tally.frames, 1);
    if Packet::of(text) == Packet::Message
        && let Some(stamp) = Stamp::find(text)
    {
        let in_order = tracker.note(stamp);
        let timed = stamp.number.is_multiple_of(load.timed_every.get());
        load.tally.note_delivery(text, stamp, in_order, timed);
        load.on_delivery();
    }
}
