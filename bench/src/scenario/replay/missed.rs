//! The messages that were missed: how they are left, and how they are taken in.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use crate::client::Client;
use crate::crowd::{self, Account};
use crate::packet::{self, Packet};
use crate::payload::{Stamp, Tracker};
use crate::scenario::faults::Faults;
use crate::server::Server;

/// Unacked messages of one sender while they are left.
const IN_FLIGHT: u32 = 32;
/// Messages taken in before others on this thread have their turn: the neighbours' latency is not to be the generator's.
const TURN: u64 = 32;
/// Conversations asked for in one `resume`.
const MARKS_MAX: usize = 500;

/// Has each of `senders` write `each` messages to somebody who is not there.
pub(super) async fn leave(server: &Server, senders: &[Account], to: &Account, each: u32) -> Result<()> {
    let clients = crowd::sign_in(server.addr(), senders).await?;
    let mut leaving = JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        let (sender, to) = (u32::try_from(number)?, to.id);
        leaving.spawn_local(async move {
            let mut data = String::new();
            let (mut sent, mut acked) = (0, 0);
            while acked < each {
                while sent < each && sent - acked < IN_FLIGHT {
                    data.clear();
                    write!(data, "{{\"to\":{to},\"message\":\"")?;
                    Stamp { sender, number: sent, sent_us: 0 }.write(&mut data);
                    data.push_str("\"}");
                    client.send("message", &data).await?;
                    sent += 1;
                }
                if let Packet::Ack { body, .. } = Packet::of(&client.recv().await?) {
                    ensure!(packet::is_success(body), "a message was refused: {body}");
                    acked += 1;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(left) = leaving.join_next().await {
        left??;
    }
    Ok(())
}

/// What has come of it.
pub(super) struct Missed {
    /// The senders' ids, by their numbers
    senders: Vec<u64>,
    each: u32,
    tracker: Tracker,
    /// From each sender
    from: Vec<u32>,
    received: u64,
    out_of_order: u64,
}

impl Missed {
    pub(super) fn new(senders: &[Account], each: u32) -> Self {
        Missed {
            senders: senders.iter().map(|sender| sender.id).collect(),
            each,
            tracker: Tracker::new(senders.len()),
            from: vec![0; senders.len()],
            received: 0,
            out_of_order: 0,
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    fn expected(&self) -> u64 {
        u64::from(self.each) * self.senders.len() as u64
    }

    /// Takes in what is handed over, up to the last message.
    pub(super) async fn listen(&mut self, client: &mut Client) -> Result<()> {
        while self.received < self.expected() {
            let text = client.recv().await?;
            self.hear(&text);
            if self.received.is_multiple_of(TURN) {
                yield_now().await;
            }
        }
        Ok(())
    }

    /// What comes within so long a time after the last one came.
    pub(super) async fn hear_the_rest(&mut self, client: &mut Client, patience: Duration) -> Result<()> {
        while let Ok(text) = timeout(patience, client.recv()).await {
            self.hear(&text?);
        }
        Ok(())
    }

    fn hear(&mut self, text: &str) {
        if Packet::of(text) == Packet::Message
            && let Some(stamp) = Stamp::find(text)
        {
            self.note(stamp);
        }
    }

    /// Asks for it as modern clients do: which conversations there are, and then what each has beyond what is known of
    /// it. A conversation here has nothing but these messages, so that their count is its last number.
    pub(super) async fn ask(&mut self, client: &mut Client) -> Result<()> {
        client.call("conversations", &json!({})).await?;
        while self.received < self.expected() {
            let known = self.senders.iter().zip(&self.from);
            let behind = known.filter(|(_, count)| **count < self.each).take(MARKS_MAX);
            let marks: Vec<_> = behind.map(|(id, seq)| json!({ "to": id, "seq": seq })).collect();
            let id = client.send("resume", &json!({ "marks": marks }).to_string()).await?;
            let reply = client.ack(id).await?;
            let before = self.received;
            self.read(&reply).await?;
            if self.received == before {
                bail!("resume brings nothing more: {:.200}", reply.as_str());
            }
        }
        Ok(())
    }

    /// The reply to a `resume`, of which nothing is looked at but the messages' stamps.
    async fn read(&mut self, reply: &str) -> Result<()> {
        let Packet::Ack { body, .. } = Packet::of(reply) else {
            bail!("resume: no ack");
        };
        ensure!(packet::is_success(body), "resume was refused: {body:.200}");
        let mut rest = body;
        while let Some(at) = memchr::memchr(b'~', rest.as_bytes()) {
            self.note(Stamp::find(rest).context("half a stamp")?);
            rest = &rest[at + 1..];
            if self.received.is_multiple_of(TURN) {
                yield_now().await;
            }
        }
        Ok(())
    }

    fn note(&mut self, stamp: Stamp) {
        self.received += 1;
        if !self.tracker.note(stamp) {
            self.out_of_order += 1;
        }
        if let Some(count) = self.from.get_mut(stamp.sender as usize) {
            *count += 1;
        }
    }

    pub(super) fn faults(&self) -> Faults {
        let expected = self.expected();
        Faults {
            lost: expected.saturating_sub(self.received),
            extra: self.received.saturating_sub(expected),
            out_of_order: self.out_of_order,
            ..Faults::default()
        }
    }
}
