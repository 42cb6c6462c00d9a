//! Wanting to hear nothing of somebody, nor to be seen by them.

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Event, Person, Topic};
use super::ids::UserId;
use crate::clock::now_ms;

impl Chat {
    /// Wants to hear nothing of `user` any more, who sees one go. Doing it again is fine.
    ///
    /// # Errors
    /// `NotFound` if there is no such user, `Invalid` if it is oneself, `Forbidden` if there are too many.
    pub async fn block(&self, me: UserId, user: UserId) -> Result<()> {
        if me == user {
            return Err(Error::Invalid(Reason::NotAllowed));
        }
        let user = self.user(user).await?.id;
        let is_new = self.store.block(me, user, now_ms(), self.limits.friends_max).await?;
        self.caches.forget_blocks(me);
        if is_new {
            if self.watches(user, me).await? {
                self.hub.hide(me, user);
            }
            self.hub.publish(Topic::Devices(me), Event::FriendsChanged);
        }
        Ok(())
    }

    /// Ends a block; there need not be one.
    ///
    /// # Errors
    /// `NotFound` if there is no such user.
    pub async fn unblock(&self, me: UserId, user: UserId) -> Result<()> {
        let user = self.user(user).await?.id;
        let was_blocked = self.store.unblock(me, user).await?;
        self.caches.forget_blocks(me);
        if was_blocked {
            if self.watches(user, me).await? {
                self.hub.show(me, user);
                self.keep_hidden(me, user).await?;
            }
            self.hub.publish(Topic::Devices(me), Event::FriendsChanged);
        }
        Ok(())
    }

    /// Whom one has blocked, ordered by id.
    pub async fn blocks(&self, me: UserId) -> Result<Vec<Person>> {
        let blocked = self.store.blocked_by(me, self.limits.friends_max).await?;
        self.people(me, &blocked).await
    }

    /// Whether `user` may write to `to`.
    ///
    /// # Errors
    /// `Forbidden` if not.
    pub(super) async fn may_write_to(&self, to: UserId, user: UserId) -> Result<()> {
        if self.is_blocked(to, user).await? { Err(Error::Forbidden(Reason::Blocked)) } else { Ok(()) }
    }

    /// Takes `watcher` out again who was just let in to see `user`, and was blocked at the same time.
    pub(super) async fn keep_hidden(&self, user: UserId, watcher: UserId) -> Result<()> {
        if self.is_blocked(user, watcher).await? {
            self.hub.hide(user, watcher);
        }
        Ok(())
    }

    /// Whether `watcher` has `user` as a friend, and therefore hears of their presence.
    async fn watches(&self, watcher: UserId, user: UserId) -> Result<bool> {
        Ok(self.store.friendship(watcher, user).await? == Some(true))
    }
}
