//! Events as MumiChat's clients get them. Pure functions.

use std::borrow::Cow;

use super::time::rfc3339;
use super::wire::{Push, WireId};
use crate::chat::event::Event;
use crate::chat::html::plain;
use crate::chat::ids::UserId;
use crate::chat::message::{Kind, Message};
use crate::hub::{Frame, Renderer, Wire};

/// Writes events for MumiChat's clients, who know messages to one person and to everybody, and nothing else.
pub(super) struct MumichatRenderer;

/// The one there is.
pub(super) static RENDERER: MumichatRenderer = MumichatRenderer;

impl Renderer for MumichatRenderer {
    fn wire(&self) -> Wire {
        Wire::Mumichat
    }

    fn has_rooms(&self) -> bool {
        false
    }

    fn has_broadcasts(&self) -> bool {
        true
    }

    fn render(&self, event: &Event) -> Option<Frame> {
        match event {
            Event::Message { message, .. } if message.kind.is_change() => None,
            Event::Message { message, .. } => direct(message, message.recipient?),
            Event::Broadcast { from, text, said_ms, .. } => push(&Push {
                id: String::new(),
                sender: WireId::of(*from),
                recipient: String::new(),
                content: text,
                created_at: rfc3339(*said_ms),
            }),
            Event::Presence { .. }
            | Event::Profile { .. }
            | Event::RoomJoined { .. }
            | Event::RoomLeft { .. }
            | Event::RoomChanged { .. }
            | Event::RoomMember { .. }
            | Event::RoomDeleted { .. }
            | Event::Read { .. }
            | Event::Typing { .. }
            | Event::FriendsChanged
            | Event::Quieted { .. }
            | Event::SessionEnded { .. }
            | Event::Uploaded { .. } => None,
        }
    }
}

fn direct(message: &Message, recipient: UserId) -> Option<Frame> {
    push(&Push {
        id: message.id.to_string(),
        sender: WireId::of(message.sender),
        recipient: WireId::of(recipient),
        content: &content(message),
        // The server's clock, as in the old server; the sender's may be wrong.
        created_at: rfc3339(message.stored_ms),
    })
}

/// Its client knows a message by its sender: those whose ids are too large for this wire have none.
fn push(push: &Push<'_>) -> Option<Frame> {
    let json = serde_json::to_string(push).ok().filter(|_| !push.sender.is_empty())?;
    Some(Frame::nameless(json))
}

/// A message in words. What this wire has no word for becomes text as well, since whatever was given to one client of a
/// user is not given to another one later.
fn content(message: &Message) -> Cow<'_, str> {
    let text = plain(message);
    let extras = message.extras.as_deref();
    let (file, card) = (extras.and_then(|extras| extras.file.as_ref()), extras.and_then(|extras| extras.card.as_ref()));
    let words = match (message.kind, file, card) {
        (Kind::Image | Kind::File, Some(file), _) => format!("[{}] {}", file.name, file.url),
        (Kind::Invitation, _, Some(card)) => format!("邀請你加入房間 {}（{}）", card.name, card.room),
        (Kind::FriendRequest, ..) => "[請求加為好友]".to_owned(),
        (Kind::FriendAgreed, ..) => "[已接受好友請求]".to_owned(),
        (Kind::FriendRefused, ..) => "[已拒絕好友請求]".to_owned(),
        (Kind::Recalled, ..) => return Cow::Borrowed("[訊息已收回]"),
        _ => return Cow::Owned(text),
    };
    Cow::Owned(if text.is_empty() { words } else { format!("{words} {text}") })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::chat::event::Person;
    use crate::chat::ids::{ConversationId, MessageId, Seq};
    use crate::chat::message::{Extras, FileCard, Format};
    use crate::chat::presence::Presence;
    use crate::chat::user::User;

    fn event(kind: Kind, body: &str, extras: Option<Extras>) -> Event {
        let user = User { id: UserId(7), username: "alee".into(), question: None, attributes: Map::new() };
        let message = Message {
            id: MessageId(981),
            conversation: ConversationId(3),
            seq: Seq(1),
            sender: UserId(7),
            recipient: Some(UserId(9)),
            kind,
            format: Format::Html,
            body: body.into(),
            claimed_ms: 5,
            stored_ms: 1_563_182_890_999,
            client_id: None,
            extras: extras.map(Arc::new),
        };
        let from = Person { user: Arc::new(user), presence: Presence::online() };
        Event::Message { message: Arc::new(message), from, room: None }
    }

    fn json_of(event: &Event) -> Value {
        let mut json = String::new();
        RENDERER.render(event).unwrap().write_for(UserId(9), &mut json);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_direct_message() {
        assert_eq!(
            json_of(&event(Kind::Text, "a &lt;b&gt;<br>你好", None)),
            json!({"id": "981", "sender": "100000007", "recipient": "100000009", "content": "a <b>\n你好",
                   "created_at": "2019-07-15T09:28:10Z"})
        );
    }

    #[test]
    fn what_this_wire_does_not_know_is_said_in_words() {
        let file = FileCard {
            url: "/public/files/x.png".into(),
            name: "x.png".into(),
            size: 1,
            media_type: "image/png".into(),
            width: None,
            height: None,
            thumb: None,
        };
        let extras = Extras { file: Some(file), ..Extras::default() };
        for (kind, body, extras, content) in [
            (Kind::Image, "look", Some(extras), "[x.png] /public/files/x.png look"),
            (Kind::FriendRequest, "hi", None, "[請求加為好友] hi"),
            (Kind::FriendAgreed, "", None, "[已接受好友請求]"),
            (Kind::Recalled, "", None, "[訊息已收回]"),
        ] {
            assert_eq!(json_of(&event(kind, body, extras))["content"], content);
        }
        assert_eq!(RENDERER.render(&event(Kind::Edit, "x", None)), None);
    }

    #[test]
    fn a_broadcast_is_for_nobody_in_particular() {
        let event = Event::Broadcast { from: UserId(7), text: "hi".into(), said_ms: 0, without: vec![UserId(7)] };
        assert_eq!(
            json_of(&event),
            json!({"id": "", "sender": "100000007", "recipient": "", "content": "hi",
                   "created_at": "1970-01-01T00:00:00Z"})
        );
    }
}
