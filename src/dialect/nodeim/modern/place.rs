//! Where a command is about: `{"to": 2}` or `{"room": 5}`.

use crate::chat::error::{Error, Result};
use crate::chat::event::Place;
use crate::chat::ids::Seq;
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::{Id, Number};

/// The place that two parameters name; with both, the room counts.
pub(super) fn place(to: Id, room: Id) -> Result<Place> {
    if room == Id::Absent { Context::target(to).map(Place::User) } else { Context::room(room).map(Place::Room) }
}

/// The number of a message, from 0.
pub(super) fn seq(number: Number) -> Result<Seq> {
    number.0.filter(|seq| *seq >= 0).map(Seq).ok_or_else(Error::missing)
}
