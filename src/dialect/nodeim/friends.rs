//! Commands on friends.

use super::context::Context;
use super::loose::Id;
use super::person::FriendItem;
use super::wire::{self, DONE, Done};
use crate::chat::error::{Error, Result};
use crate::chat::ids::UserId;

/// Old server: what the requester reads when no text comes with the answer.
const AGREED: &str = "同意了你的好友请求";
const REFUSED: &str = "拒绝了你的好友请求";

/// `subscribe`: asks somebody to become a friend.
pub(super) async fn subscribe(cx: &mut Context, req: wire::Subscribe) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.ask_friend(me, Context::target(req.to)?, &req.message.0.unwrap_or_default()).await?;
    Ok(DONE)
}

/// `reply`: accepts or refuses the request of `to`.
pub(super) async fn reply(cx: &mut Context, req: wire::Reply) -> Result<Done> {
    let me = cx.user()?;
    let requester = Context::target(req.to)?;
    let text = req.message.filled();
    if req.refuse.0 {
        cx.chat.refuse(me, requester, text.as_deref().unwrap_or(REFUSED)).await?;
    } else {
        cx.chat.agree(me, requester, text.as_deref().unwrap_or(AGREED)).await?;
    }
    Ok(DONE)
}

/// `unsubscribe`: removes somebody from one's own list; 200 also if they are not in it, or nobody at all.
pub(super) async fn unsubscribe(cx: &mut Context, req: wire::Unsubscribe) -> Result<Done> {
    let me = cx.user()?;
    match req.to.or(req.id) {
        Id::Absent => return Err(Error::missing()),
        Id::Nobody => {}
        Id::Given(friend) => cx.chat.remove_friend(me, UserId(friend)).await?,
    }
    Ok(DONE)
}

/// `friends`: one's friends, or the one with this id.
pub(super) async fn friends(cx: &mut Context, req: wire::Friends) -> Result<wire::FriendList> {
    let me = cx.user()?;
    let cards = match req.id {
        Id::Absent => cx.chat.friends(me, None).await?,
        Id::Nobody => Vec::new(),
        Id::Given(id) => cx.chat.friends(me, Some(UserId(id))).await?,
    };
    Ok(wire::FriendList { code: 200, list: cards.into_iter().map(FriendItem).collect() })
}

/// `group`: files a friend under the name of a group.
pub(super) async fn group(cx: &mut Context, req: wire::Group) -> Result<Done> {
    let me = cx.user()?;
    let friend = Context::target(req.to)?;
    let group = req.group.filled().ok_or_else(Error::missing)?;
    cx.chat.set_group(me, friend, &group).await?;
    Ok(DONE)
}
