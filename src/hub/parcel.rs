//! An event on its way to many connections, rendered once per dialect.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use crate::chat::event::Event;
use crate::chat::ids::{ConversationId, Seq, UserId};

/// The dialects, as places for what they rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Nodeim,
    /// What modern clients of nodeim's opted for.
    NodeimModern,
    Mumichat,
}

impl Wire {
    const COUNT: usize = 3;
}

/// Writes events in the way of one dialect.
pub trait Renderer: Send + Sync {
    fn wire(&self) -> Wire;

    /// Whether its clients can show what is said in rooms. If not, it stays undelivered, for another client of the
    /// user's.
    fn has_rooms(&self) -> bool {
        true
    }

    /// Whether its clients hear what somebody says to everybody.
    fn has_broadcasts(&self) -> bool {
        false
    }

    /// The event as this dialect's clients get it, or `None` if they have no word for it.
    fn render(&self, event: &Event) -> Option<Frame>;
}

/// An event as one dialect writes it: a name, which only some transports write, and a JSON text that all recipients share, with at most one place
/// in it for the recipient's own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub name: &'static str,
    before: Box<str>,
    after: Option<Box<str>>,
}

impl Frame {
    /// A frame that is the same for everybody.
    pub fn shared(name: &'static str, json: String) -> Self {
        Self { name, before: json.into(), after: None }
    }

    /// The same, for a wire whose frames have no names.
    pub fn nameless(json: String) -> Self {
        Self::shared("", json)
    }

    /// A frame with the recipient's id between `before` and `after`.
    pub fn addressed(name: &'static str, before: String, after: String) -> Self {
        Self { name, before: before.into(), after: Some(after.into()) }
    }

    /// Appends the JSON text for `user`.
    pub fn write_for(&self, user: UserId, json: &mut String) {
        json.push_str(&self.before);
        if let Some(after) = &self.after {
            write!(json, "{user}").expect("writing to a string does not fail");
            json.push_str(after);
        }
    }
}

/// An event with the frames that were made of it so far.
pub struct Parcel {
    event: Event,
    frames: [OnceLock<Option<Frame>>; Wire::COUNT],
}

impl Parcel {
    pub fn new(event: Event) -> Self {
        Self { event, frames: Default::default() }
    }

    /// The event as `renderer` writes it. Rendered at the first call.
    pub fn frame(&self, renderer: &dyn Renderer) -> Option<&Frame> {
        self.frames[renderer.wire() as usize].get_or_init(|| renderer.render(&self.event)).as_ref()
    }

    /// Whether `user` may hear of it, if they are in the topic.
    pub(super) fn is_for(&self, user: UserId) -> bool {
        !matches!(&self.event, Event::Broadcast { without, .. } if without.contains(&user))
    }

    /// The place in its conversation, if the event is a stored message for `user`.
    pub(super) fn place(&self, user: UserId) -> Option<(ConversationId, Seq)> {
        match &self.event {
            Event::Message { message, .. } if message.is_for(user) => Some((message.conversation, message.seq)),
            _ => None,
        }
    }
}

/// Parcels are always shared: one per event, however many recipients.
pub(super) type Shared = Arc<Parcel>;
