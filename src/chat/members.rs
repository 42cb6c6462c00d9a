//! Who is in a room, and what they may do there.

use std::collections::HashMap;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::Person;
use super::ids::{RoomId, UserId};
use super::room::{Role, Room};
use crate::clock::now_ms;
use crate::store::Member;

/// Members of one room that are listed.
const MEMBERS_LIMIT: i64 = 10_000;

/// The members of a room, by whether others see them online.
#[derive(Debug, Clone, Default)]
pub struct Attendance {
    pub online: Vec<Person>,
    pub offline: Vec<Person>,
}

/// A member of a room as another one sees them.
#[derive(Debug, Clone)]
pub struct MemberCard {
    pub person: Person,
    pub role: Role,
    /// Until when they may not speak, UTC milliseconds.
    pub muted_until_ms: Option<i64>,
}

impl Chat {
    /// Who is in a room that one is in oneself.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or one is not in it.
    pub async fn attendance(&self, me: UserId, id: RoomId) -> Result<Attendance> {
        let room = self.room(id).await?;
        if !self.store.is_member(room.conversation, me).await? {
            return Err(Error::NotFound(Reason::NotAMember));
        }
        let members = self.store.member_ids(room.conversation, MEMBERS_LIMIT).await?;
        let mut attendance = Attendance::default();
        for person in self.people(me, &members).await? {
            let list = if person.presence.is_hidden() { &mut attendance.offline } else { &mut attendance.online };
            list.push(person);
        }
        Ok(attendance)
    }

    /// The members of a room that one is in oneself: the creator first, then the admins, then by id.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or one is not in it.
    pub async fn members(&self, me: UserId, id: RoomId) -> Result<Vec<MemberCard>> {
        let room = self.room(id).await?;
        self.member(&room, me).await?;
        let members = self.store.members(&room, MEMBERS_LIMIT).await?;
        let ids: Vec<_> = members.iter().map(|member| member.user).collect();
        let people = self.people(me, &ids).await?;
        let mut people: HashMap<_, _> = people.into_iter().map(|person| (person.user.id, person)).collect();
        let now = now_ms();
        let card = |member: Member| {
            Some(MemberCard {
                person: people.remove(&member.user)?,
                role: member.role,
                muted_until_ms: member.muted_until_ms.filter(|until| *until > now),
            })
        };
        Ok(members.into_iter().filter_map(card).collect())
    }

    /// A member of a room.
    ///
    /// # Errors
    /// `NotFound` if they are not in it.
    pub(super) async fn member(&self, room: &Room, user: UserId) -> Result<Member> {
        self.store.member(room, user).await?.ok_or(Error::NotFound(Reason::NotAMember))
    }

    /// Whether `user` may speak in a room at this moment, as far as mutes are concerned.
    ///
    /// # Errors
    /// `Forbidden` if not.
    pub(super) async fn may_speak(&self, room: RoomId, user: UserId) -> Result<()> {
        match self.mutes(room).await?.get(&user) {
            Some(until) if *until > now_ms() => Err(Error::Forbidden(Reason::Muted)),
            _ => Ok(()),
        }
    }
}
