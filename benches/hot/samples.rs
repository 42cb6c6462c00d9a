//! What people say in these measurements.

use std::sync::Arc;

use nodeim::chat::event::{Event, Person};
use nodeim::chat::ids::{ConversationId, MessageId, RoomId, Seq, UserId};
use nodeim::chat::message::{Format, Kind, Message};
use nodeim::chat::presence::Presence;
use nodeim::chat::room::Room;
use nodeim::chat::user::User;
use serde_json::{Value, json};

/// 100 bytes, as in the load generator.
pub(crate) const TEXT: &str =
    "the quick brown fox jumps over the lazy dog, and comes back for lunch at noon, as it does every day.";

pub(crate) const CONVERSATION: ConversationId = ConversationId(3);

/// Somebody with some attributes.
pub(crate) fn person() -> Person {
    let attributes = json!({ "sex": "1", "city": "杭州", "signature": "明月几时有" });
    let Value::Object(attributes) = attributes else { unreachable!("an object was written above") };
    let user = User { id: UserId(7), username: "alee".to_owned(), question: None, attributes };
    Person { user: Arc::new(user), presence: Presence::online() }
}

fn message(seq: i64, recipient: Option<UserId>) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId(1_000 + seq),
        conversation: CONVERSATION,
        seq: Seq(seq),
        sender: UserId(7),
        recipient,
        kind: Kind::Text,
        format: Format::Html,
        body: TEXT.into(),
        claimed_ms: 1_371_110_400_000,
        stored_ms: 1_371_110_400_000,
        client_id: None,
        extras: None,
    })
}

/// Something said to a person.
pub(crate) fn direct(from: &Person) -> Event {
    Event::Message { message: message(1, Some(UserId(9))), from: from.clone(), room: None }
}

/// Something said in a room, as its message number `seq`.
pub(crate) fn in_room(from: &Person, room: &Arc<Room>, seq: i64) -> Event {
    Event::Message { message: message(seq, None), from: from.clone(), room: Some(Arc::clone(room)) }
}

pub(crate) fn room() -> Arc<Room> {
    Arc::new(Room {
        id: RoomId(5),
        conversation: CONVERSATION,
        name: "茶馆".to_owned(),
        intro: String::new(),
        creator: UserId(7),
        avatar: None,
    })
}
