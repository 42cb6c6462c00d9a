//! Events as nodeim's clients get them. Pure functions.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;

use super::person::PublicUser;
use super::wire::{PresenceChanged, RoomJoined, RoomLeft};
use crate::chat::event::{Event, Person};
use crate::chat::ids::UserId;
use crate::chat::message::{Format, Kind, Message};
use crate::chat::presence::Presence;
use crate::chat::room::Room;
use crate::hub::{Frame, Renderer, Wire};

/// Writes events for nodeim's clients.
pub struct NodeimRenderer;

/// The one there is.
pub static RENDERER: NodeimRenderer = NodeimRenderer;

impl Renderer for NodeimRenderer {
    fn wire(&self) -> Wire {
        Wire::Nodeim
    }

    fn render(&self, event: &Event) -> Option<Frame> {
        match event {
            Event::Message { message, .. } if message.kind.is_change() => None,
            Event::Message { message, from, room } => message_frame(message, from, room.as_deref()),
            Event::Presence { user, presence: value } => presence(*user, value),
            Event::RoomJoined { room, person, newbie } => room_joined(room, person, *newbie),
            Event::RoomLeft { room, person, .. } => room_left(room, person, None),
            Event::Uploaded { url, filename } => uploaded(url, filename),
            Event::Profile { .. }
            | Event::RoomChanged { .. }
            | Event::RoomMember { .. }
            | Event::RoomDeleted { .. }
            | Event::Read { .. }
            | Event::Typing { .. }
            | Event::FriendsChanged
            | Event::Quieted { .. }
            | Event::SessionEnded { .. }
            | Event::Broadcast { .. } => None,
        }
    }
}

pub(super) fn presence(user: UserId, presence: &Presence) -> Option<Frame> {
    shared("presence", &PresenceChanged { id: user.0, presence: presence.as_str() })
}

pub(super) fn room_joined(room: &Room, person: &Person, newbie: bool) -> Option<Frame> {
    shared("room.join", &RoomJoined { room: room.into(), user: PublicUser(person), newbie })
}

pub(super) fn room_left(room: &Room, person: &Person, by: Option<UserId>) -> Option<Frame> {
    shared("room.leave", &RoomLeft { room: room.into(), user: PublicUser(person), by: by.map(|id| id.0) })
}

pub(super) fn uploaded(url: &str, filename: &str) -> Option<Frame> {
    shared("upload", &json!({ "url": url, "filename": filename }))
}

fn shared(name: &'static str, event: &impl Serialize) -> Option<Frame> {
    Some(Frame::shared(name, serde_json::to_string(event).ok()?))
}

/// `{"from": {...}, "to": <the recipient>, "message": "...", "time": ..., "readed": 0, "_id": "..."}`, with `type`
/// for what is no chat text, and `room` and `name` in rooms. Only `to` differs between recipients.
fn message_frame(message: &Message, from: &Person, room: Option<&Room>) -> Option<Frame> {
    #[derive(Serialize)]
    struct AfterTo<'a> {
        message: Cow<'a, str>,
        time: i64,
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        kind: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        readed: u8,
        #[serde(rename = "_id")]
        id: String,
    }
    let rest = serde_json::to_string(&AfterTo {
        message: html(message),
        time: message.claimed_ms,
        kind: kind(message.kind),
        room: room.map(|room| room.id.0),
        name: room.map(|room| room.name.as_str()),
        readed: 0,
        id: message.id.to_string(),
    });
    let from = serde_json::to_string(&PublicUser(from)).ok()?;
    let after = format!(",{}", rest.ok()?.strip_prefix('{')?);
    Some(Frame::addressed("message", format!(r#"{{"from":{from},"to":"#), after))
}

/// The `type` of a message; none for what clients of 2013 show as chat text.
pub(super) fn kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::FriendRequest => Some("request-subscription"),
        Kind::FriendAgreed => Some("agree"),
        Kind::FriendRefused => Some("refuse"),
        Kind::Text | Kind::Image | Kind::File | Kind::Invitation | Kind::Recalled | Kind::Edit | Kind::Recall => None,
    }
}

