//! People who talk and listen while the server is being maltreated, and the proof that nothing was lost.
//!
//! Senders write to a room and to single people; recipients stay, come and go, or are away until the end, some in the
//! words of 2013 and some in those of today. In the end everything that is stored is held against what was
//! acknowledged, and what each recipient was given, live and afterwards, against what is stored.

mod ledger;
mod receiver;
mod seen;
mod sender;
mod truth;
mod wire;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::until;
use ledger::{Ledger, Talk};
use receiver::{Receiver, Stay, Wording};
use seen::Seen;
use sender::{Manner, Sender};
pub(crate) use wire::{Frame, Gone, Person, Wire, pause};

/// Where the people meet.
#[derive(Default)]
pub(crate) struct Stage {
    address: Mutex<Option<SocketAddr>>,
    closed: AtomicBool,
    /// Everything is said and answered.
    all_said: CancellationToken,
    pub(crate) ledger: Ledger,
    /// Who has signed in since the server was started.
    here: Mutex<HashSet<i64>>,
    failures: Mutex<HashMap<i64, usize>>,
}

impl Stage {
    /// Where the server is now.
    fn address(&self) -> SocketAddr {
        self.address.lock().unwrap().unwrap()
    }

    /// Whether nothing new is to be said.
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether everything is said and answered.
    fn is_all_said(&self) -> bool {
        self.all_said.is_cancelled()
    }

    /// Notes that somebody has signed in.
    fn entered(&self, person: &Person) {
        self.here.lock().unwrap().insert(person.id);
    }

    /// Notes that a message of this sender's was answered with an error.
    fn failed(&self, sender: i64) {
        *self.failures.lock().unwrap().entry(sender).or_default() += 1;
    }
}

/// How to talk.
pub(crate) struct Style {
    pub(crate) seed: u64,
    /// Messages of one sender that may be without an answer at a time. With one, a sender's order holds whatever fails.
    pub(crate) window: usize,
    /// Whether recipients in the words of 2013 drop connections as well. What waits unread on their side when a server
    /// is stopped counts as delivered to them, and is in their log.
    pub(crate) classics_drop: bool,
}

/// All of them.
pub(crate) struct Load {
    stage: Arc<Stage>,
    senders: JoinSet<()>,
    receivers: JoinSet<()>,
    sender_ids: Vec<i64>,
    listening: Vec<Listening>,
}

struct Listening {
    who: String,
    person: Person,
    talks: Vec<Talk>,
    seen: Arc<Seen>,
}

/// What was seen in the end.
pub(crate) struct Report {
    pub(crate) acknowledged: usize,
    pub(crate) stored: usize,
    pub(crate) failed: usize,
    /// Messages that were given to recipients, each counted once for each of them, and how often one came again.
    pub(crate) given: usize,
    pub(crate) repeats: usize,
    /// How often a live message was not the next one.
    pub(crate) gaps: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, stored, failed, given, repeats, gaps } = self;
        write!(f, "{acknowledged} messages acknowledged, {failed} answered with an error, {stored} stored; ")?;
        write!(f, "{given} given to recipients, and {repeats} repeats; {gaps} gaps")
    }
}

const SENDERS: [Manner; 5] = [Manner::Repeats, Manner::Repeats, Manner::Repeats, Manner::Forgets, Manner::Forgets];
const STAYS: [Stay; 3] = [Stay::Steady, Stay::Fickle, Stay::Late];
const WORDINGS: [Wording; 2] = [Wording::Classic, Wording::Modern];

