//! Events in the words of modern clients. Pure functions.

use serde::Serialize;
use serde_json::json;

use super::message::{Address, Msg};
use crate::chat::event::{Event, Person, Place};
use crate::chat::ids::UserId;
use crate::chat::message::Message;
use crate::chat::room::Room;
use crate::dialect::nodeim::person::PublicUser;
use crate::dialect::nodeim::render::{presence, room_joined, room_left, uploaded};
use crate::dialect::nodeim::wire::RoomDoc;
use crate::hub::{Frame, Renderer, Wire};

/// Writes events for modern clients.
pub struct ModernRenderer;

/// The one there is.
pub static RENDERER: ModernRenderer = ModernRenderer;

impl Renderer for ModernRenderer {
    fn wire(&self) -> Wire {
        Wire::NodeimModern
    }

    fn render(&self, event: &Event) -> Option<Frame> {
        match event {
            Event::Message { message, from, room } => message_frame(message, from, room.as_deref()),
            Event::Presence { user, presence: value } => presence(*user, value),
            Event::Profile { person } => frame("profile", &json!({ "user": PublicUser(person) })),
            Event::RoomJoined { room, person, newbie } => room_joined(room, person, *newbie),
            Event::RoomLeft { room, person, by } => room_left(room, person, *by),
            Event::RoomChanged { room } => frame("room.changed", &json!({ "room": RoomDoc::from(&**room) })),
            Event::RoomDeleted { room } => frame("room.deleted", &json!({ "room": RoomDoc::from(&**room) })),
            Event::RoomMember { room, person, role, muted_until_ms } => frame(
                "room.member",
                &RoomMember {
                    room: (&**room).into(),
                    user: PublicUser(person),
                    role: *role,
                    muted_until: *muted_until_ms,
                },
            ),
            Event::Read { from, place, seq } => frame("read", &Mark::new(*from, *place, Some(seq.0))),
            Event::Typing { from, place } => frame("typing", &Mark::new(*from, *place, None)),
            Event::FriendsChanged => frame("friends", &json!({})),
            Event::Quieted { place, quiet } => {
                frame("conversation", &Quieted { address: (*place).into(), mute: *quiet })
            }
            Event::SessionEnded { why } => frame("session.ended", &json!({ "reason": why })),
            Event::Broadcast { .. } => None,
            Event::Uploaded { url, filename } => uploaded(url, filename),
        }
    }
}

fn frame(name: &'static str, event: &impl Serialize) -> Option<Frame> {
    Some(Frame::shared(name, serde_json::to_string(event).ok()?))
}

fn message_frame(message: &Message, from: &Person, room: Option<&Room>) -> Option<Frame> {
    #[derive(Serialize)]
    struct Said<'a> {
        message: Msg<'a>,
        user: PublicUser<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        info: Option<RoomDoc<'a>>,
    }
    let message = Msg::new(message, room.map(|room| room.id));
    frame("message", &Said { message, user: PublicUser(from), info: room.map(RoomDoc::from) })
}

/// `{"from": 1, "to": 2, "seq": 7}`
#[derive(Serialize)]
struct Mark {
    from: i64,
    #[serde(flatten)]
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
}

impl Mark {
    fn new(from: UserId, place: Place, seq: Option<i64>) -> Self {
        Self { from: from.0, address: place.into(), seq }
    }
}

#[derive(Serialize)]
struct Quieted {
    #[serde(flatten)]
    address: Address,
    mute: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomMember<'a> {
    room: RoomDoc<'a>,
    user: PublicUser<'a>,
    role: crate::chat::room::Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<i64>,
}