/// A message's text as HTML, which is what nodeim's clients show. Pictures, files and invitations, for which they
/// have no word, become a part of it.
pub(super) fn html(message: &Message) -> Cow<'_, str> {
    let body = match message.format {
        Format::Html => Cow::Borrowed(&*message.body),
        Format::Plain => Cow::Owned(escape(&message.body).replace("\r\n", "\n").replace('\n', "<br>")),
    };
    let extras = message.extras.as_deref();
    match (message.kind, extras.and_then(|extras| extras.file.as_ref()), extras.and_then(|extras| extras.card.as_ref()))
    {
        (Kind::Image, Some(file), _) => {
            Cow::Owned(format!(r#"<img src="{}" alt="{}" />{body}"#, escape(&file.url), escape(&file.name)))
        }
        (Kind::File, Some(file), _) => {
            Cow::Owned(format!(r#"<a href="{}">{}</a> {body}"#, escape(&file.url), escape(&file.name)))
        }
        (Kind::Invitation, _, Some(card)) => {
            Cow::Owned(format!("邀请你加入房间 {}（{}）{body}", escape(&card.name), card.room))
        }
        (Kind::Recalled, ..) => Cow::Borrowed("此消息已撤回"),
        _ => body,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::chat::ids::{ConversationId, MessageId, RoomId, Seq};
    use crate::chat::user::User;

    fn json_for(frame: &Frame, user: i64) -> String {
        let mut json = String::new();
        frame.write_for(UserId(user), &mut json);
        json
    }

    fn person() -> Person {
        let attributes = json!({"sex": "1", "groups": [{"name": "家人"}]});
        let Value::Object(attributes) = attributes else { unreachable!() };
        let user = User { id: UserId(7), username: "alee".into(), question: Some("?".into()), attributes };
        Person { user: Arc::new(user), presence: Presence::online() }
    }

    fn message(kind: Kind, format: Format) -> Message {
        Message {
            id: MessageId(981),
            conversation: ConversationId(3),
            seq: Seq(1),
            sender: UserId(7),
            recipient: Some(UserId(9)),
            kind,
            format,
            body: "<b>\"你好\"</b>".into(),
            claimed_ms: 1_371_110_400_000,
            stored_ms: 5,
            client_id: None,
            extras: None,
        }
    }

    fn room() -> Room {
        Room {
            id: RoomId(5),
            conversation: ConversationId(3),
            name: "茶馆".into(),
            intro: String::new(),
            creator: UserId(7),
            avatar: None,
        }
    }

    #[test]
    fn a_chat_text() {
        let frame = message_frame(&message(Kind::Text, Format::Html), &person(), None).unwrap();
        assert_eq!(
            json_for(&frame, 9),
            r#"{"from":{"id":7,"username":"alee","sex":"1","presence":"在线"},"to":9,"message":"<b>\"你好\"</b>","time":1371110400000,"readed":0,"_id":"981"}"#
        );
    }

    #[test]
    fn a_room_message_in_plain_text() {
        let frame = message_frame(&message(Kind::Text, Format::Plain), &person(), Some(&room())).unwrap();
        let json: Value = serde_json::from_str(&json_for(&frame, 1)).unwrap();
        assert_eq!(json["message"], "&lt;b&gt;&quot;你好&quot;&lt;/b&gt;");
        assert_eq!((&json["room"], &json["name"], &json["to"]), (&json!(5), &json!("茶馆"), &json!(1)));
    }

    #[test]
    fn requests_have_a_type() {
        let frame = message_frame(&message(Kind::FriendRequest, Format::Html), &person(), None).unwrap();
        let json: Value = serde_json::from_str(&json_for(&frame, 9)).unwrap();
        assert_eq!(json["type"], "request-subscription");
    }

    #[test]
    fn comings_and_goings() {
        let joined = Event::RoomJoined { room: Arc::new(room()), person: person(), newbie: true };
        assert_eq!(
            json_for(&RENDERER.render(&joined).unwrap(), 1),
            r#"{"room":{"id":5,"name":"茶馆","intro":"","creator":7},"user":{"id":7,"username":"alee","sex":"1","presence":"在线"},"newbie":true}"#
        );
        let gone = Event::Presence { user: UserId(7), presence: Presence::offline() };
        assert_eq!(json_for(&RENDERER.render(&gone).unwrap(), 1), r#"{"id":7,"presence":"离线"}"#);
    }
}
