//! A message as modern clients get it, the same everywhere.

use serde::Serialize;

use crate::chat::event::Place;
use crate::chat::ids::RoomId;
use crate::chat::message::{Extras, FileCard, Kind, Message, Quote, RoomCard};

/// `{"to": 2}` or `{"room": 5}`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::dialect::nodeim) enum Address {
    To(i64),
    Room(i64),
}

impl From<Place> for Address {
    fn from(place: Place) -> Self {
        match place {
            Place::User(id) => Self::To(id.0),
            Place::Room(id) => Self::Room(id.0),
        }
    }
}

/// `{"id": "981", "seq": 7, "from": 1, "to": 2, "time": ..., "type": "text", "format": "html", "text": "hi"}`
#[derive(Serialize)]
pub(in crate::dialect::nodeim) struct Msg<'a> {
    id: String,
    seq: i64,
    from: i64,
    #[serde(flatten)]
    address: Option<Address>,
    time: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    format: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Reply<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a FileCard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<&'a RoomCard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<bool>,
}

/// The message that this one answers. Without `from` and `text` if that was taken back.
#[derive(Serialize)]
struct Reply<'a> {
    seq: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

impl<'a> Msg<'a> {
    /// `room` is the one behind the conversation, if it is no direct pair.
    pub(in crate::dialect::nodeim) fn new(message: &'a Message, room: Option<RoomId>) -> Self {
        static NONE: Extras = Extras { about: None, quote: None, file: None, card: None, edited_ms: None };
        let extras = message.extras.as_deref().unwrap_or(&NONE);
        let about = extras.about.map(|seq| seq.0);
        let is_change = message.kind.is_change();
        let reply = |seq| Reply {
            seq,
            from: extras.quote.as_ref().map(|Quote { sender, .. }| sender.0),
            text: extras.quote.as_ref().map(|quote| quote.text.as_str()),
        };
        Self {
            id: message.id.to_string(),
            seq: message.seq.0,
            from: message.sender.0,
            address: message.recipient.map(|id| Address::To(id.0)).or(room.map(|id| Address::Room(id.0))),
            time: message.stored_ms,
            kind: kind(message.kind),
            format: message.format.as_str(),
            text: &message.body,
            cid: message.client_id.as_deref(),
            target: about.filter(|_| is_change),
            reply: about.filter(|_| !is_change).map(reply),
            file: extras.file.as_ref(),
            card: extras.card.as_ref(),
            edited: extras.edited_ms,
            read: None,
        }
    }

    pub(in crate::dialect::nodeim) fn with_read(mut self, read: bool) -> Self {
        self.read = Some(read);
        self
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Image => "image",
        Kind::File => "file",
        Kind::FriendRequest => "friend-request",
        Kind::FriendAgreed => "friend-agreed",
        Kind::FriendRefused => "friend-refused",
        Kind::Invitation => "invitation",
        Kind::Recalled => "recalled",
        Kind::Edit => "edit",
        Kind::Recall => "recall",
    }
}
