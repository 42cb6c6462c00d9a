//! Somebody who listens, and comes back whenever the connection ends.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use super::Stage;
use super::ledger::Talk;
use super::seen::{Given, Seen};
use super::wire::{Frame, Gone, Person, Wire, pause};

/// Frames after which a fickle recipient drops its connection, at random.
const FICKLE: std::ops::Range<usize> = 20..400;

/// In whose words a recipient listens, and how it gets what it missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    /// As in 2013: the server hands over what was missed.
    Classic,
    /// The client asks for it, by the number of the last message that it has.
    Modern,
}

/// How long a recipient stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    Steady,
    /// Drops its connection without a word now and then.
    Fickle,
    /// Is away until all is said.
    Late,
}

pub(crate) struct Receiver {
    pub(crate) person: Person,
    pub(crate) wording: Wording,
    pub(crate) stay: Stay,
    pub(crate) talks: Vec<Talk>,
    pub(crate) random: Rng,
    pub(crate) stage: Arc<Stage>,
    pub(crate) seen: Arc<Seen>,
}

impl Receiver {
    /// Listens until it is aborted.
    pub(crate) async fn run(mut self) {
        if self.stay == Stay::Late {
            self.stage.all_said.cancelled().await;
        }
        let mut last = HashMap::new();
        loop {
            // An end is what is waited for.
            drop(self.visit(&mut last).await);
            pause().await;
        }
    }

    async fn visit(&mut self, last: &mut HashMap<Talk, i64>) -> Result<(), Gone> {
        let mut events = Vec::new();
        let is_modern = self.wording == Wording::Modern;
        let mut wire = self.person.enter(self.stage.address(), is_modern, &mut events).await?;
        self.stage.entered(&self.person);
        if is_modern {
            self.resume(&mut wire, last, &mut events).await?;
        }
        let mut patience = match self.stay {
            // Until all is said: who never stays for longer than it takes to tell them what they missed never gets on.
            Stay::Fickle if !self.stage.is_all_said() => self.random.usize(FICKLE),
            Stay::Steady | Stay::Fickle | Stay::Late => usize::MAX,
        };
        while patience > 0 {
            patience -= 1;
            let (name, data) = match events.is_empty() {
                false => events.remove(0),
                true => match wire.read().await? {
                    Frame::Event(name, data) => (name, data),
                    Frame::Reply(..) | Frame::Other => continue,
                },
            };
            if name != "message" {
                continue;
            }
            match self.wording {
                Wording::Classic => self.seen.take(Given::classic(&data)),
                Wording::Modern if self.is_next(&data["message"], last) => {}
                Wording::Modern => {
                    self.seen.inner().gaps += 1;
                    self.resume(&mut wire, last, &mut events).await?;
                }
            }
        }
        Ok(())
    }

    /// Asks for what came since, page by page.
    async fn resume(
        &self,
        wire: &mut Wire,
        last: &mut HashMap<Talk, i64>,
        events: &mut Vec<(String, Value)>,
    ) -> Result<(), Gone> {
        let mut rest = self.talks.clone();
        while !rest.is_empty() {
            let mark = |talk: &Talk| {
                let mut mark = talk.named_by(self.person.id);
                mark["seq"] = json!(last.get(talk).copied().unwrap_or_default());
                mark
            };
            let marks: Vec<_> = rest.iter().map(mark).collect();
            let reply = wire.ask("resume", &json!({"marks": marks}), events).await?;
            if reply["code"] != 200 {
                assert_eq!(reply["reason"], "unavailable", "resume -> {reply}");
                pause().await;
                continue;
            }
            let mut again = Vec::new();
            for conversation in reply["conversations"].as_array().unwrap() {
                for message in conversation["messages"].as_array().unwrap() {
                    assert!(self.is_next(message, last), "a gap before {message} in the reply to resume: {last:?}");
                }
                if conversation["more"] == true {
                    again.push(Talk::of(conversation, self.person.id));
                }
            }
            rest = again;
        }
        Ok(())
    }

    /// Takes a numbered message that is the next one, or one that came before. False if one is missing between them.
    fn is_next(&self, message: &Value, last: &mut HashMap<Talk, i64>) -> bool {
        let given = Given::modern(message);
        let seq = message["seq"].as_i64().unwrap();
        let before = last.entry(given.talk).or_default();
        if seq > *before + 1 {
            return false;
        }
        *before = seq.max(*before);
        self.seen.take(given);
        true
    }
}
