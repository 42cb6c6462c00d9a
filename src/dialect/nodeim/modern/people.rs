//! Commands on people: requests, blocks, who somebody is.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::rooms::user_ids;
use crate::chat::RequestCard;
use crate::chat::error::{Error, Result};
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::{Id, Ids};
use crate::dialect::nodeim::person::PublicUser;
use crate::dialect::nodeim::wire::{DONE, Done, Found, Nothing, public};

/// `{"user": 2}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct OfUser {
    user: Id,
}

/// `{"ids": [2, 3]}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Users {
    ids: Ids,
}

/// `requests`: those that wait for an answer.
pub(in crate::dialect::nodeim) async fn requests(cx: &mut Context, _: Nothing) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Reply<'a> {
        code: u16,
        incoming: Vec<Item<'a>>,
        outgoing: Vec<Item<'a>>,
    }
    #[derive(Serialize)]
    struct Item<'a> {
        user: PublicUser<'a>,
        text: &'a str,
        time: i64,
    }
    fn items<'a>(cards: &'a [RequestCard]) -> Vec<Item<'a>> {
        let item =
            |card: &'a RequestCard| Item { user: PublicUser(&card.person), text: &card.text, time: card.time_ms };
        cards.iter().map(item).collect()
    }
    let me = cx.user()?;
    let requests = cx.chat.requests(me).await?;
    let reply = Reply { code: 200, incoming: items(&requests.incoming), outgoing: items(&requests.outgoing) };
    to_raw_value(&reply).map_err(Error::internal)
}

/// `block`: to hear nothing of somebody, nor be seen by them.
pub(in crate::dialect::nodeim) async fn block(cx: &mut Context, req: OfUser) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.block(me, Context::target(req.user)?).await?;
    Ok(DONE)
}

/// `unblock`: ends that.
pub(in crate::dialect::nodeim) async fn unblock(cx: &mut Context, req: OfUser) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.unblock(me, Context::target(req.user)?).await?;
    Ok(DONE)
}

/// `blocks`: whom one has blocked.
pub(in crate::dialect::nodeim) async fn blocks(cx: &mut Context, _: Nothing) -> Result<Box<RawValue>> {
    let me = cx.user()?;
    let people = cx.chat.blocks(me).await?;
    to_raw_value(&Found { code: 200, users: public(&people) }).map_err(Error::internal)
}

/// `users`: the people with these ids.
pub(in crate::dialect::nodeim) async fn users(cx: &mut Context, req: Users) -> Result<Box<RawValue>> {
    let me = cx.user()?;
    let people = cx.chat.look_up(me, &user_ids(req.ids)?).await?;
    to_raw_value(&Found { code: 200, users: public(&people) }).map_err(Error::internal)
}
