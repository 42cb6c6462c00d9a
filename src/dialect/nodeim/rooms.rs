//! Commands on rooms.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::context::Context;
use super::person::PublicUser;
use super::wire::{self, DONE, Done, RoomDoc};
use crate::chat::error::{Error, Result};

/// `room.create`: a new room with its creator in it. The README's clients read `room.id`, the desktop client
/// `room._roomdoc`; both are there.
pub(super) async fn create(cx: &mut Context, req: wire::CreateRoom) -> Result<wire::RoomCreated> {
    let me = cx.user()?;
    let name = req.name.filled().ok_or_else(Error::missing)?;
    let (room, creator) = cx.chat.create_room(me, &name, &req.intro.0.unwrap_or_default()).await?;
    let doc = RoomDoc::from(&*room);
    let mut room = serde_json::to_value(doc).map_err(Error::internal)?;
    if let Value::Object(room) = &mut room {
        room.insert("users".to_owned(), json!({ me.to_string(): PublicUser(&creator) }));
        room.insert("_roomdoc".to_owned(), json!(doc));
    }
    Ok(wire::RoomCreated { code: 200, room })
}

/// `room.join`: enters a room; its id is the invitation.
pub(super) async fn join(cx: &mut Context, req: wire::WhichRoom) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.join_room(me, Context::room(req.id.or(req.room))?).await?;
    Ok(DONE)
}

/// `room.leave`: leaves a room.
pub(super) async fn leave(cx: &mut Context, req: wire::WhichRoom) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.leave_room(me, Context::room(req.id.or(req.room))?).await?;
    Ok(DONE)
}

/// `room.list`: who is in a room. Members only.
pub(super) async fn list(cx: &mut Context, req: wire::WhichRoom) -> Result<Box<RawValue>> {
    let me = cx.user()?;
    let attendance = cx.chat.attendance(me, Context::room(req.id.or(req.room))?).await?;
    let reply = wire::RoomList {
        code: 200,
        onlines: wire::public(&attendance.online),
        offlines: wire::public(&attendance.offline),
    };
    to_raw_value(&reply).map_err(Error::internal)
}
