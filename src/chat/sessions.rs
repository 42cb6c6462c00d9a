//! A user on a connection: signing in, arriving, leaving.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tracing::warn;

use super::Chat;
use super::accounts::Credentials;
use super::delivery::MAX_MISSED_CONVERSATIONS;
use super::error::{Error, Reason, Result};
use super::event::{Event, Topic};
use super::ids::{ConversationId, Seq, SessionId, UserId};
use super::presence::Presence;
use super::room::Room;
use super::user::User;
use crate::hub::{Arrived, Connection, Entry, Renderer};

/// What somebody gets to know who has just signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: Arc<User>,
    pub presence: Presence,
    pub rooms: Vec<Arc<Room>>,
    /// If one was made.
    pub session: Option<SessionId>,
    /// For signing in again without the password; not where a token was the proof.
    pub token: Option<String>,
    /// Whether others are to hear of it: not if the user was here already.
    pub first: bool,
    self_paced: bool,
    /// How far the user's other connections had taken each conversation at this moment.
    taken: HashMap<ConversationId, Seq>,
}

/// How somebody proves who they are.
#[derive(Clone)]
pub enum Proof {
    Password(Credentials),
    Token(String),
}

/// What comes with a sign-in.
pub struct SignIn<'a> {
    pub proof: Proof,
    pub wish: Presence,
    pub address: IpAddr,
    /// What the client calls itself. None: it will not come back with a token, so there is no session.
    pub device: Option<&'a str>,
    pub renderer: &'static dyn Renderer,
    /// See [`Entry::self_paced`].
    pub self_paced: bool,
    /// See [`Entry::alone`].
    pub alone: bool,
}

/// How a connection, or a user's time on it, came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In an orderly way: what was handed over has arrived.
    Orderly,
    /// By a failure: what was handed over lately may be lost and is delivered again.
    Broken,
}

/// The handing over of what somebody missed. It goes on whether somebody waits for it or not.
pub struct CatchUp(Option<JoinHandle<()>>);

impl CatchUp {
    /// Resolves when everything is handed over and what comes is live, or the connection has gone.
    pub async fn done(self) {
        if let Some(task) = self.0
            && let Err(error) = task.await
        {
            warn!(%error, "the handing over of missed messages failed");
        }
    }
}

impl Chat {
    /// Signs a user in on `connection`. The dialect answers, and then calls [`arrive`](Self::arrive).
    ///
    /// # Errors
    /// `Conflict` if somebody is signed in there, or the user elsewhere and wants to be alone, `NotFound` for an unknown user, a wrong password or an ended session.
    pub async fn sign_in(&self, connection: &Arc<Connection>, request: SignIn<'_>) -> Result<SignedIn> {
        if connection.user().is_some() {
            return Err(Error::Conflict(Reason::AlreadySignedIn));
        }
        let (id, session, token) = match &request.proof {
            Proof::Token(token) => {
                let session = self.session(token).await?;
                (session.user, Some(session.id), None)
            }
            Proof::Password(claim) => {
                let id = self.authenticate(claim, request.address).await?;
                match request.device {
                    Some(device) => {
                        let (session, token) = self.begin_session(id, device, request.address).await?;
                        (id, Some(session), Some(token))
                    }
                    None => (id, None, None),
                }
            }
        };
        let user = self.own_account(id).await?;
        let SignIn { renderer, self_paced, alone, .. } = request;
        let entry = Entry { user: id, session, renderer, self_paced, alone };
        let arrived = self.hub.sign_in(connection, entry, request.wish);
        let arrived = arrived.ok_or(Error::Conflict(Reason::SignedInElsewhere))?;
        let rooms = match self.store.rooms_of(id, self.limits.rooms_max).await {
            Ok(rooms) => rooms.into_iter().map(Arc::new).collect(),
            Err(error) => {
                self.hub.sign_out(connection);
                return Err(error);
            }
        };
        // Now and not later: what comes after the reply is for this connection too.
        let taken = self.hub.marks_of_others(connection, id);
        let Arrived { presence, first } = arrived;
        Ok(SignedIn { user, presence, rooms, session, token, first, self_paced, taken })
    }

    /// Lets a user who has signed in take part: enters their topics, tells their rooms and friends, and begins to hand
    /// over what they missed.
    ///
    /// # Errors
    /// If the store fails; then the user is signed out again.
    pub async fn arrive(self: &Arc<Self>, connection: &Arc<Connection>, signed_in: &SignedIn) -> Result<CatchUp> {
        let id = signed_in.user.id;
        let friends = match self.prepare(connection, signed_in).await {
            Ok(friends) => friends,
            Err(error) => {
                self.hub.sign_out(connection);
                return Err(error);
            }
        };
        let devices = signed_in.self_paced.then_some(Topic::Devices(id));
        let own = [Some(Topic::User(id)), Some(Topic::Broadcasts), devices];
        let watched = friends.into_iter().map(Topic::Watchers);
        let rooms = signed_in.rooms.iter().map(|room| Topic::Conversation(room.conversation));
        self.hub.enter_all(connection, watched.chain(rooms).chain(own.into_iter().flatten()));
        if signed_in.first {
            self.tell_of_arrival(signed_in);
        }
        let catch_up = connection.visit().filter(|_| !signed_in.self_paced).map(|visit| {
            let chat = Arc::clone(self);
            let (connection, taken) = (Arc::clone(connection), signed_in.taken.clone());
            self.tasks.spawn(async move { chat.catch_up(&connection, visit, &taken).await })
        });
        Ok(CatchUp(catch_up))
    }

    /// Reads what an arrival needs, and returns the friends to hear of: not those who have blocked the user. Whoever
    /// sets their own pace is not handed what they missed: they ask for it.
    async fn prepare(&self, connection: &Connection, signed_in: &SignedIn) -> Result<Vec<UserId>> {
        let id = signed_in.user.id;
        if let Some(visit) = connection.visit().filter(|_| signed_in.self_paced) {
            for cursor in self.store.missed(id, true, MAX_MISSED_CONVERSATIONS).await? {
                connection.skip_to(visit, cursor.conversation, cursor.last);
            }
        }
        let friends = self.store.friends(id, self.limits.friends_max).await?;
        let ids: Vec<_> = friends.into_iter().map(|friend| friend.id).collect();
        let hiding = self.store.blockers(id, &ids).await?;
        Ok(ids.into_iter().filter(|friend| !hiding.contains(friend)).collect())
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
                warn!(%error, cause = error.cause(), "could not store delivery marks");
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
            warn!(%error, cause = error.cause(), marks = marks.len(), "could not store delivery marks");
        }
    }
}
