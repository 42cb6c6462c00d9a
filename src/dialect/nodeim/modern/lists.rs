//! Commands that read: the list of conversations, a conversation's history, what came meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::message::{Address, Msg};
use super::place::{place, seq};
use crate::chat::error::{Error, Result};
use crate::chat::event::{Person, Place};
use crate::chat::ids::{MessageId, RoomId, Seq, UserId};
use crate::chat::message::Message;
use crate::chat::room::Role;
use crate::chat::{Company, Entry, HistoryQuery, SearchQuery};
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::{Id, Number, Text};
use crate::dialect::nodeim::person::PublicUser;
use crate::dialect::nodeim::wire::RoomDoc;
use crate::store::ReadMarks;

/// `{}`, or `{"to": 2}` for one of them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Conversations {
    to: Id,
    room: Id,
}

/// `{"to": 2, "before": 40, "limit": 50}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct History {
    to: Id,
    room: Id,
    before: Number,
    after: Number,
    limit: Number,
}

/// `{"marks": [{"to": 2, "seq": 40}]}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Resume {
    marks: Option<Vec<Mark>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Mark {
    to: Id,
    room: Id,
    seq: Number,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(flatten)]
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<PublicUser<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<RoomDoc<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<i64>,
    last: Option<Msg<'a>>,
    last_seq: i64,
    unread: i64,
    read: i64,
    peer_read: i64,
    mute: bool,
}

/// `conversations`: all of one's own, or one.
pub(in crate::dialect::nodeim) async fn conversations(cx: &mut Context, req: Conversations) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Reply<'a> {
        code: u16,
        conversations: Vec<Item<'a>>,
    }
    let me = cx.user()?;
    let entries = if (req.to, req.room) == (Id::Absent, Id::Absent) {
        cx.chat.conversations(me).await?
    } else {
        vec![cx.chat.conversation(me, place(req.to, req.room)?).await?]
    };
    json(&Reply { code: 200, conversations: entries.iter().map(item).collect() })
}

fn item(entry: &Entry) -> Item<'_> {
    let (address, room) = match &entry.with {
        Company::Person { person, .. } => (Address::To(person.user.id.0), None),
        Company::Room { room, .. } => (Address::Room(room.id.0), Some(room.id)),
    };
    let item = Item {
        address,
        user: None,
        blocked: None,
        info: None,
        role: None,
        muted_until: None,
        last: entry.last.as_ref().map(|message| Msg::new(message, room)),
        last_seq: entry.last_seq.0,
        unread: entry.unread,
        read: entry.read.0,
        peer_read: entry.peer_read.0,
        mute: entry.quiet,
    };
    match &entry.with {
        Company::Person { person, is_blocked } => {
            Item { user: Some(PublicUser(person)), blocked: is_blocked.then_some(true), ..item }
        }
        Company::Room { room, role, muted_until_ms } => {
            Item { info: Some((&**room).into()), role: Some(*role), muted_until: *muted_until_ms, ..item }
        }
    }
}

/// `history`: a page of a conversation.
pub(in crate::dialect::nodeim) async fn history(cx: &mut Context, req: History) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply<'a> {
        code: u16,
        messages: Vec<Msg<'a>>,
        more: bool,
        users: BTreeMap<i64, PublicUser<'a>>,
        read: i64,
        peer_read: i64,
    }
    let me = cx.user()?;
    let place = place(req.to, req.room)?;
    let query = HistoryQuery { before: req.before.0.map(Seq), after: req.after.0.map(Seq), limit: limit(req.limit) };
    let page = cx.chat.history(me, place, query).await?;
    let room = room_of(place);
    let message = |message| Msg::new(message, room).with_read(is_read(message, me, page.marks));
    json(&Reply {
        code: 200,
        messages: page.messages.iter().map(message).collect(),
        more: page.more,
        users: by_id(&page.people),
        read: page.marks.mine.0,
        peer_read: page.marks.others.0,
    })
}

/// By the others, if one said it oneself; else by oneself.
fn is_read(message: &Message, me: UserId, marks: ReadMarks) -> bool {
    message.seq <= if message.sender == me { marks.others } else { marks.mine }
}

/// `{"text": "tea", "to": 2, "before": "981", "limit": 20}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Search {
    text: Text,
    to: Id,
    room: Id,
    before: Id,
    limit: Number,
}

/// `search`: messages by their words.
pub(in crate::dialect::nodeim) async fn search(cx: &mut Context, req: Search) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Reply<'a> {
        code: u16,
        messages: Vec<Msg<'a>>,
        more: bool,
        users: BTreeMap<i64, PublicUser<'a>>,
    }
    let me = cx.user()?;
    let place = if (req.to, req.room) == (Id::Absent, Id::Absent) { None } else { Some(place(req.to, req.room)?) };
    let before = match req.before {
        Id::Absent => None,
        Id::Nobody => Some(MessageId(0)),
        Id::Given(id) => Some(MessageId(id)),
    };
    let text = req.text.filled().ok_or_else(Error::missing)?;
    let query = SearchQuery { text: &text, place, before, limit: limit(req.limit) };
    let found = cx.chat.search(me, query).await?;
    let mut messages = Vec::with_capacity(found.messages.len());
    for message in &found.messages {
        messages.push(Msg::new(message, cx.chat.room_id_of(message).await?));
    }
    json(&Reply { code: 200, messages, more: found.more, users: by_id(&found.people) })
}

fn limit(number: Number) -> Option<usize> {
    number.0.map(|limit| usize::try_from(limit).unwrap_or(1))
}

/// `resume`: what came since the client was here last.
pub(in crate::dialect::nodeim) async fn resume(cx: &mut Context, req: Resume) -> Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Resumed<'a> {
        #[serde(flatten)]
        address: Address,
        messages: Vec<Msg<'a>>,
        last: i64,
        more: bool,
    }
    #[derive(Serialize)]
    struct Reply<'a> {
        code: u16,
        conversations: Vec<Resumed<'a>>,
        users: BTreeMap<i64, PublicUser<'a>>,
    }
    let me = cx.user()?;
    let marks = req.marks.ok_or_else(Error::missing)?;
    let marks = marks.into_iter().filter_map(|mark| Some((place(mark.to, mark.room).ok()?, seq(mark.seq).ok()?)));
    let (resumed, people) = cx.chat.resume(me, &marks.collect::<Vec<_>>()).await?;
    let conversations = resumed.iter().map(|resumed| Resumed {
        address: resumed.place.into(),
        messages: resumed.messages.iter().map(|message| Msg::new(message, room_of(resumed.place))).collect(),
        last: resumed.last.0,
        more: resumed.more,
    });
    json(&Reply { code: 200, conversations: conversations.collect(), users: by_id(&people) })
}

pub(super) fn by_id(people: &[Person]) -> BTreeMap<i64, PublicUser<'_>> {
    people.iter().map(|person| (person.user.id.0, PublicUser(person))).collect()
}

pub(super) fn json(reply: &impl Serialize) -> Result<Box<RawValue>> {
    to_raw_value(reply).map_err(Error::internal)
}

fn room_of(place: Place) -> Option<RoomId> {
    match place {
        Place::Room(id) => Some(id),
        Place::User(_) => None,
    }
}
