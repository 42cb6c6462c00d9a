//! What the domain tells the people concerned. Dialects render events; the hub carries them, also between nodes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, RoomId, Seq, UserId};
use super::message::Message;
use super::presence::Presence;
use super::room::{Role, Room};
use super::user::User;

/// A user and what others see of their presence at this moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    pub user: Arc<User>,
    pub presence: Presence,
}

/// Where something is said, as its author sees it: to a person, or in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    User(UserId),
    Room(RoomId),
}

/// Why a session ended before its user wanted to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// Its user signed out everywhere.
    Signout,
    /// Its user ended it from another one.
    Revoked,
    /// The password was changed.
    Password,
}

/// Something that happened and that somebody is to hear of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// A message was stored.
    Message { message: Arc<Message>, from: Person, room: Option<Arc<Room>> },
    /// A person's visible presence was set.
    Presence { user: UserId, presence: Presence },
    /// A person changed their profile.
    Profile { person: Person },
    /// Somebody entered a room (`newbie`), or a member of it came online.
    RoomJoined { room: Arc<Room>, person: Person, newbie: bool },
    /// Somebody left a room, or was taken out of it by somebody.
    RoomLeft { room: Arc<Room>, person: Person, by: Option<UserId> },
    /// A room has another name, introduction or picture.
    RoomChanged { room: Arc<Room> },
    /// A member has another role, or may not speak until a time (UTC milliseconds), or may again.
    RoomMember { room: Arc<Room>, person: Person, role: Role, muted_until_ms: Option<i64> },
    /// A room is gone.
    RoomDeleted { room: Arc<Room> },
    /// Somebody has read a conversation up to a message.
    Read { from: UserId, place: Place, seq: Seq },
    /// Somebody is writing.
    Typing { from: UserId, place: Place },
    /// A user's friends, groups, requests or blocks have changed, perhaps on another device of theirs.
    FriendsChanged,
    /// A user has set on one of their devices whether they want notifications from here.
    Quieted { place: Place, quiet: bool },
    /// The session of this connection has ended.
    SessionEnded { why: SessionEnd },
    /// Somebody said something to everybody, in plain text. It is not for those in `without`.
    Broadcast { from: UserId, text: Arc<str>, said_ms: i64, without: Vec<UserId> },
    /// A file came in through the upload panel.
    Uploaded { url: String, filename: String },
}

/// Whom an event is for: those connections that have entered the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Every connection of this user.
    User(UserId),
    /// Those connections of this user that want to hear what happens on their other ones.
    Devices(UserId),
    /// Every connection of the members of this conversation.
    Conversation(ConversationId),
    /// Every connection of those who have this user as a friend.
    Watchers(UserId),
    /// Every connection whose wire knows broadcasts.
    Broadcasts,
}
