//! Reading, writing, and not wanting to be disturbed.

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Event, Place, Topic};
use super::ids::{Seq, UserId};
use crate::hub::Connection;

impl Chat {
    /// Notes that `me` has read up to `seq`, and tells the other side and one's own devices.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or room, or one is not in it.
    pub async fn mark_read(&self, connection: &Connection, me: UserId, place: Place, seq: Seq) -> Result<()> {
        let Some(conversation) = self.own_spot(connection, me, place).await?.conversation else {
            return Ok(());
        };
        let Some(seq) = self.store.set_read(conversation, me, seq).await? else {
            return Ok(());
        };
        let event = Event::Read { from: me, place, seq };
        match place {
            Place::User(peer) if peer != me && !self.is_blocked(peer, me).await? => {
                self.hub.publish_all(&[Topic::Devices(peer), Topic::Devices(me)], event);
            }
            Place::User(_) | Place::Room(_) => self.hub.publish(Topic::Devices(me), event),
        }
        Ok(())
    }

    /// Tells the other side, or the members, that `me` is writing. Of who may not write there nobody is told.
    ///
    /// # Errors
    /// As [`mark_read`](Self::mark_read).
    pub async fn tell_typing(&self, connection: &Connection, me: UserId, place: Place) -> Result<()> {
        let spot = self.own_spot(connection, me, place).await?;
        let (topic, may_write) = match (place, spot.room) {
            (Place::User(peer), _) => (Topic::Devices(peer), self.may_write_to(peer, me).await),
            (Place::Room(id), Some(room)) => (Topic::Conversation(room.conversation), self.may_speak(id, me).await),
            (Place::Room(_), None) => return Err(Error::NotFound(Reason::NoSuchRoom)),
        };
        match may_write {
            Err(Error::Forbidden(_)) => return Ok(()),
            may_write => may_write?,
        }
        self.hub.publish(topic, Event::Typing { from: me, place });
        Ok(())
    }

    /// Sets whether `me` wants no notifications from here, and tells their devices.
    ///
    /// # Errors
    /// As [`mark_read`](Self::mark_read).
    pub async fn set_quiet(&self, me: UserId, place: Place, quiet: bool) -> Result<()> {
        let conversation = match place {
            Place::User(id) => self.pair(me, self.user(id).await?.id).await?,
            Place::Room(id) => self.room(id).await?.conversation,
        };
        if !self.store.set_quiet(conversation, me, quiet).await? {
            return Err(Error::NotFound(Reason::NotAMember));
        }
        self.hub.publish(Topic::Devices(me), Event::Quieted { place, quiet });
        Ok(())
    }
}
