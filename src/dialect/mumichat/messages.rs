//! Saying something to one person, or to everybody.

use super::codes::Code;
use super::wire::{Data, WireId};
use super::{Context, filled};
use crate::chat::Said;
use crate::chat::error::{Error, Reason, Result};
use crate::chat::message::Format;

/// `message`: `{"recipient": "289559048", "content": "hello"}`. The recipient gets it before the reply is sent.
///
/// Old server: what was sent to somebody who was away was lost. Now it waits for them, but the code still says that
/// they are not online; so it does for those who hide, who get it at once.
pub(super) async fn message(cx: &mut Context, data: &Data) -> Result<Code> {
    let me = cx.user()?;
    let content = content(cx, data)?;
    let Some(WireId::User(to)) = data.id("recipient") else {
        return Err(Error::NotFound(Reason::NoSuchUser));
    };
    let said = Said { text: content, format: Format::Plain, ..Said::default() };
    cx.chat.send_direct(me, to, said).await?.stored().await?;
    let is_online = !cx.chat.hub().visible_presence(to).is_hidden();
    Ok(if is_online { Code::MessageSent } else { Code::NotOnline })
}

/// `broadcast`: `{"content": "hello"}`, to everybody else who is logged in on this wire.
pub(super) async fn broadcast(cx: &mut Context, data: &Data) -> Result<Code> {
    let me = cx.user()?;
    cx.chat.broadcast(me, content(cx, data)?).await?;
    Ok(Code::BroadcastSent)
}

/// Old server: took anything. Its client can fall over texts of less than two bytes, so none are empty at least.
fn content<'a>(cx: &Context, data: &'a Data) -> Result<&'a str> {
    let content = filled(data, "content")?;
    if content.len() > cx.settings.message_max_bytes {
        return Err(Error::Invalid(Reason::TextTooLong));
    }
    Ok(content)
}
