//! Friends: asking, answering, the list and its groups.

use std::collections::HashMap;
use std::sync::Arc;

use super::Chat;
use super::draft::Change;
use super::error::{Error, Reason, Result};
use super::event::{Person, Topic};
use super::ids::UserId;
use super::message::{Format, Kind};
use super::messages::{Meaning, Said};
use super::names;

/// A friend as their owner sees them.
#[derive(Debug, Clone)]
pub struct FriendCard {
    pub person: Person,
    /// The name of the group in which the owner has filed them.
    pub group: Option<String>,
}

impl Chat {
    /// Asks `to` to become a friend.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or it is oneself, `Conflict` if one has asked already or is a friend.
    pub async fn ask_friend(&self, me: UserId, to: UserId, text: &str) -> Result<()> {
        if me == to {
            return Err(Error::NotFound(Reason::NoSuchUser));
        }
        if self.store.count_friendships(me).await? >= self.limits.friends_max {
            return Err(Error::Forbidden(Reason::ListFull));
        }
        let said = Said { text, format: Format::Html, ..Said::default() };
        self.write_to(me, to, said, Meaning::change(Kind::FriendRequest, Change::Ask)).await?;
        Ok(())
    }

    /// Accepts the request of `requester`: both are friends of each other from now on. Accepting again is fine
    /// and tells nobody.
    ///
    /// # Errors
    /// `NotFound` if `requester` has not asked.
    pub async fn agree(&self, me: UserId, requester: UserId, text: &str) -> Result<()> {
        let said = Said { text, format: Format::Html, ..Said::default() };
        match self.store.friendship(requester, me).await? {
            Some(true) => Ok(()),
            Some(false) => {
                self.write_to(me, requester, said, Meaning::change(Kind::FriendAgreed, Change::Agree)).await?;
                Ok(())
            }
            None => Err(Error::NotFound(Reason::NoRequest)),
        }
    }

    /// Refuses the request of `requester`, who may ask again.
    ///
    /// # Errors
    /// `NotFound` if there is no open request.
    pub async fn refuse(&self, me: UserId, requester: UserId, text: &str) -> Result<()> {
        if self.store.friendship(requester, me).await? != Some(false) {
            return Err(Error::NotFound(Reason::NoRequest));
        }
        let said = Said { text, format: Format::Html, ..Said::default() };
        self.write_to(me, requester, said, Meaning::change(Kind::FriendRefused, Change::Refuse)).await?;
        Ok(())
    }

    /// Removes `friend` from one's own list. They keep their side; nobody is told.
    pub async fn remove_friend(&self, me: UserId, friend: UserId) -> Result<()> {
        self.store.remove_friend(me, friend).await?;
        self.hub.leave(me, Topic::Watchers(friend));
        Ok(())
    }

    /// One's friends, by id; with `only`, that one alone or nobody.
    pub async fn friends(&self, me: UserId, only: Option<UserId>) -> Result<Vec<FriendCard>> {
        let mut friends = self.store.friends(me, self.limits.friends_max).await?;
        friends.retain(|friend| only.is_none_or(|only| only == friend.id));
        let ids: Vec<_> = friends.iter().map(|friend| friend.id).collect();
        let mut groups: HashMap<_, _> = friends.into_iter().map(|friend| (friend.id, friend.group)).collect();
        let users = self.store.users(&ids).await?;
        Ok(users
            .into_iter()
            .map(|user| FriendCard { group: groups.remove(&user.id).flatten(), person: self.person(Arc::new(user)) })
            .collect())
    }

    /// Files `friend` in one's own list under the name of a group.
    ///
    /// # Errors
    /// `NotFound` if they are not in the list.
    pub async fn set_group(&self, me: UserId, friend: UserId, group: &str) -> Result<()> {
        names::check_name(group)?;
        if self.store.set_group(me, friend, group).await? { Ok(()) } else { Err(Error::NotFound(Reason::NotAFriend)) }
    }
}
