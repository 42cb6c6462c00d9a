//! From where a user says something is to the conversation behind it.

use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::Place;
use super::ids::{ConversationId, UserId};
use super::room::Room;
use crate::hub::Connection;

/// A conversation as one of its members sees it.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// None for two people who have never said a word to each other.
    pub(super) conversation: Option<ConversationId>,
    pub(super) room: Option<Arc<Room>>,
}

impl Chat {
    /// The conversation at `place`. Whether `me` may do something there is not checked for rooms.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or room.
    pub(super) async fn spot(&self, me: UserId, place: Place) -> Result<Spot> {
        match place {
            Place::User(id) => {
                let peer = self.user(id).await?.id;
                Ok(Spot { conversation: self.existing_pair(me, peer).await?, room: None })
            }
            Place::Room(id) => {
                let room = self.room(id).await?;
                Ok(Spot { conversation: Some(room.conversation), room: Some(room) })
            }
        }
    }

    /// As [`spot`](Self::spot), for who is in it now: a member of the room, or one of the two.
    ///
    /// # Errors
    /// `NotFound` also for who is no member of the room.
    pub(super) async fn own_spot(&self, connection: &Connection, me: UserId, place: Place) -> Result<Spot> {
        let spot = self.spot(me, place).await?;
        if let Some(room) = &spot.room {
            self.check_member(connection, me, room).await?;
        }
        Ok(spot)
    }

    /// # Errors
    /// `NotFound` if `me` is not in the room.
    pub(super) async fn check_member(&self, connection: &Connection, me: UserId, room: &Room) -> Result<()> {
        // A connection is in the topics of its user's rooms, so mostly this needs no query.
        let is_member = connection.is_in(super::event::Topic::Conversation(room.conversation))
            || self.store.is_member(room.conversation, me).await?;
        if is_member { Ok(()) } else { Err(Error::NotFound(Reason::NotAMember)) }
    }
}
