//! A user on a connection: signing in, arriving, leaving.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tracing::warn;

use super::Chat;
use super::accounts::Credentials;
use super::error::{Error, Reason, Result};
use super::event::{Event, Topic};
use super::ids::{ConversationId, Seq, UserId};
use super::presence::Presence;
use super::room::Room;
use super::user::User;
use crate::hub::Connection;

/// What somebody gets to know who has just signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: Arc<User>,
    pub presence: Presence,
    pub rooms: Vec<Arc<Room>>,
    /// Whether others are to hear of it: not if the user was here already.
    pub first: bool,
    /// How far the user's other connections had taken each conversation at this moment.
    taken: HashMap<ConversationId, Seq>,
}

/// How a connection, or a user's time on it, came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In an orderly way: what was handed over has arrived.
    Orderly,
    /// By a failure: what was handed over lately may be lost and is delivered again.
    Broken,
}

impl Chat {
    /// Signs a user in on `connection`. The dialect answers, and then calls [`arrive`](Self::arrive).
    ///
    /// # Errors
    /// `Conflict` if somebody is signed in there, `NotFound` for an unknown user or a wrong password.
    pub async fn sign_in(
        &self,
        connection: &Arc<Connection>,
        claim: &Credentials,
        wish: Presence,
        address: IpAddr,
    ) -> Result<SignedIn> {
        if connection.user().is_some() {
            return Err(Error::Conflict(Reason::AlreadySignedIn));
        }
        let id = self.authenticate(claim, address).await?;
        let user = self.own_account(id).await?;
        let arrived = self.hub.sign_in(connection, id, wish);
        let rooms = match self.store.rooms_of(id, self.limits.rooms_max).await {
            Ok(rooms) => rooms.into_iter().map(Arc::new).collect(),
            Err(error) => {
                self.hub.sign_out(connection);
                return Err(error);
            }
        };
        // Now and not later: what comes after the reply is for this connection too.
        let taken = self.hub.marks_of_others(connection, id);
        Ok(SignedIn { user, presence: arrived.presence, rooms, first: arrived.first, taken })
    }

    /// Lets a user who has signed in take part: enters their topics, tells their rooms and friends, and hands over
    /// what they missed.
    ///
    /// # Errors
    /// If the store fails; then the user is signed out again.
    pub async fn arrive(self: &Arc<Self>, connection: &Arc<Connection>, signed_in: &SignedIn) -> Result<()> {
        let id = signed_in.user.id;
        let friends = match self.store.friends(id, self.limits.friends_max).await {
            Ok(friends) => friends,
            Err(error) => {
                self.hub.sign_out(connection);
                return Err(error);
            }
        };
        let watched = friends.into_iter().map(|friend| Topic::Watchers(friend.id));
        let rooms = signed_in.rooms.iter().map(|room| Topic::Conversation(room.conversation));
        self.hub.enter_all(connection, watched.chain(rooms).chain([Topic::User(id)]));
        if signed_in.first {
            self.tell_of_arrival(signed_in);
        }
        if let Some(visit) = connection.visit() {
            let chat = Arc::clone(self);
            let (connection, taken) = (Arc::clone(connection), signed_in.taken.clone());
            self.tasks.spawn(async move { chat.catch_up(&connection, visit, &taken).await });
        }
        Ok(())
    }

    /// Somebody who hides is announced to themselves alone.
    fn tell_of_arrival(&self, signed_in: &SignedIn) {
        let id = signed_in.user.id;
        let person = self.person(Arc::clone(&signed_in.user));
        let hidden = signed_in.presence.is_hidden();
        for room in &signed_in.rooms {
            let topic = if hidden { Topic::User(id) } else { Topic::Conversation(room.conversation) };
            let event = Event::RoomJoined { room: Arc::clone(room), person: person.clone(), newbie: false };
            self.hub.publish(topic, event);
        }
        self.hub.announce(id);
    }

    /// Signs the user of `connection` out. Their friends see them go with their last connection.
    pub async fn sign_out(self: &Arc<Self>, connection: &Arc<Connection>, ending: Ending) {
        let user = connection.user();
        if ending == Ending::Orderly {
            let marks = connection.final_marks();
            if !marks.is_empty()
                && let Err(error) = self.store.store_marks(&marks).await
            {
                // Nothing is lost: what the marks cover is delivered once more.
                warn!(%error, cause = ?error.cause(), "could not store delivery marks");
            }
        }
        self.hub.sign_out(connection);
        if let (Ending::Broken, Some(user)) = (ending, user) {
            self.deliver_on_credit(user);
        }
    }

    /// Sets what a user is doing and tells their friends.
    pub fn set_presence(&self, me: UserId, presence: Presence) {
        self.hub.set_presence(me, presence);
    }

    /// Stores the delivery marks of all connections that have outlived a heartbeat.
    pub async fn store_aged_marks(&self) {
        let marks = self.hub.age_marks();
        if marks.is_empty() {
            return;
        }
        if let Err(error) = self.store.store_marks(&marks).await {
            warn!(%error, cause = ?error.cause(), marks = marks.len(), "could not store delivery marks");
        }
    }
}
