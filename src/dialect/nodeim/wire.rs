//! Requests and replies, as they are on the wire. What is loosely typed there is read by [`super::loose`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::loose::{Flag, Id, Number, Text};
use super::person::{FriendItem, PublicUser, SelfUser};
use crate::chat::event::Person;
use crate::chat::room::Room;

/// `{"username": "alee", "password": "111111", "sex": "1"}`: any further member is an attribute.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignUp {
    pub(super) username: Text,
    pub(super) password: Text,
    pub(super) question: Text,
    pub(super) answer: Text,
    #[serde(flatten)]
    pub(super) attributes: Map<String, Value>,
}

/// `{"code": 200, "message": "...", "id": 7}`
#[derive(Serialize)]
pub(super) struct SignedUp {
    pub(super) code: u16,
    pub(super) message: &'static str,
    pub(super) id: i64,
}

/// `{"username": "alee", "password": "111111"}`, or `id` for `username`; `presence` for who wants to start hidden. Or
/// `{"token": "pW0..."}`. With `"api": 2` for the events of modern clients.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignIn {
    pub(super) username: Text,
    pub(super) id: Id,
    pub(super) password: Text,
    pub(super) presence: Text,
    pub(super) token: Text,
    pub(super) device: Text,
    pub(super) api: Number,
}

/// `{"code": 200, "message": "welcome back, alee", "doc": {...}, "rooms": [...], "session": 12, "token": "pW0..."}`
#[derive(Serialize)]
pub(super) struct SignedIn<'a> {
    pub(super) code: u16,
    pub(super) message: String,
    pub(super) doc: SelfUser<'a>,
    pub(super) rooms: Vec<RoomDoc<'a>>,
    pub(super) session: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<&'a str>,
}

/// `{}`, or `{"everywhere": true}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignOut {
    pub(super) everywhere: Flag,
}

/// No parameters, or none that are looked at.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// `{"code": 200}`
#[derive(Serialize)]
pub(super) struct Done {
    pub(super) code: u16,
}

/// `{"code": 200}`
pub(super) const DONE: Done = Done { code: 200 };

/// `{"code": 200, "message": "bye"}`
#[derive(Serialize)]
pub(super) struct Bye {
    pub(super) code: u16,
    pub(super) message: &'static str,
}

/// `{"code": 200, "users": [...]}`
#[derive(Serialize)]
pub(super) struct Found<'a> {
    pub(super) code: u16,
    pub(super) users: Vec<PublicUser<'a>>,
}

/// `{"presence": "忙碌"}`: strings only.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Presence {
    pub(super) presence: Value,
}

/// `{"doc": {...}}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    pub(super) doc: Value,
}

/// `{"username": "alee"}`, then with `answer` and `newpassword`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Retrieve {
    pub(super) username: Text,
    pub(super) answer: Text,
    pub(super) newpassword: Text,
}

/// `{"code": 200, "question": "..."}`, and in the second step `{"code": 200}`.
#[derive(Serialize)]
pub(super) struct Retrieved {
    pub(super) code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) question: Option<String>,
}

/// `{"to": 12, "message": "<b>hi</b>", "time": 1371110400000}`; in a room `{"room": 5, "message": "hi"}`, or `id` for
/// `room`. Modern clients add `"cid": "a1"`, `"format": "plain"`, `"reply": 7`, `"file": "/public/..."`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Say {
    pub(super) to: Id,
    pub(super) room: Id,
    pub(super) id: Id,
    pub(super) message: Text,
    pub(super) time: Number,
    pub(super) cid: Text,
    pub(super) format: Text,
    pub(super) reply: Number,
    pub(super) file: Text,
}

/// `{"code": 200}`; for a message with a `cid` also what became of it: `{"code": 200, "_id": "981", "time": ...,
/// "seq": 7, "at": ...}`.
#[derive(Serialize)]
pub(super) struct Sent {
    pub(super) code: u16,
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<i64>,
}

/// `{"from": 12, "page": 1}`, `{"room": 5, "page": "2"}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Log {
    pub(super) from: Id,
    pub(super) room: Id,
    pub(super) page: Number,
}

/// `{"code": 200, "currentPage": 1, "lastPage": 3, "docs": [...]}`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogPage {
    pub(super) code: u16,
    pub(super) current_page: i64,
    pub(super) last_page: i64,
    pub(super) docs: Vec<LogDoc>,
}

/// A stored message: here `from` is a number, in the event it is an object.
#[derive(Serialize)]
pub(super) struct LogDoc {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) message: String,
    pub(super) time: i64,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) room: Option<i64>,
    pub(super) readed: u8,
}

/// `{"to": 12, "message": "..."}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Subscribe {
    pub(super) to: Id,
    pub(super) message: Text,
}

/// `{"to": 12, "refuse": 0, "message": "..."}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reply {
    pub(super) to: Id,
    pub(super) refuse: Flag,
    pub(super) message: Text,
}

/// `{"to": "12"}`, or `id` for `to`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Unsubscribe {
    pub(super) to: Id,
    pub(super) id: Id,
}

/// `{}`, or `{"id": 12}` for one of them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Friends {
    pub(super) id: Id,
}

/// `{"code": 200, "list": [...]}`
#[derive(Serialize)]
pub(super) struct FriendList {
    pub(super) code: u16,
    pub(super) list: Vec<FriendItem>,
}

/// `{"to": "12", "group": "家人"}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) to: Id,
    pub(super) group: Text,
}

/// `{"name": "...", "intro": "..."}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CreateRoom {
    pub(super) name: Text,
    pub(super) intro: Text,
}

/// `{"id": "5"}`, or `room` for `id`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WhichRoom {
    pub(super) id: Id,
    pub(super) room: Id,
}

/// `{"id": 5, "name": "...", "intro": "...", "creator": 7}`
#[derive(Serialize, Clone, Copy)]
pub(super) struct RoomDoc<'a> {
    id: i64,
    name: &'a str,
    intro: &'a str,
    creator: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
}

impl<'a> From<&'a Room> for RoomDoc<'a> {
    fn from(room: &'a Room) -> Self {
        Self {
            id: room.id.0,
            name: &room.name,
            intro: &room.intro,
            creator: room.creator.0,
            avatar: room.avatar.as_deref(),
        }
    }
}

/// `{"code": 200, "room": {...}}`
#[derive(Serialize)]
pub(super) struct RoomCreated {
    pub(super) code: u16,
    pub(super) room: Value,
}

/// `{"code": 200, "onlines": [...], "offlines": [...]}`
#[derive(Serialize)]
pub(super) struct RoomList<'a> {
    pub(super) code: u16,
    pub(super) onlines: Vec<PublicUser<'a>>,
    pub(super) offlines: Vec<PublicUser<'a>>,
}

/// The event `room.join`.
#[derive(Serialize)]
pub(super) struct RoomJoined<'a> {
    pub(super) room: RoomDoc<'a>,
    pub(super) user: PublicUser<'a>,
    pub(super) newbie: bool,
}

/// The event `room.leave`.
#[derive(Serialize)]
pub(super) struct RoomLeft<'a> {
    pub(super) room: RoomDoc<'a>,
    pub(super) user: PublicUser<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<i64>,
}

/// The event `presence`.
#[derive(Serialize)]
pub(super) struct PresenceChanged<'a> {
    pub(super) id: i64,
    pub(super) presence: &'a str,
}

/// All of them.
pub(super) fn public(people: &[Person]) -> Vec<PublicUser<'_>> {
    people.iter().map(PublicUser).collect()
}
