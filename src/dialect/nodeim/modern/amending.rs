//! Commands on what one has said.

use serde::{Deserialize, Serialize};

use super::place::{place, seq};
use crate::chat::Said;
use crate::chat::error::{Error, Result};
use crate::chat::message::Format;
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::{Id, Number, Text};

/// `{"to": 2, "seq": 7, "message": "hi", "format": "plain"}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Edit {
    to: Id,
    room: Id,
    seq: Number,
    message: Text,
    format: Text,
}

/// `{"to": 2, "seq": 7}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Recall {
    to: Id,
    room: Id,
    seq: Number,
}

/// `{"code": 200, "seq": 9, "at": ...}`: the number and time of the change.
#[derive(Serialize)]
pub(in crate::dialect::nodeim) struct Amended {
    code: u16,
    seq: i64,
    at: i64,
}

/// `edit`: gives one's message another text.
pub(in crate::dialect::nodeim) async fn edit(cx: &mut Context, req: Edit) -> Result<Amended> {
    let me = cx.user()?;
    let place = place(req.to, req.room)?;
    let target = seq(req.seq)?;
    let text = req.message.0.ok_or_else(Error::missing)?;
    let said = Said { text: &text, format: format(&req.format)?, ..Said::default() };
    let change = cx.chat.edit(&cx.connection, me, place, target, said).await?;
    Ok(Amended { code: 200, seq: change.seq.0, at: change.stored_ms })
}

/// `recall`: takes one's message back.
pub(in crate::dialect::nodeim) async fn recall(cx: &mut Context, req: Recall) -> Result<Amended> {
    let me = cx.user()?;
    let change = cx.chat.recall(&cx.connection, me, place(req.to, req.room)?, seq(req.seq)?).await?;
    Ok(Amended { code: 200, seq: change.seq.0, at: change.stored_ms })
}

/// The format of a text; HTML if none is given, as it always was.
pub(in crate::dialect::nodeim) fn format(format: &Text) -> Result<Format> {
    match format.filled_ref() {
        None => Ok(Format::Html),
        Some(name) => Format::parse(name).ok_or_else(Error::missing),
    }
}
