//! What was said under load, and what the server promised about it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

/// Where something is said, as everybody in it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Talk {
    Room(i64),
    /// Two people, the smaller id first.
    Pair(i64, i64),
}

impl Talk {
    pub(crate) fn pair(one: i64, other: i64) -> Self {
        Self::Pair(one.min(other), one.max(other))
    }

    /// Where this is, in a command or event of `me`.
    pub(crate) fn of(data: &Value, from: i64) -> Self {
        let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
        match number(&data["room"]).or_else(|| number(&data["room"]["id"])) {
            Some(room) => Self::Room(room),
            None => Self::pair(from, number(&data["to"]).unwrap_or_else(|| panic!("said to nobody: {data}"))),
        }
    }

    /// How `me` names it in a command.
    pub(crate) fn named_by(self, me: i64) -> Value {
        match self {
            Self::Room(room) => json!({"room": room}),
            Self::Pair(one, other) => json!({"to": if one == me { other } else { one }}),
        }
    }
}

/// A message that somebody sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) talk: Talk,
    pub(crate) from: i64,
    /// How many of this sender's came before it.
    pub(crate) number: usize,
    pub(crate) promise: Option<Promise>,
}

/// What an acknowledgement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Promise {
    /// That the message is stored.
    Stored,
    /// And where.
    At { seq: i64, id: String },
}

/// Everything that was sent, by its text. No text is sent as two messages.
#[derive(Default)]
pub(crate) struct Ledger {
    sent: Mutex<HashMap<String, Sent>>,
    acknowledged: AtomicUsize,
}

impl Ledger {
    /// Notes that this is about to be sent for the first time.
    pub(crate) fn send(&self, text: &str, sent: Sent) {
        assert!(self.sent().insert(text.to_owned(), sent).is_none(), "{text} is sent twice");
    }

    /// Notes an acknowledgement.
    pub(crate) fn acknowledge(&self, text: &str, reply: &Value) {
        let promise = match reply["seq"].as_i64() {
            None => Promise::Stored,
            Some(seq) => Promise::At { seq, id: reply["_id"].as_str().unwrap().to_owned() },
        };
        let earlier = self.sent().get_mut(text).unwrap().promise.replace(promise);
        assert_eq!(earlier, None, "{text} is acknowledged twice");
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> MutexGuard<'_, HashMap<String, Sent>> {
        self.sent.lock().unwrap()
    }
}
