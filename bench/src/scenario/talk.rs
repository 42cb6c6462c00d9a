//! People who talk while something else happens: pairs of users at a fixed rate, whose latency says what it does to
//! others. The rate does not depend on the answers, so a server that stalls is not spared what it is sent meanwhile.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::DRAIN_TIMEOUT;
use super::faults::Faults;
use super::tally::{Tally, add};
use crate::cli;
use crate::client::Client;
use crate::crowd::{self, Account};
use crate::packet::Packet;
use crate::payload::{Stamp, Tracker};
use crate::progress;
use crate::server::Server;

/// A running talk.
pub(super) struct Talk {
    said: Rc<Said>,
    senders: JoinSet<Option<Client>>,
    receivers: JoinSet<()>,
}

/// What its people count together.
struct Said {
    tally: Tally,
    pairs: Vec<Pair>,
    stop: Cell<bool>,
}

#[derive(Default)]
struct Pair {
    sent: Cell<u64>,
    acked: Cell<u64>,
    received: Cell<u64>,
}

/// From sender to receiver, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delay {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Talk {
    /// Signs `accounts` in, first all senders, then their receivers, and lets them talk.
    pub(super) async fn begin(args: &cli::Talk, server: &Server, accounts: &[Account]) -> Result<Self> {
        let pairs = accounts.len() / 2;
        let mut clients = crowd::sign_in(server.addr(), accounts).await?;
        let said = Rc::new(Said {
            tally: Tally::new(),
            pairs: (0..pairs).map(|_| Pair::default()).collect(),
            stop: Cell::new(false),
        });
        let mut receivers = JoinSet::new();
        for (number, client) in clients.split_off(pairs).into_iter().enumerate() {
            receivers.spawn_local(receive(Rc::clone(&said), number, client));
        }
        let pair_count = u32::try_from(pairs)?;
        let every = Duration::from_secs(1) * pair_count / args.rate;
        let begun = Instant::now();
        let mut senders = JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            // One after the other, as people do not talk in time.
            let first = begun + every * u32::try_from(number)? / pair_count;
            let pace = Pace { first, every };
            senders.spawn_local(send(Rc::clone(&said), number, accounts[pairs + number].id, client, pace));
        }
        Ok(Talk { said, senders, receivers })
    }

    /// Forgets the delays so far and notes them from now on.
    pub(super) fn start_recording(&self) {
        self.said.tally.start_recording();
    }

    /// What was noted.
    ///
    /// # Errors
    /// If nothing was.
    pub(super) fn delay(&self) -> Result<Delay> {
        let tally = &self.said.tally;
        let delay = Delay { p50: tally.delivery_ms(0.5), p99: tally.delivery_ms(0.99) };
        let trouble = tally.first_trouble().unwrap_or_default();
        ensure!(delay.p50.is_finite(), "nobody heard anything. {trouble}");
        Ok(delay)
    }

    /// The delay within so long a time from now.
    pub(super) async fn delay_within(&self, window: Duration) -> Result<Delay> {
        self.start_recording();
        sleep(window).await;
        self.delay()
    }

    /// Ends the talk once everything has come; tells what has not.
    pub(super) async fn end(mut self) -> Faults {
        self.said.stop.set(true);
        // Kept open until all is delivered.
        let senders = timeout(DRAIN_TIMEOUT, self.senders.join_all()).await;
        let said = &self.said;
        said.tally.drain(|| said.lost() == 0).await;
        drop(senders);
        self.receivers.shutdown().await;
        if let Some(trouble) = said.tally.first_trouble() {
            progress::note(&trouble);
        }
        said.faults()
    }
}

impl Said {
    /// What was acked and did not come.
    fn lost(&self) -> u64 {
        self.pairs.iter().map(|pair| pair.acked.get().saturating_sub(pair.received.get())).sum()
    }

    fn faults(&self) -> Faults {
        Faults {
            lost: self.lost(),
            extra: self.pairs.iter().map(|pair| pair.received.get().saturating_sub(pair.sent.get())).sum(),
            out_of_order: self.tally.out_of_order.get(),
            unanswered: self.tally.counts().unanswered(),
            refused: self.tally.refused.get(),
            closed: self.tally.closed.get(),
        }
    }
}

/// When somebody speaks.
#[derive(Clone, Copy)]
struct Pace {
    first: Instant,
    every: Duration,
}

async fn send(said: Rc<Said>, number: usize, to: u64, mut client: Client, pace: Pace) -> Option<Client> {
    match send_until_stopped(&said, number, to, &mut client, pace).await {
        Ok(()) => Some(client),
        Err(error) => {
            said.tally.note_closed(&error);
            None
        }
    }
}

async fn send_until_stopped(said: &Said, number: usize, to: u64, client: &mut Client, pace: Pace) -> Result<()> {
    let (tally, pair) = (&said.tally, &said.pairs[number]);
    let mut ticks = interval_at(pace.first, pace.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut unacked = HashMap::new();
    let mut data = String::new();
    let mut stamp = Stamp { sender: 0, number: 0, sent_us: 0 };
    while !(said.stop.get() && unacked.is_empty()) {
        tokio::select! {
            text = client.recv() => {
                if let Packet::Ack { id, body } = Packet::of(&text?)
                    && let Some(sent_us) = unacked.remove(&id)
                    && tally.note_ack(body, sent_us)
                {
                    add(&pair.acked, 1);
                }
            }
            _ = ticks.tick() => {
                // The last ticks only end the waiting for something to come in.
                if said.stop.get() {
                    continue;
                }
                stamp.sent_us = tally.now_us();
                data.clear();
                write!(data, "{{\"to\":{to},\"message\":\"")?;
                stamp.write(&mut data);
                data.push_str("\"}");
                let id = client.send("message", &data).await?;
                unacked.insert(id, stamp.sent_us);
                stamp.number += 1;
                add(&tally.sent, 1);
                add(&pair.sent, 1);
            }
        }
    }
    Ok(())
}

/// Until its task is ended.
async fn receive(said: Rc<Said>, number: usize, mut client: Client) {
    let mut tracker = Tracker::new(1);
    loop {
        let text = match client.recv().await {
            Ok(text) => text,
            Err(error) => return said.tally.note_closed(&error),
        };
        if Packet::of(&text) == Packet::Message
            && let Some(stamp) = Stamp::find(&text)
        {
            let in_order = tracker.note(stamp);
            add(&said.pairs[number].received, 1);
            said.tally.note_delivery(&text, stamp, in_order, true);
        }
    }
}
