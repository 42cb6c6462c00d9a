//! What people say to each other: a draft on the way in, a message once it is stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, MessageId, Seq, UserId};

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something that a person said.
    Text,
    /// "I would like to be your friend."
    FriendRequest,
    /// "I accept your request."
    FriendAgreed,
    /// "I refuse your request."
    FriendRefused,
}

impl Kind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Text, "text"),
        (Self::FriendRequest, "friend_request"),
        (Self::FriendAgreed, "friend_agreed"),
        (Self::FriendRefused, "friend_refused"),
    ];

    /// The name under which the kind is stored.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("text", |(_, name)| name)
    }

    /// The kind that is stored under `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// How a message's body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// HTML that the sanitiser has seen.
    Html,
    /// Plain text.
    Plain,
}

impl Format {
    /// The name under which the format is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Plain => "plain",
        }
    }

    /// The format that is stored under `name`.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Html, Self::Plain].into_iter().find(|format| format.as_str() == name)
    }
}

/// A message that is not stored yet.
#[derive(Debug, Clone)]
pub struct Draft {
    pub conversation: ConversationId,
    pub sender: UserId,
    /// The other side of a direct pair; nobody in particular in a room.
    pub recipient: Option<UserId>,
    pub kind: Kind,
    pub format: Format,
    pub body: Arc<str>,
    /// The sender's clock, UTC milliseconds: shown to people, never used to order messages.
    pub claimed_ms: i64,
    /// An id of the sender's choice. A second draft of the same sender with the same id is not stored again.
    pub client_id: Option<Arc<str>>,
    /// A change of a friendship that takes place together with the storing, or not at all.
    pub change: Option<FriendshipChange>,
}

/// A change of a friendship between a draft's sender and recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FriendshipChange {
    /// The sender asks the recipient. `Conflict` if there is a request or friendship in this direction.
    Ask,
    /// The sender accepts the recipient's request. `NotFound` if there is none that is open.
    Agree,
    /// The sender refuses the recipient's request. `NotFound` if there is none that is open.
    Refuse,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub sender: UserId,
    /// The other side of a direct pair; `None` in a room.
    pub recipient: Option<UserId>,
    pub kind: Kind,
    pub format: Format,
    pub body: Arc<str>,
    /// The sender's clock, UTC milliseconds.
    pub claimed_ms: i64,
    /// When the server stored it, UTC milliseconds.
    pub stored_ms: i64,
}

impl Message {
    /// Whether `user` is one of those whom the message was meant for.
    pub fn is_for(&self, user: UserId) -> bool {
        self.recipient.is_none_or(|recipient| recipient == user)
    }
}
