//! Somebody who talks, whatever happens to the server.

use std::collections::VecDeque;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::json;

use super::Stage;
use super::ledger::{Sent, Talk};
use super::wire::{Frame, Gone, Person, Wire, pause};
use crate::support::within;

/// What a sender does about a message whose fate it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Sends it again with the same `cid`, until it is acknowledged.
    Repeats,
    /// Sends without `cid` and goes on with the next.
    Forgets,
}

pub(crate) struct Sender {
    pub(crate) person: Person,
    pub(crate) manner: Manner,
    /// Messages that may be without an answer at a time.
    pub(crate) window: usize,
    pub(crate) talks: Vec<Talk>,
    pub(crate) random: Rng,
    pub(crate) stage: Arc<Stage>,
    pub(crate) sent: usize,
    pub(crate) unanswered: VecDeque<Said>,
}

/// A message on its way.
pub(crate) struct Said {
    text: String,
    talk: Talk,
    /// On this connection.
    ack: Option<u64>,
}

impl Sender {
    /// Talks until the stage is closed and everything is answered.
    pub(crate) async fn run(mut self) {
        while !self.is_done() {
            if let Ok(wire) = self.person.enter(self.stage.address(), true, &mut Vec::new()).await {
                self.stage.entered(&self.person);
                // Ends with the connection.
                drop(self.talk(wire).await);
            }
            match self.manner {
                Manner::Repeats => self.unanswered.iter_mut().for_each(|said| said.ack = None),
                Manner::Forgets => self.unanswered.clear(),
            }
            pause().await;
        }
    }

    async fn talk(&mut self, mut wire: Wire) -> Result<(), Gone> {
        while !self.is_done() {
            for place in 0..self.unanswered.len() {
                if self.unanswered[place].ack.is_none() {
                    self.send(&mut wire, place).await?;
                }
            }
            while self.unanswered.len() < self.window && !self.stage.is_closed() {
                self.think();
                self.send(&mut wire, self.unanswered.len() - 1).await?;
            }
            self.hear(&mut wire).await?;
        }
        Ok(())
    }

    /// The next thing to say.
    fn think(&mut self) {
        let talk = self.talks[self.random.usize(..self.talks.len())];
        let text = format!("{} says {}", self.person.id, self.sent);
        let sent = Sent { talk, from: self.person.id, number: self.sent, promise: None };
        self.stage.ledger.send(&text, sent);
        self.sent += 1;
        self.unanswered.push_back(Said { text, talk, ack: None });
    }

    async fn send(&mut self, wire: &mut Wire, place: usize) -> Result<(), Gone> {
        let said = &mut self.unanswered[place];
        let mut data = said.talk.named_by(self.person.id);
        data["message"] = json!(said.text);
        if self.manner == Manner::Repeats {
            data["cid"] = json!(said.text);
        }
        let command = if matches!(said.talk, Talk::Room(_)) { "room.message" } else { "message" };
        said.ack = Some(wire.send(command, &data).await?);
        Ok(())
    }

    /// Reads one frame, which must not let itself be waited for as long as something is unanswered.
    async fn hear(&mut self, wire: &mut Wire) -> Result<(), Gone> {
        let Frame::Reply(ack, reply) = within("an answer to a message", wire.read()).await? else {
            return Ok(());
        };
        // Refusals overtake what is still being carried out.
        let place = self.unanswered.iter().position(|said| said.ack == Some(ack));
        let place = place.unwrap_or_else(|| panic!("an answer that nobody waits for: {reply}"));
        match reply["code"].as_u64() {
            Some(200) => {
                let said = self.unanswered.remove(place).unwrap();
                self.stage.ledger.acknowledge(&said.text, &reply);
            }
            Some(500) => {
                assert_eq!(reply["reason"], "unavailable", "{reply}");
                self.stage.failed(self.person.id);
                match self.manner {
                    Manner::Repeats => self.unanswered[place].ack = None,
                    Manner::Forgets => drop(self.unanswered.remove(place)),
                }
                pause().await;
            }
            _ => panic!("{} -> {reply}", self.unanswered[place].text),
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.stage.is_closed() && self.unanswered.is_empty()
    }
}
