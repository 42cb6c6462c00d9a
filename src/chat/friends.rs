//! Friends: asking, answering, the list and its groups.

use std::collections::HashMap;

use super::Chat;
use super::draft::Change;
use super::error::{Error, Reason, Result};
use super::event::{Event, Person, Topic};
use super::ids::UserId;
use super::meaning::Meaning;
use super::message::{Format, Kind};
use super::messages::Said;
use super::names;
use crate::store::Request;

/// Open requests of one kind that are listed.
const REQUESTS_LIMIT: i64 = 500;

/// A friend as their owner sees them.
#[derive(Debug, Clone)]
pub struct FriendCard {
    pub person: Person,
    /// The name of the group in which the owner has filed them.
    pub group: Option<String>,
}

/// Requests without an answer.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    pub incoming: Vec<RequestCard>,
    pub outgoing: Vec<RequestCard>,
}

/// A request as either side sees it.
#[derive(Debug, Clone)]
pub struct RequestCard {
    /// The other side.
    pub person: Person,
    /// HTML.
    pub text: String,
    pub time_ms: i64,
}

impl Chat {
    /// Asks `to` to become a friend.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or it is oneself, `Conflict` if one has asked already or is a friend,
    /// `Forbidden` if they have blocked one.
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
    /// `NotFound` if `requester` has not asked, `Forbidden` if they have blocked one since.
    pub async fn agree(&self, me: UserId, requester: UserId, text: &str) -> Result<()> {
        let said = Said { text, format: Format::Html, ..Said::default() };
        match self.store.friendship(requester, me).await? {
            Some(true) => Ok(()),
            Some(false) => {
                self.write_to(me, requester, said, Meaning::change(Kind::FriendAgreed, Change::Agree)).await?;
                // Both hear of each other's presence from now on; but not of somebody who has blocked them.
                self.keep_hidden(me, requester).await?;
                self.keep_hidden(requester, me).await
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
        if self.is_blocked(requester, me).await? {
            // They want to hear nothing, but the request shall not stand for ever.
            self.store.remove_friend(requester, me).await?;
            return Ok(());
        }
        let said = Said { text, format: Format::Html, ..Said::default() };
        self.write_to(me, requester, said, Meaning::change(Kind::FriendRefused, Change::Refuse)).await?;
        Ok(())
    }

    /// Removes `friend` from one's own list. They keep their side and are not told.
    pub async fn remove_friend(&self, me: UserId, friend: UserId) -> Result<()> {
        let removed = self.store.remove_friend(me, friend).await?;
        self.hub.leave(me, Topic::Watchers(friend));
        match removed {
            // A request: the other side has it in its list.
            Some(false) => self.hub.publish_all(&[Topic::Devices(me), Topic::Devices(friend)], Event::FriendsChanged),
            Some(true) => self.hub.publish(Topic::Devices(me), Event::FriendsChanged),
            None => {}
        }
        Ok(())
    }

    /// The requests that wait for an answer, the newest first, at most 500 of each kind. Those of people whom one has
    /// blocked are not shown.
    pub async fn requests(&self, me: UserId) -> Result<Requests> {
        let incoming = self.store.requests_to(me, REQUESTS_LIMIT).await?;
        let outgoing = self.store.requests_of(me, REQUESTS_LIMIT).await?;
        let ids: Vec<_> = incoming.iter().chain(&outgoing).map(|request| request.user).collect();
        let people = self.people(me, &ids).await?;
        let people: HashMap<_, _> = people.into_iter().map(|person| (person.user.id, person)).collect();
        let card = |request: Request| {
            let person = people.get(&request.user)?.clone();
            Some(RequestCard { person, text: request.text, time_ms: request.time_ms })
        };
        Ok(Requests {
            incoming: incoming.into_iter().filter_map(card).collect(),
            outgoing: outgoing.into_iter().filter_map(card).collect(),
        })
    }

    /// One's friends, by id; with `only`, that one alone or nobody.
    pub async fn friends(&self, me: UserId, only: Option<UserId>) -> Result<Vec<FriendCard>> {
        let mut friends = self.store.friends(me, self.limits.friends_max).await?;
        friends.retain(|friend| only.is_none_or(|only| only == friend.id));
        let ids: Vec<_> = friends.iter().map(|friend| friend.id).collect();
        let mut groups: HashMap<_, _> = friends.into_iter().map(|friend| (friend.id, friend.group)).collect();
        let people = self.people(me, &ids).await?;
        let card = |person: Person| FriendCard { group: groups.remove(&person.user.id).flatten(), person };
        Ok(people.into_iter().map(card).collect())
    }

    /// Files `friend` in one's own list under the name of a group.
    ///
    /// # Errors
    /// `NotFound` if they are not in the list.
    pub async fn set_group(&self, me: UserId, friend: UserId, group: &str) -> Result<()> {
        names::check_name(group)?;
        if !self.store.set_group(me, friend, group).await? {
            return Err(Error::NotFound(Reason::NotAFriend));
        }
        self.hub.publish(Topic::Devices(me), Event::FriendsChanged);
        Ok(())
    }
}
