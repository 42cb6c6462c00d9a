//! The seam between nodes: what crosses it can be serialised.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::chat::event::{Event, Topic};
use crate::chat::ids::UserId;

/// What one node tells the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Signal<'a> {
    /// Hand `event` to your connections in `topic`.
    Publish { topic: Topic, event: Cow<'a, Event> },
    /// Enter your connections of `user` into `topic`.
    Enter { user: UserId, topic: Topic },
    /// Take your connections of `user` out of `topic`.
    Leave { user: UserId, topic: Topic },
    /// Take all your connections out of `topic`.
    Clear { topic: Topic },
}

/// Carries signals to other nodes. Neither method may block: an implementation has a bounded queue of its own.
pub trait Bus: Send + Sync {
    /// Tells the nodes that are subscribed to the signal's topic or have connections of its user.
    fn send(&self, signal: &Signal<'_>);

    /// This node has its first connection in `topic`.
    fn subscribe(&self, topic: Topic);

    /// This node has no connection in `topic` any more.
    fn unsubscribe(&self, topic: Topic);
}

/// The bus of a server that is alone.
#[derive(Debug, Default)]
pub struct LocalBus;

impl Bus for LocalBus {
    fn send(&self, _signal: &Signal<'_>) {}

    fn subscribe(&self, _topic: Topic) {}

    fn unsubscribe(&self, _topic: Topic) {}
}
