//! A room: a conversation that people create, enter and leave.

use serde::{Deserialize, Serialize};

use super::ids::{ConversationId, RoomId, UserId};

/// A room as its members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub id: RoomId,
    pub conversation: ConversationId,
    pub name: String,
    pub intro: String,
    pub creator: UserId,
    /// The path or address of its picture.
    pub avatar: Option<String>,
}

/// What a member may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Member,
    Admin,
    Creator,
}
