//! Commands that say something, and the log.

use std::sync::Arc;

use super::context::Context;
use super::loose::{Id, Number};
use super::render;
use super::wire::{self, Sent};
use crate::chat::error::{Error, Result};
use crate::chat::ids::{RoomId, UserId};
use crate::chat::message::{Format, Message};
use crate::chat::{LogQuery, Said};

/// `message`: says something to a person. The sender gets no copy.
///
/// `{"to": 12, "message": "hi", "time": 1371110400000}` -> `{"code": 200}`
pub(super) async fn message(cx: &mut Context, req: wire::Message) -> Result<Sent> {
    let me = cx.user()?;
    let to = Context::target(req.to)?;
    let text = req.message.0.ok_or_else(Error::missing)?;
    let cid = req.cid.filled();
    let message = cx.chat.send_direct(me, to, said(&text, req.time, cid.as_deref())).await?;
    Ok(sent(&message, cid.is_some()))
}

/// `room.message`: says something in a room. The sender gets it like every member.
pub(super) async fn room_message(cx: &mut Context, req: wire::RoomMessage) -> Result<Sent> {
    let me = cx.user()?;
    let room = Context::room(req.room.or(req.id))?;
    let text = req.message.filled().ok_or_else(Error::missing)?;
    let cid = req.cid.filled();
    let message = cx.chat.send_to_room(&cx.connection, me, room, said(&text, req.time, cid.as_deref())).await?;
    Ok(sent(&message, cid.is_some()))
}

/// nodeim's text is HTML; its `time` is the sender's clock.
fn said<'a>(text: &'a str, time: Number, cid: Option<&'a str>) -> Said<'a> {
    Said { text, format: Format::Html, claimed_ms: time.0, client_id: cid }
}

/// Who sent no id of their own gets the old reply, to the letter.
fn sent(message: &Arc<Message>, has_cid: bool) -> Sent {
    let shown = has_cid.then_some(message);
    Sent { code: 200, id: shown.map(|message| message.id.to_string()), time: shown.map(|message| message.claimed_ms) }
}

/// `log`: what was addressed to me, 20 a page, page 1 the oldest; my own messages in rooms too.
pub(super) async fn log(cx: &mut Context, req: wire::Log) -> Result<wire::LogPage> {
    let me = cx.user()?;
    let page = req.page.0.filter(|page| *page >= 1).unwrap_or(1);
    let mut reply = wire::LogPage { code: 200, current_page: page, last_page: 0, docs: Vec::new() };
    let (from, room) = match (req.from, req.room) {
        (Id::Nobody, _) | (_, Id::Nobody) => return Ok(reply),
        (from, room) => (given(from).map(UserId), given(room).map(RoomId)),
    };
    let sheet = cx.chat.log(me, LogQuery { from, room, page }).await?;
    reply.last_page = sheet.last_page;
    reply.docs = sheet
        .messages
        .into_iter()
        .map(|(message, room)| wire::LogDoc {
            id: message.id.to_string(),
            from: message.sender.0,
            to: me.0,
            message: render::html(&message).into_owned(),
            time: message.claimed_ms,
            kind: render::kind(message.kind),
            room: room.map(|room| room.id.0),
            // Who reads the log is signed in, and was given what is in it.
            readed: 1,
        })
        .collect();
    Ok(reply)
}

fn given(id: Id) -> Option<i64> {
    match id {
        Id::Given(id) => Some(id),
        Id::Absent | Id::Nobody => None,
    }
}
