//! A call as it came in, not decoded yet.

use std::sync::Arc;

use super::event;
use super::packet::{Ack, Kind, Packet};
use super::session::Session;
use crate::transport::inbox::Incoming;
use crate::transport::{Call, ReplySlot, Unreadable, Way};

/// The data of an event or JSON packet.
pub(super) struct Arrived {
    data: Box<str>,
    is_json: bool,
    ack: Option<i64>,
}

impl From<Packet<'_>> for Arrived {
    fn from(packet: Packet<'_>) -> Self {
        let ack = match packet.ack {
            Ack::Reply(id) => Some(id),
            // Word that it has arrived is no reply of the application's.
            Ack::Receipt(_) | Ack::None => None,
        };
        Self { data: packet.data.into(), is_json: packet.kind == Kind::Json, ack }
    }
}

impl Incoming for Arrived {
    fn bytes(&self) -> usize {
        self.data.len()
    }
}

impl Arrived {
    /// The call. What holds no event is an event without a name, which nobody answers. Old server: the same.
    pub(super) fn into_call(self, session: &Arc<Session>) -> Call {
        let decode = if self.is_json { event::decode_json } else { event::decode };
        let Some((event, payload)) = decode(&self.data) else {
            return Call { event: String::new(), payload: Err(Unreadable), reply: None };
        };
        let reply = self.ack.map(|ack| ReplySlot { way: Arc::clone(session) as Arc<dyn Way>, ack });
        Call { event, payload, reply }
    }
}
