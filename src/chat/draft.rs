//! A message on its way in, not stored yet.

use std::sync::Arc;

use super::ids::{ConversationId, Seq, UserId};
use super::message::{Extras, Format, Kind};

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
    pub extras: Option<Arc<Extras>>,
    /// The names of uploaded files that it shows.
    pub files: Vec<String>,
    /// What takes place together with the storing, or not at all.
    pub change: Option<Change>,
}

/// Something that a message brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The sender asks the recipient to become a friend. `Conflict` if there is a request or friendship in this
    /// direction.
    Ask,
    /// The sender accepts the recipient's request. `NotFound` if there is none that is open.
    Agree,
    /// The sender refuses the recipient's request. `NotFound` if there is none that is open.
    Refuse,
    /// The sender's earlier message gets this one's text. `NotFound` if there is none that was said after `since_ms`.
    Edit { target: Seq, since_ms: i64 },
    /// The sender's earlier message is emptied. `NotFound` as above.
    Recall { target: Seq, since_ms: i64 },
}