impl Load {
    /// Makes the accounts and the room, and begins.
    pub(crate) async fn begin(address: SocketAddr, style: Style) -> Self {
        let stage = Arc::new(Stage::default());
        *stage.address.lock().unwrap() = Some(address);
        let mut speakers = Vec::new();
        for place in 0..SENDERS.len() {
            speakers.push(account(address, &format!("sender{place}")).await);
        }
        let mut wire = speakers[0].enter(address, true, &mut Vec::new()).await.unwrap();
        let reply = wire.ok("room.create", json!({"name": "tea"})).await;
        let room = reply["room"]["id"].as_i64().unwrap();

        let mut seeds = Rng::with_seed(style.seed);
        let mut random = || Rng::with_seed(seeds.u64(..));
        let (mut listening, mut receivers) = (Vec::new(), Vec::new());
        for stay in STAYS {
            for wording in WORDINGS {
                let keeps = wording == Wording::Classic && !style.classics_drop;
                let stay = if stay == Stay::Fickle && keeps { Stay::Steady } else { stay };
                let who = format!("{stay:?}{wording:?}{}", listening.len());
                let person = account(address, &who).await;
                let pairs = speakers.iter().map(|speaker| Talk::pair(speaker.id, person.id));
                let talks: Vec<_> = pairs.chain([Talk::Room(room)]).collect();
                let seen = Arc::<Seen>::default();
                receivers.push(Receiver {
                    person: person.clone(),
                    wording,
                    stay,
                    talks: talks.clone(),
                    random: random(),
                    stage: Arc::clone(&stage),
                    seen: Arc::clone(&seen),
                });
                listening.push(Listening { who, person, talks, seen });
            }
        }
        for person in speakers[1..].iter().chain(listening.iter().map(|listening| &listening.person)) {
            let mut wire = person.enter(address, true, &mut Vec::new()).await.unwrap();
            wire.ask("room.join", &json!({"id": room}), &mut Vec::new()).await.unwrap();
        }

        let senders = speakers.iter().zip(SENDERS).map(|(person, manner)| {
            let pairs = listening.iter().map(|listening| Talk::pair(person.id, listening.person.id));
            Sender {
                person: person.clone(),
                manner,
                window: style.window,
                // The room as often as all single people together.
                talks: pairs.chain(std::iter::repeat_n(Talk::Room(room), listening.len())).collect(),
                random: random(),
                stage: Arc::clone(&stage),
                sent: 0,
                unanswered: Default::default(),
            }
        });
        Self {
            senders: senders.map(Sender::run).collect(),
            receivers: receivers.into_iter().map(Receiver::run).collect(),
            sender_ids: speakers.iter().map(|speaker| speaker.id).collect(),
            stage,
            listening,
        }
    }

    /// The server is elsewhere now.
    pub(crate) fn moved(&self, address: SocketAddr) {
        self.stage.here.lock().unwrap().clear();
        *self.stage.address.lock().unwrap() = Some(address);
    }

    /// Waits until so many more messages were acknowledged.
    pub(crate) async fn acknowledged(&mut self, more: usize) {
        let enough = self.stage.ledger.acknowledged() + more;
        until("acknowledgements", async || {
            self.look();
            self.stage.ledger.acknowledged() >= enough
        })
        .await;
    }

    /// How often each sender has been answered with an error so far.
    pub(crate) fn failures(&self) -> Vec<usize> {
        let failures = self.stage.failures.lock().unwrap();
        self.sender_ids.iter().map(|id| failures.get(id).copied().unwrap_or_default()).collect()
    }

    /// Waits until everybody has come back, but those who are late.
    pub(crate) async fn everybody(&mut self) {
        let late = WORDINGS.len();
        let count = self.sender_ids.len() + self.listening.len() - late;
        until("everybody's return", async || {
            self.look();
            self.stage.here.lock().unwrap().len() == count
        })
        .await;
    }

    /// Lets the senders finish, the late come in, and checks everything.
    pub(crate) async fn finish(mut self) -> Report {
        self.stage.closed.store(true, Ordering::Relaxed);
        until("the last acknowledgements", async || {
            self.look();
            self.senders.is_empty()
        })
        .await;
        self.stage.all_said.cancel();
        let mut stored = HashMap::new();
        for listening in &self.listening {
            for talk in &listening.talks {
                if !stored.contains_key(talk) {
                    stored.insert(*talk, truth::read(self.stage.address(), &listening.person, *talk).await);
                }
            }
        }
        truth::check_stored(&stored, &self.stage.ledger);
        for Listening { who, talks, seen, .. } in &self.listening {
            let complete = async {
                while !truth::is_complete(&seen.inner(), talks, &stored) {
                    assert!(self.receivers.try_join_next().is_none(), "a recipient has ended");
                    pause().await;
                }
            };
            if tokio::time::timeout(crate::support::PATIENCE, complete).await.is_err() {
                panic!("{who} was not given {:?}", truth::missing(&seen.inner(), talks, &stored));
            }
        }
        self.receivers.shutdown().await;
        for Listening { who, talks, seen, .. } in &self.listening {
            truth::check_seen(who, &seen.inner(), talks, &stored);
        }
        let sum = |of: fn(&Seen) -> usize| self.listening.iter().map(|listening| of(&listening.seen)).sum();
        Report {
            acknowledged: self.stage.ledger.acknowledged(),
            stored: stored.values().map(Vec::len).sum(),
            failed: self.failures().iter().sum(),
            given: sum(Seen::count),
            repeats: sum(|seen| seen.inner().repeats),
            gaps: sum(|seen| seen.inner().gaps),
        }
    }

    /// Fails if somebody else has.
    fn look(&mut self) {
        for ended in [self.senders.try_join_next(), self.receivers.try_join_next()].into_iter().flatten() {
            ended.expect("somebody has failed");
        }
    }
}

/// Somebody new, who is signed in nowhere.
pub(crate) async fn account(address: SocketAddr, username: &str) -> Person {
    Wire::connect(address).await.expect("the server is there").become_new(username).await
}
