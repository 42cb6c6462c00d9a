//! Commands on rooms, their members and their profile.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::chat::RoomProfile;
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::UserId;
use crate::chat::room::Role;
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::{Id, Ids, Number, Switch, Text};
use crate::dialect::nodeim::person::PublicUser;
use crate::dialect::nodeim::wire::{DONE, Done};

/// `{"room": 5}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct OfRoom {
    room: Id,
}

/// `{"room": 5, "name": "茶馆", "intro": "tea", "avatar": "/public/files/nodeim-server/x1.png"}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Profile {
    room: Id,
    name: Value,
    intro: Value,
    avatar: Value,
}

/// `{"room": 5, "users": [2, 3]}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Invite {
    room: Id,
    users: Ids,
}

/// `{"room": 5, "user": 2}`, with `on` or `minutes`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct OfMember {
    room: Id,
    user: Id,
    on: Switch,
    minutes: Number,
}

/// `{"code": 200, "invited": [2, 3]}`
#[derive(Serialize)]
pub(in crate::dialect::nodeim) struct Invited {
    code: u16,
    invited: Vec<i64>,
}

/// `room.members`: who is in a room, with which role. Members only.
pub(in crate::dialect::nodeim) async fn members(cx: &mut Context, req: OfRoom) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Reply<'a> {
        code: u16,
        members: Vec<Member<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Member<'a> {
        user: PublicUser<'a>,
        role: Role,
        #[serde(skip_serializing_if = "Option::is_none")]
        muted_until: Option<i64>,
    }
    let me = cx.user()?;
    let cards = cx.chat.members(me, Context::room(req.room)?).await?;
    let members = cards.iter().map(|card| Member {
        user: PublicUser(&card.person),
        role: card.role,
        muted_until: card.muted_until_ms,
    });
    to_raw_value(&Reply { code: 200, members: members.collect() }).map_err(Error::internal)
}

/// `room.profile`: changes what is given.
pub(in crate::dialect::nodeim) async fn profile(cx: &mut Context, req: Profile) -> Result<Done> {
    let me = cx.user()?;
    let room = Context::room(req.room)?;
    let profile = RoomProfile { name: given(req.name)?, intro: given(req.intro)?, avatar: given(req.avatar)? };
    cx.chat.change_room(me, room, profile).await?;
    Ok(DONE)
}

/// `room.invite`: a message to each of some people.
pub(in crate::dialect::nodeim) async fn invite(cx: &mut Context, req: Invite) -> Result<Invited> {
    let me = cx.user()?;
    let room = Context::room(req.room)?;
    let invited = cx.chat.invite(me, room, &user_ids(req.users)?).await?;
    Ok(Invited { code: 200, invited: invited.into_iter().map(|id| id.0).collect() })
}

/// `room.admin`: makes a member an admin, or no longer.
pub(in crate::dialect::nodeim) async fn admin(cx: &mut Context, req: OfMember) -> Result<Done> {
    let me = cx.user()?;
    let room = Context::room(req.room)?;
    let is_admin = req.on.0.ok_or_else(Error::missing)?;
    cx.chat.set_admin(me, room, Context::target(req.user)?, is_admin).await?;
    Ok(DONE)
}

/// `room.mute`: lets a member not speak for some minutes.
pub(in crate::dialect::nodeim) async fn mute(cx: &mut Context, req: OfMember) -> Result<Done> {
    let me = cx.user()?;
    let room = Context::room(req.room)?;
    let minutes = req.minutes.0.ok_or_else(Error::missing)?;
    cx.chat.mute_member(me, room, Context::target(req.user)?, minutes).await?;
    Ok(DONE)
}

/// `room.kick`: takes a member out.
pub(in crate::dialect::nodeim) async fn kick(cx: &mut Context, req: OfMember) -> Result<Done> {
    let me = cx.user()?;
    let room = Context::room(req.room)?;
    cx.chat.kick(me, room, Context::target(req.user)?).await?;
    Ok(DONE)
}

/// `room.delete`: for good.
pub(in crate::dialect::nodeim) async fn delete(cx: &mut Context, req: OfRoom) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.delete_room(me, Context::room(req.room)?).await?;
    Ok(DONE)
}

/// A text, if there is one. What has another type is not taken for an absent one: it was meant to change something.
fn given(value: Value) -> Result<Option<String>> {
    if value.is_null() {
        return Ok(None);
    }
    Text::from(value).0.map(Some).ok_or(Error::Invalid(Reason::Unreadable))
}

/// The users whom a list names. What nobody can have as an id stands for nobody, but counts.
pub(super) fn user_ids(ids: Ids) -> Result<Vec<UserId>> {
    let ids = ids.0.ok_or_else(Error::missing)?;
    let id = |id| match id {
        Id::Given(id) => UserId(id),
        Id::Absent | Id::Nobody => UserId(0),
    };
    Ok(ids.into_iter().map(id).collect())
}
