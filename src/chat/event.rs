//! What the domain tells the people concerned. Dialects render events; the hub carries them, also between nodes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, UserId};
use super::message::Message;
use super::presence::Presence;
use super::room::Room;
use super::user::User;

/// A user and what others see of their presence at this moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    pub user: Arc<User>,
    pub presence: Presence,
}

/// Something that happened and that somebody is to hear of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// A message was stored.
    Message { message: Arc<Message>, from: Person, room: Option<Arc<Room>> },
    /// A person's visible presence was set.
    Presence { user: UserId, presence: Presence },
    /// Somebody entered a room (`newbie`), or a member of it came online.
    RoomJoined { room: Arc<Room>, person: Person, newbie: bool },
    /// Somebody left a room.
    RoomLeft { room: Arc<Room>, person: Person },
}

/// Whom an event is for: those connections that have entered the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Every connection of this user.
    User(UserId),
    /// Every connection of the members of this conversation.
    Conversation(ConversationId),
    /// Every connection of those who have this user as a friend.
    Watchers(UserId),
}
