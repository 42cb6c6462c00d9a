//! Commands on one's sessions.

use serde::{Deserialize, Serialize};

use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::SessionId;
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::Id;
use crate::dialect::nodeim::wire::{DONE, Done, Nothing};

/// `{"code": 200, "sessions": [...]}`
#[derive(Serialize)]
pub(in crate::dialect::nodeim) struct SessionList {
    code: u16,
    sessions: Vec<SessionItem>,
}

/// `{"id": 12, "device": "Firefox on Linux", "address": "127.0.0.1", "created": ..., "used": ..., "current": true,
/// "online": true}`
#[derive(Serialize)]
struct SessionItem {
    id: i64,
    device: String,
    address: String,
    created: i64,
    used: i64,
    current: bool,
    online: bool,
}

/// `{"id": 12}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct EndSession {
    id: Id,
}

/// `sessions`: where one is signed in.
pub(in crate::dialect::nodeim) async fn list(cx: &mut Context, _: Nothing) -> Result<SessionList> {
    let me = cx.user()?;
    let current = cx.connection.session();
    let cards = cx.chat.sessions(me).await?;
    let sessions = cards.into_iter().map(|card| SessionItem {
        id: card.session.id.0,
        device: card.session.device,
        address: card.session.address,
        created: card.session.created_ms,
        used: card.session.used_ms,
        current: Some(card.session.id) == current,
        online: card.online,
    });
    Ok(SessionList { code: 200, sessions: sessions.collect() })
}

/// `sessions.end`: ends one of them.
pub(in crate::dialect::nodeim) async fn end(cx: &mut Context, req: EndSession) -> Result<Done> {
    let me = cx.user()?;
    let id = match req.id {
        Id::Absent => return Err(Error::missing()),
        Id::Nobody => return Err(Error::NotFound(Reason::NoSuchSession)),
        Id::Given(id) => SessionId(id),
    };
    cx.chat.end_session(&cx.connection, me, id).await?;
    Ok(DONE)
}
