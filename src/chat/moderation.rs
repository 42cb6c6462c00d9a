//! What a room's creator and its admins may do: change its profile, give and take roles, silence members, take them
//! out, delete the room.

use std::sync::Arc;

use super::Chat;
use super::cache::MUTES_MAX;
use super::error::{Error, Reason, Result};
use super::event::{Event, Topic};
use super::html;
use super::ids::{RoomId, UserId};
use super::names;
use super::passages::Way;
use super::room::{Role, Room};
use crate::clock::now_ms;
use crate::store::{Avatar, Member, RoomChange};

const MAX_MUTE_MINUTES: i64 = 525_600;
const MINUTE_MS: i64 = 60_000;

/// What is to change of a room's profile; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct RoomProfile {
    pub name: Option<String>,
    pub intro: Option<String>,
    /// The path of an uploaded file, or "" for none.
    pub avatar: Option<String>,
}

impl Chat {
    /// Changes a room's profile and tells its members, unless everything is so already.
    ///
    /// # Errors
    /// `NotFound` if there is no such room, one is not in it, or the picture is no uploaded file; `Forbidden` for an
    /// ordinary member; `Invalid` if nothing is given or does not fit.
    pub async fn change_room(&self, me: UserId, id: RoomId, profile: RoomProfile) -> Result<()> {
        let RoomProfile { name, intro, avatar } = profile;
        if let Some(name) = &name {
            names::check_name(name)?;
        }
        if let Some(intro) = &intro {
            names::check_intro(intro)?;
        }
        if name.is_none() && intro.is_none() && avatar.is_none() {
            return Err(Error::missing());
        }
        let (room, _) = self.room_with(id, me, Role::Admin).await?;
        let avatar = match avatar {
            // Whoever posts the whole profile back need not be the one who uploaded the picture.
            Some(url) if Some(&url) != room.avatar.as_ref() => Some(self.room_avatar(me, &url).await?),
            _ => None,
        };
        let change = RoomChange { name, intro: intro.map(|intro| html::sanitize(&intro).into_owned()), avatar };
        self.store.change_room(id, &change).await?;
        self.caches.forget_room(&room);
        let changed = self.room(id).await?;
        if changed != room {
            self.hub.publish(Topic::Conversation(room.conversation), Event::RoomChanged { room: changed });
        }
        Ok(())
    }

    /// Makes a member an admin, or no longer, and tells the members, unless it is so already.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or member, `Forbidden` for all but the creator, and on themselves.
    pub async fn set_admin(&self, me: UserId, id: RoomId, user: UserId, is_admin: bool) -> Result<()> {
        let (room, _) = self.room_with(id, me, Role::Creator).await?;
        let member = self.subordinate(&room, Role::Creator, user).await?;
        let role = if is_admin { Role::Admin } else { Role::Member };
        if member.role == role {
            return Ok(());
        }
        if !self.store.set_admin(room.conversation, user, is_admin).await? {
            return Err(Error::NotFound(Reason::NotAMember));
        }
        self.tell_of_member(room, Member { role, ..member }).await
    }

    /// Lets a member not speak for so many minutes, or, with none, speak again; and tells the members.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or member, `Forbidden` if one is not above them, `Invalid` for a time that
    /// cannot be.
    pub async fn mute_member(&self, me: UserId, id: RoomId, user: UserId, minutes: i64) -> Result<()> {
        if !(0..=MAX_MUTE_MINUTES).contains(&minutes) {
            return Err(Error::Invalid(Reason::Unreadable));
        }
        let (room, role) = self.room_with(id, me, Role::Admin).await?;
        let member = self.subordinate(&room, role, user).await?;
        let now = now_ms();
        let muted_until_ms = (minutes > 0).then(|| now + minutes * MINUTE_MS);
        let was_muted = member.muted_until_ms.is_some_and(|until| until > now);
        if muted_until_ms.is_none() && !was_muted {
            return Ok(());
        }
        if !was_muted && self.mutes(id).await?.len() as i64 >= MUTES_MAX {
            return Err(Error::Invalid(Reason::ListFull));
        }
        self.store.set_mute(id, user, muted_until_ms, now).await?;
        self.caches.forget_mutes(id);
        self.tell_of_member(room, Member { muted_until_ms, ..member }).await
    }

    /// Takes a member out of a room, who hears of it like the others. They may come back.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or member, `Forbidden` if one is not above them.
    pub async fn kick(&self, me: UserId, id: RoomId, user: UserId) -> Result<()> {
        let (room, role) = self.room_with(id, me, Role::Admin).await?;
        self.subordinate(&room, role, user).await?;
        let user = self.user(user).await?;
        let was_member = self.pass(&room, Way::IsKicked { user, by: me }).await?;
        if was_member { Ok(()) } else { Err(Error::NotFound(Reason::NotAMember)) }
    }

    /// Deletes a room for good, with what was said in it, and tells its members.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or one is not in it, `Forbidden` for all but the creator.
    pub async fn delete_room(&self, me: UserId, id: RoomId) -> Result<()> {
        let (room, _) = self.room_with(id, me, Role::Creator).await?;
        let was_there = self.pass(&room, Way::Closes).await;
        self.caches.forget_room(&room);
        self.caches.forget_mutes(id);
        if was_there? { Ok(()) } else { Err(Error::NotFound(Reason::NoSuchRoom)) }
    }

    /// A room in which one has at least this role, and the role.
    async fn room_with(&self, id: RoomId, me: UserId, least: Role) -> Result<(Arc<Room>, Role)> {
        let room = self.room(id).await?;
        let role = self.member(&room, me).await?.role;
        if role < least {
            return Err(Error::Forbidden(Reason::NotAllowed));
        }
        Ok((room, role))
    }

    /// A member who is below `role`.
    async fn subordinate(&self, room: &Room, role: Role, user: UserId) -> Result<Member> {
        let member = self.member(room, user).await?;
        if member.role < role { Ok(member) } else { Err(Error::Forbidden(Reason::NotAllowed)) }
    }

    async fn tell_of_member(&self, room: Arc<Room>, member: Member) -> Result<()> {
        let person = self.person_by_id(member.user).await?;
        let now = now_ms();
        let event = Event::RoomMember {
            person,
            role: member.role,
            muted_until_ms: member.muted_until_ms.filter(|until| *until > now),
            room: Arc::clone(&room),
        };
        self.hub.publish(Topic::Conversation(room.conversation), event);
        Ok(())
    }

    async fn room_avatar(&self, me: UserId, url: &str) -> Result<Avatar> {
        if url.is_empty() {
            return Ok(Avatar::None);
        }
        let (name, card) = self.attachment(me, url).await?;
        Ok(Avatar::File { name, url: card.url })
    }
}
