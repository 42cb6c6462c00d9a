//! Newtypes for ids and sequence numbers, so that one kind cannot be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A person's account. Positive; people see it and type it.
    UserId
}
id! {
    /// A room as people know it. Positive.
    RoomId
}
id! {
    /// A direct pair or a room, inside the server only.
    ConversationId
}
id! {
    /// One stored message. Grows with the time of storing; the same on every wire.
    MessageId
}
id! {
    /// A message's place in its conversation: 1, 2, 3 ... without a gap, in commit order.
    Seq
}
id! {
    /// A sign-in that can be used again with a token.
    SessionId
}
