//! Commands that say something, and the log.

use super::context::Context;
use super::encode;
use super::loose::Id;
use super::modern::amending::format;
use super::render;
use super::wire::{self, Sent};
use crate::chat::error::{Error, Result};
use crate::chat::event::Place;
use crate::chat::ids::{RoomId, Seq, UserId};
use crate::chat::{self, LogQuery, Sending};

/// Something that was said and is on its way to the disk.
pub(super) struct Said {
    sending: Sending,
    /// The sender gave it an id of their own.
    is_named: bool,
}

impl Said {
    /// Waits for it; who sent no id gets the old reply, to the letter.
    pub(super) async fn reply(self) -> Result<String> {
        let message = self.sending.stored().await?;
        let shown = self.is_named.then_some(&message);
        encode(&Sent {
            code: 200,
            id: shown.map(|message| message.id.to_string()),
            time: shown.map(|message| message.claimed_ms),
            seq: shown.map(|message| message.seq.0),
            at: shown.map(|message| message.stored_ms),
        })
    }
}

/// `message`: says something to a person. The sender gets no copy.
///
/// `{"to": 12, "message": "hi", "time": 1371110400000}` -> `{"code": 200}`
pub(super) async fn message(cx: &mut Context, req: wire::Say) -> Result<Said> {
    let me = cx.user()?;
    let to = Context::target(req.to)?;
    let text = req.message.0.as_deref().or(wordless(&req)).ok_or_else(Error::missing)?;
    let sending = cx.chat.send_direct(me, to, said(text, &req)?).await?;
    cx.typing.said(Place::User(to));
    Ok(Said { sending, is_named: is_named(&req) })
}

/// `room.message`: says something in a room. The sender gets it like every member.
pub(super) async fn room_message(cx: &mut Context, req: wire::Say) -> Result<Said> {
    let me = cx.user()?;
    let room = Context::room(req.room.or(req.id))?;
    let text = req.message.filled_ref().or(wordless(&req)).ok_or_else(Error::missing)?;
    let sending = cx.chat.send_to_room(&cx.connection, me, room, said(text, &req)?).await?;
    cx.typing.said(Place::Room(room));
    Ok(Said { sending, is_named: is_named(&req) })
}

/// A file needs no words.
fn wordless(say: &wire::Say) -> Option<&'static str> {
    say.file.filled_ref().map(|_| "")
}

/// nodeim's text is HTML unless the client says otherwise; its `time` is the sender's clock.
fn said<'a>(text: &'a str, say: &'a wire::Say) -> Result<chat::Said<'a>> {
    Ok(chat::Said {
        text,
        format: format(&say.format)?,
        claimed_ms: say.time.0,
        client_id: say.cid.filled_ref(),
        answers: say.reply.0.map(Seq),
        file: say.file.filled_ref(),
    })
}

fn is_named(say: &wire::Say) -> bool {
    say.cid.filled_ref().is_some()
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
