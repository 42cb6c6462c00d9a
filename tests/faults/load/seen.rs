//! What somebody was given, in the order in which it came.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;

use super::ledger::Talk;

/// A message as it arrived somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) talk: Talk,
    pub(crate) id: String,
    pub(crate) from: i64,
    pub(crate) text: String,
}

impl Given {
    /// A message as modern clients get it.
    pub(crate) fn modern(message: &Value) -> Self {
        let from = message["from"].as_i64().unwrap();
        let text = |member: &str| message[member].as_str().unwrap().to_owned();
        Self { talk: Talk::of(message, from), id: text("id"), from, text: text("text") }
    }

    /// A message as clients of 2013 get it.
    pub(crate) fn classic(message: &Value) -> Self {
        let from = message["from"]["id"].as_i64().unwrap();
        let text = |member: &str| message[member].as_str().unwrap().to_owned();
        Self { talk: Talk::of(message, from), id: text("_id"), from, text: text("message") }
    }
}

/// Everything that one recipient was given so far, over all of its connections.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Inner>);

#[derive(Default)]
pub(crate) struct Inner {
    /// Each message once, as it came first, by conversation.
    pub(crate) order: HashMap<Talk, Vec<Given>>,
    by_id: HashMap<String, Given>,
    /// How often something came that had come before.
    pub(crate) repeats: usize,
    /// How often a live message was not the next one.
    pub(crate) gaps: usize,
}

impl Seen {
    /// Takes a message. A repeat is known by its id, and must be the same in everything else.
    pub(crate) fn take(&self, given: Given) {
        let inner = &mut *self.inner();
        match inner.by_id.get(&given.id) {
            Some(earlier) => {
                assert_eq!(*earlier, given, "another message has the same id");
                inner.repeats += 1;
            }
            None => {
                inner.by_id.insert(given.id.clone(), given.clone());
                inner.order.entry(given.talk).or_default().push(given);
            }
        }
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// How many different messages came.
    pub(crate) fn count(&self) -> usize {
        self.inner().by_id.len()
    }
}
