//! What people say to each other, once it is stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, MessageId, RoomId, Seq, UserId};

/// What a message is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something that a person said.
    #[default]
    Text,
    /// A picture, perhaps with a text.
    Image,
    /// A file, perhaps with a text.
    File,
    /// "I would like to be your friend."
    FriendRequest,
    /// "I accept your request."
    FriendAgreed,
    /// "I refuse your request."
    FriendRefused,
    /// "Come into this room."
    Invitation,
    /// What was said here, its sender has taken back.
    Recalled,
    /// A new text for an earlier message.
    Edit,
    /// An earlier message is taken back.
    Recall,
}

impl Kind {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Text, "text"),
        (Self::Image, "image"),
        (Self::File, "file"),
        (Self::FriendRequest, "friend_request"),
        (Self::FriendAgreed, "friend_agreed"),
        (Self::FriendRefused, "friend_refused"),
        (Self::Invitation, "invitation"),
        (Self::Recalled, "recalled"),
        (Self::Edit, "edit"),
        (Self::Recall, "recall"),
    ];

    /// The name under which the kind is stored.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("text", |(_, name)| name)
    }

    /// The kind that is stored under `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Whether it says nothing of its own and changes an earlier message. Such a message has a number, so that nobody
    /// misses it, and is not shown.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Edit | Self::Recall)
    }

    /// Whether its sender may change it or take it back.
    pub fn is_said(self) -> bool {
        matches!(self, Self::Text | Self::Image | Self::File)
    }
}

/// How a message's body is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// HTML that the sanitiser has seen.
    Html,
    /// Plain text.
    #[default]
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
    /// An id of the sender's choice.
    pub client_id: Option<Arc<str>>,
    /// What few messages have.
    pub extras: Option<Arc<Extras>>,
}

impl Message {
    /// Whether `user` is one of those whom the message was meant for.
    pub fn is_for(&self, user: UserId) -> bool {
        self.recipient.is_none_or(|recipient| recipient == user)
    }
}

/// What few messages have beside their text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// The earlier message that this one answers or changes.
    pub about: Option<Seq>,
    /// What an answer quotes. Gone when the quoted message is taken back.
    pub quote: Option<Quote>,
    pub file: Option<FileCard>,
    pub card: Option<RoomCard>,
    /// When the text was changed last, UTC milliseconds.
    pub edited_ms: Option<i64>,
}

/// The beginning of an earlier message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub sender: UserId,
    /// Plain text.
    pub text: String,
}

/// An uploaded file as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCard {
    /// The path under which it is served.
    pub url: String,
    /// What its owner called it.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// The media type, by its first bytes.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<i64>,
    /// The path of a small picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
}

/// A room that somebody is invited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCard {
    pub room: RoomId,
    pub name: String,
}
