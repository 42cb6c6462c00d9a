//! Telling everybody something at once. It is not stored: only those who are here hear it.

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Event, Topic};
use super::ids::UserId;
use crate::clock::now_ms;

impl Chat {
    /// Says `text`, which is plain, to all others whose connections hear broadcasts, but not to those who have blocked
    /// `me`.
    ///
    /// # Errors
    /// `Invalid` if the text is too long, `TooMany` if one does so too often.
    pub async fn broadcast(&self, me: UserId, text: &str) -> Result<()> {
        if text.len() > self.limits.message_max_bytes {
            return Err(Error::Invalid(Reason::TextTooLong));
        }
        self.guard.broadcast(me)?;
        let mut without: Vec<_> =
            self.store.blockers(me, &self.hub.users_in(Topic::Broadcasts)).await?.into_iter().collect();
        without.push(me);
        let event = Event::Broadcast { from: me, text: text.into(), said_ms: now_ms(), without };
        self.hub.publish(Topic::Broadcasts, event);
        Ok(())
    }
}
