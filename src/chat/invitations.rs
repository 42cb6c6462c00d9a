//! Inviting people into a room.

use std::collections::HashSet;
use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::ids::{RoomId, UserId};
use super::meaning::Meaning;
use super::message::{Extras, Format, Kind, RoomCard};
use super::messages::Said;

/// People that can be invited at once.
const MAX_INVITED: usize = 50;

impl Chat {
    /// Invites people into a room that one is in oneself, by a message to each. Returns who was invited: not who is in
    /// it already, does not exist, or has blocked one.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or one is not in it, `Invalid` for more than 50 people.
    pub async fn invite(&self, me: UserId, id: RoomId, users: &[UserId]) -> Result<Vec<UserId>> {
        if users.len() > MAX_INVITED {
            return Err(Error::Invalid(Reason::TooMany));
        }
        let room = self.room(id).await?;
        self.member(&room, me).await?;
        let card = RoomCard { room: room.id, name: room.name.clone() };
        let extras = Arc::new(Extras { card: Some(card), ..Extras::default() });
        let (mut invited, mut seen) = (Vec::new(), HashSet::new());
        for &user in users {
            if !seen.insert(user) || self.store.is_member(room.conversation, user).await? {
                continue;
            }
            let said = Said { format: Format::Plain, ..Said::default() };
            let extras = Some(Arc::clone(&extras));
            match self.write_to(me, user, said, Meaning { kind: Kind::Invitation, extras, ..Meaning::default() }).await
            {
                Ok(_) => invited.push(user),
                Err(Error::NotFound(Reason::NoSuchUser) | Error::Forbidden(Reason::Blocked)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(invited)
    }
}
