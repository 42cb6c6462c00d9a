//! Rooms: making them, entering and leaving.

use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Event, Person, Topic};
use super::html;
use super::ids::{RoomId, UserId};
use super::names;
use super::passages::Way;
use super::room::Room;
use crate::clock::now_ms;

impl Chat {
    /// Makes a room with its creator in it, and tells their connections.
    pub async fn create_room(&self, me: UserId, name: &str, intro: &str) -> Result<(Arc<Room>, Person)> {
        names::check_name(name)?;
        names::check_intro(intro)?;
        self.check_room_count(me).await?;
        let person = self.person_by_id(me).await?;
        let intro = html::sanitize(intro);
        let room = self.store.insert_room(me, name, &intro, now_ms(), self.limits.first_room_id).await?;
        let room = Arc::new(room);
        let topic = Topic::Conversation(room.conversation);
        self.hub.enter(me, topic);
        self.hub.publish(topic, Event::RoomJoined { room: Arc::clone(&room), person: person.clone(), newbie: true });
        Ok((room, person))
    }

    /// Enters a room. Who is in it already is announced all the same.
    ///
    /// # Errors
    /// `NotFound` if there is no such room, `Invalid` if one is in too many.
    pub async fn join_room(&self, me: UserId, id: RoomId) -> Result<()> {
        let room = self.room(id).await?;
        if !self.store.is_member(room.conversation, me).await? {
            self.check_room_count(me).await?;
        }
        let user = self.user(me).await?;
        self.pass(&room, Way::Enters(user)).await?;
        Ok(())
    }

    /// Leaves a room; who is not in it has nothing to do.
    ///
    /// # Errors
    /// `NotFound` if there is no such room.
    pub async fn leave_room(&self, me: UserId, id: RoomId) -> Result<()> {
        let room = self.room(id).await?;
        let user = self.user(me).await?;
        self.pass(&room, Way::Leaves(user)).await?;
        Ok(())
    }

    async fn check_room_count(&self, me: UserId) -> Result<()> {
        let rooms = self.store.count_rooms(me).await?;
        if rooms < self.limits.rooms_max { Ok(()) } else { Err(Error::Invalid(Reason::ListFull)) }
    }
}
