//! Rooms: making them, entering and leaving, who is in them.

use std::sync::Arc;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Event, Person, Topic};
use super::html;
use super::ids::{RoomId, UserId};
use super::names;
use super::room::Room;
use crate::clock::now_ms;

/// Members of one room that are listed.
const MEMBERS_LIMIT: i64 = 10_000;

/// The members of a room, by whether others see them online.
#[derive(Debug, Clone, Default)]
pub struct Attendance {
    pub online: Vec<Person>,
    pub offline: Vec<Person>,
}

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
        self.enter_room(&room, person.clone(), true);
        Ok((room, person))
    }

    /// Enters a room. Who is in it already is announced all the same.
    ///
    /// # Errors
    /// `NotFound` if there is no such room.
    pub async fn join_room(&self, me: UserId, id: RoomId) -> Result<()> {
        let room = self.room(id).await?;
        if !self.store.is_member(room.conversation, me).await? {
            self.check_room_count(me).await?;
        }
        let person = self.person_by_id(me).await?;
        // The topic first: what is said from the first moment on must not be missed. What was said in the moment
        // before may be heard too; a room's id is its invitation.
        let topic = Topic::Conversation(room.conversation);
        self.hub.enter(me, topic);
        match self.store.join(room.conversation, me).await {
            Ok(newbie) => self.enter_room(&room, person, newbie),
            Err(error) => {
                self.hub.leave(me, topic);
                return Err(error);
            }
        }
        Ok(())
    }

    fn enter_room(&self, room: &Arc<Room>, person: Person, newbie: bool) {
        let topic = Topic::Conversation(room.conversation);
        self.hub.enter(person.user.id, topic);
        self.hub.publish(topic, Event::RoomJoined { room: Arc::clone(room), person, newbie });
    }

    /// Leaves a room; who is not in it has nothing to do.
    ///
    /// # Errors
    /// `NotFound` if there is no such room.
    pub async fn leave_room(&self, me: UserId, id: RoomId) -> Result<()> {
        let room = self.room(id).await?;
        let was_member = self.store.leave(room.conversation, me).await?;
        let topic = Topic::Conversation(room.conversation);
        self.hub.leave(me, topic);
        if was_member {
            let person = self.person_by_id(me).await?;
            self.hub.publish(topic, Event::RoomLeft { room, person, by: None });
        }
        Ok(())
    }

    /// Who is in a room that one is in oneself.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or one is not in it.
    pub async fn attendance(&self, me: UserId, id: RoomId) -> Result<Attendance> {
        let room = self.room(id).await?;
        if !self.store.is_member(room.conversation, me).await? {
            return Err(Error::NotFound(Reason::NotAMember));
        }
        let members = self.store.members(room.conversation, MEMBERS_LIMIT).await?;
        let mut attendance = Attendance::default();
        for user in self.store.users(&members).await? {
            let person = self.person(Arc::new(user));
            let list = if person.presence.is_hidden() { &mut attendance.offline } else { &mut attendance.online };
            list.push(person);
        }
        Ok(attendance)
    }

    async fn check_room_count(&self, me: UserId) -> Result<()> {
        let rooms = self.store.count_rooms(me).await?;
        if rooms < self.limits.rooms_max { Ok(()) } else { Err(Error::Invalid(Reason::ListFull)) }
    }
}
