//! The pairs: senders who write, each to a receiver of its own that checks that all of it comes, once and in order.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

use anyhow::Result;
use tokio::task::JoinSet;

use super::pace::Leave;
use super::tally::{Tally, add};
use crate::client::Client;
use crate::crowd::{self, Account};
use crate::packet::Packet;
use crate::payload::{Stamp, Tracker};
use crate::server::Server;

/// What one pair agrees on.
#[derive(Default)]
struct Pair {
    /// These three since a load began
    sent: Cell<u64>,
    acked: Cell<u64>,
    received: Cell<u64>,
    /// The next message's number
    next: Cell<u32>,
}

/// What all of them count together.
pub(super) struct Pairs {
    pub(super) tally: Tally,
    pairs: Vec<Pair>,
    /// Ends the closed loop
    pub(super) stop: Cell<bool>,
}

impl Pairs {
    pub(super) fn count(&self) -> usize {
        self.pairs.len()
    }

    /// How many messages each has sent since the load began.
    pub(super) fn sent(&self) -> Vec<u64> {
        self.pairs.iter().map(|pair| pair.sent.get()).collect()
    }

    /// Whether everybody has received so many.
    pub(super) fn have_received(&self, counts: &[u64]) -> bool {
        self.pairs.iter().zip(counts).all(|(pair, count)| pair.received.get() >= *count)
    }

    /// For another load, after all of the one before has come.
    pub(super) fn start_over(&self) {
        self.stop.set(false);
        for pair in &self.pairs {
            pair.sent.set(0);
            pair.acked.set(0);
            pair.received.set(0);
        }
    }

    /// What was acked and did not come, and what came more often than it was sent.
    pub(super) fn lost_and_extra(&self) -> (u64, u64) {
        self.pairs.iter().fold((0, 0), |(lost, extra), pair| {
            let (sent, acked, received) = (pair.sent.get(), pair.acked.get(), pair.received.get());
            (lost + acked.saturating_sub(received), extra + received.saturating_sub(sent))
        })
    }
}

/// The sender of a pair.
pub(super) struct Sender {
    pair: usize,
    to: u64,
    client: Client,
    data: String,
}

/// Signs everybody in, first all senders, then their receivers. Those receive until their tasks are ended.
pub(super) async fn sign_in(accounts: &[Account], server: &Server) -> Result<(Rc<Pairs>, Vec<Sender>, JoinSet<()>)> {
    let count = accounts.len() / 2;
    let mut clients = crowd::sign_in(server.addr(), accounts).await?;
    let receivers = clients.split_off(count);

    let pairs = Rc::new(Pairs {
        tally: Tally::new(),
        pairs: (0..count).map(|_| Pair::default()).collect(),
        stop: Cell::new(false),
    });
    let mut receiving = JoinSet::new();
    for (pair, client) in receivers.into_iter().enumerate() {
        receiving.spawn_local(receive(Rc::clone(&pairs), pair, client));
    }
    let to = accounts[count..].iter().map(|account| account.id);
    let senders = clients.into_iter().zip(to).enumerate();
    let senders = senders.map(|(pair, (client, to))| Sender { pair, to, client, data: String::new() });
    Ok((pairs, senders.collect(), receiving))
}

/// The closed loop: each message at the ack of the one before.
pub(super) async fn send_at_acks(pairs: Rc<Pairs>, mut sender: Sender) -> Option<Sender> {
    let outcome = async {
        let pair = &pairs.pairs[sender.pair];
        while !pairs.stop.get() {
            let sent_us = pairs.tally.now_us();
            let id = sender.send(&pairs, sent_us).await?;
            let ack = sender.client.ack(id).await?;
            // A refused message's number is used again: the receiver never sees a gap for it.
            if !note_ack(&pairs, pair, &ack, |_| Some(sent_us)) {
                pair.next.set(pair.next.get() - 1);
            }
        }
        anyhow::Ok(())
    };
    let outcome = outcome.await;
    outcome.map_err(|error| pairs.tally.note_closed(&error)).ok().map(|()| sender)
}

/// The open loop: each message when it is due, until no more leave is given and all acks have come.
pub(super) async fn send_when_due(pairs: Rc<Pairs>, mut sender: Sender, leaves: Rc<Vec<Leave>>) -> Option<Sender> {
    let outcome = async {
        let pair = &pairs.pairs[sender.pair];
        let leave = &leaves[sender.pair];
        let mut due = HashMap::new();
        let mut is_open = true;
        while is_open || !due.is_empty() {
            tokio::select! {
                text = sender.client.recv() => {
                    note_ack(&pairs, pair, &text?, |id| due.remove(&id));
                }
                taken = leave.take(), if is_open => match taken {
                    Ok(due_us) => {
                        let due_us = due_us.unwrap_or_else(|| pairs.tally.now_us());
                        let id = sender.send(&pairs, due_us).await?;
                        due.insert(id, due_us);
                    }
                    Err(_closed) => is_open = false,
                },
            }
        }
        anyhow::Ok(())
    };
    let outcome = outcome.await;
    outcome.map_err(|error| pairs.tally.note_closed(&error)).ok().map(|()| sender)
}

impl Sender {
    /// Sends the pair's next message; returns the id of its ack.
    async fn send(&mut self, pairs: &Pairs, due_us: u64) -> Result<u64> {
        let pair = &pairs.pairs[self.pair];
        let number = pair.next.get();
        self.data.clear();
        write!(self.data, "{{\"to\":{},\"message\":\"", self.to)?;
        // A receiver has one sender, whose number does not matter.
        Stamp { sender: 0, number, sent_us: due_us }.write(&mut self.data);
        self.data.push_str("\"}");
        let id = self.client.send("message", &self.data).await?;
        pair.next.set(number + 1);
        add(&pairs.tally.sent, 1);
        add(&pair.sent, 1);
        Ok(id)
    }
}

/// Counts an ack whose message was due when `due_us` says; false if it was a refusal.
fn note_ack(pairs: &Pairs, pair: &Pair, text: &str, due_us: impl FnOnce(u64) -> Option<u64>) -> bool {
    if let Packet::Ack { id, body } = Packet::of(text)
        && let Some(due_us) = due_us(id)
    {
        if !pairs.tally.note_ack(body, due_us) {
            return false;
        }
        add(&pair.acked, 1);
    }
    true
}

/// One receiver, until its task is ended.
async fn receive(pairs: Rc<Pairs>, pair: usize, mut client: Client) {
    let mut tracker = Tracker::new(1);
    loop {
        let text = match client.recv().await {
            Ok(text) => text,
            Err(error) => return pairs.tally.note_closed(&error),
        };
        if Packet::of(&text) == Packet::Message
            && let Some(stamp) = Stamp::find(&text)
        {
            let in_order = tracker.note(stamp);
            add(&pairs.pairs[pair].received, 1);
            pairs.tally.note_delivery(&text, stamp, in_order, true);
        }
    }
}
