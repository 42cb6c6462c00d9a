//! Commands on reading, writing and not being disturbed.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::place::{place, seq};
use crate::chat::error::Result;
use crate::chat::event::Place;
use crate::dialect::nodeim::context::Context;
use crate::dialect::nodeim::loose::{Flag, Id, Number};
use crate::dialect::nodeim::wire::{DONE, Done};

/// "I am writing" is passed on at most once in this time, for each place.
const TYPING_INTERVAL: Duration = Duration::from_millis(2500);
/// Places in which somebody writes at the same time.
const TYPING_PLACES: usize = 16;

/// When a connection's user was last seen writing, and where.
#[derive(Default)]
pub(in crate::dialect::nodeim) struct Typing(Vec<(Place, Instant)>);

impl Typing {
    /// Whether this sign of writing is to be passed on.
    fn is_news(&mut self, place: Place, now: Instant) -> bool {
        self.0.retain(|(_, since)| now.duration_since(*since) < TYPING_INTERVAL);
        self.0.len() < TYPING_PLACES && !self.0.iter().any(|(known, _)| *known == place)
    }

    /// Something was said there: the next sign is news again.
    pub(in crate::dialect::nodeim) fn said(&mut self, place: Place) {
        self.0.retain(|(known, _)| *known != place);
    }

    /// It was passed on.
    fn note(&mut self, place: Place, now: Instant) {
        self.0.push((place, now));
    }
}

/// `{"to": 2, "seq": 7}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Read {
    to: Id,
    room: Id,
    seq: Number,
}

/// `{"room": 5}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Where {
    to: Id,
    room: Id,
}

/// `{"room": 5, "on": true}`
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dialect::nodeim) struct Mute {
    to: Id,
    room: Id,
    on: Flag,
}

/// `read`: up to here.
pub(in crate::dialect::nodeim) async fn read(cx: &mut Context, req: Read) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.mark_read(&cx.connection, me, place(req.to, req.room)?, seq(req.seq)?).await?;
    Ok(DONE)
}

/// `typing`: a sign of writing.
pub(in crate::dialect::nodeim) async fn typing(cx: &mut Context, req: Where) -> Result<Done> {
    let me = cx.user()?;
    let place = place(req.to, req.room)?;
    let now = Instant::now();
    if cx.typing.is_news(place, now) {
        cx.chat.tell_typing(&cx.connection, me, place).await?;
        cx.typing.note(place, now);
    }
    Ok(DONE)
}

/// `mute`: no notifications from here.
pub(in crate::dialect::nodeim) async fn mute(cx: &mut Context, req: Mute) -> Result<Done> {
    let me = cx.user()?;
    cx.chat.set_quiet(me, place(req.to, req.room)?, req.on.0).await?;
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ids::UserId;

    #[test]
    fn signs_of_writing_are_few() {
        let (one, other) = (Place::User(UserId(1)), Place::User(UserId(2)));
        let start = Instant::now();
        let mut typing = Typing::default();
        let mut passes = |place, now| {
            let is_news = typing.is_news(place, now);
            if is_news {
                typing.note(place, now);
            }
            is_news
        };
        assert!(passes(one, start));
        assert!(!passes(one, start));
        assert!(passes(other, start));
        assert!(!passes(one, start + TYPING_INTERVAL / 2));
        assert!(passes(one, start + TYPING_INTERVAL));
        let many = (0..100).filter(|n| passes(Place::User(UserId(n + 10)), start + TYPING_INTERVAL));
        assert_eq!(many.count(), TYPING_PLACES - 1);
    }
}
