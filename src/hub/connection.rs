//! One live connection: its user, its topics, and the door to its transport.

use std::collections::HashSet;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::marks::{Mark, Marks, OnCredit};
use super::parcel::{Frame, Renderer, Shared, Wire};
use crate::chat::event::Topic;
use crate::chat::ids::{ConversationId, Seq, SessionId, UserId};

/// Live messages that are kept back while a connection catches up. Past it they are dropped and read from the
/// store, where they already are.
const MAX_HELD: usize = 1024;

/// The identity of a connection within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

/// One user's time on a connection, from signing in to signing out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    pub user: UserId,
    number: u64,
}

/// The transport did not take a frame: the connection is closed, or is being closed because its outbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// What a transport offers to the hub: a bounded outbox.
pub trait Port: Send + Sync {
    /// Puts a frame into the outbox; never waits.
    ///
    /// # Errors
    /// [`Refused`] if the connection is closed or its outbox just ran over, which closes it.
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused>;

    /// Resolves when the outbox is empty, or the connection closed.
    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Waits a while until everything was written to the client. False if it was not, or the connection broke before.
    fn written(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// Ends the connection, so that the client comes back.
    fn close(&self);
}

/// How a user enters: with which session, and in what words they want to hear of events.
#[derive(Clone, Copy)]
pub struct Entry {
    pub user: UserId,
    pub session: Option<SessionId>,
    pub renderer: &'static dyn Renderer,
    /// Whether their client asks for what it missed and says what was read. For others both go by what is delivered.
    pub self_paced: bool,
    /// Whether they may have no other connection of the same wire.
    pub alone: bool,
}

/// A connection as the hub sees it.
pub struct Connection {
    pub id: ConnectionId,
    /// Where the client is.
    pub address: IpAddr,
    port: Arc<dyn Port>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    visit: Option<Visit>,
    entry: Option<Entry>,
    topics: HashSet<Topic>,
    /// Topics that were left before this connection got around to entering them. None once it has.
    left: Option<HashSet<Topic>>,
    marks: Marks,
    catching_up: Option<CatchingUp>,
    /// The visit is about to end, and its marks to be stored for good: what came now would not be marked.
    leaving: bool,
}

/// While missed messages are read from the store, live ones wait here, so that they come after them.
#[derive(Default)]
struct CatchingUp {
    held: Vec<Shared>,
    overflown: bool,
}

impl Connection {
    pub(super) fn new(port: Arc<dyn Port>, address: IpAddr) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed));
        Self { id, address, port, state: Mutex::default() }
    }

    /// The user who is signed in here.
    pub fn user(&self) -> Option<UserId> {
        self.state.lock().user()
    }

    /// The session with which they signed in.
    pub fn session(&self) -> Option<SessionId> {
        self.state.lock().entry.and_then(|entry| entry.session)
    }

    /// Whether they signed in as a modern client does.
    pub fn is_self_paced(&self) -> bool {
        self.state.lock().entry.is_some_and(|entry| entry.self_paced)
    }

    /// The wire of the client who is signed in here.
    pub(super) fn wire(&self) -> Option<Wire> {
        self.state.lock().entry.map(|entry| entry.renderer.wire())
    }

    /// Whether their client can show what is said in rooms.
    pub fn has_rooms(&self) -> bool {
        self.state.lock().entry.is_some_and(|entry| entry.renderer.has_rooms())
    }

    /// Their time here.
    pub fn visit(&self) -> Option<Visit> {
        self.state.lock().visit
    }

    /// Whether this connection has entered `topic`.
    pub fn is_in(&self, topic: Topic) -> bool {
        self.state.lock().topics.contains(&topic)
    }

    /// Resolves when the outbox is empty, or the connection closed.
    pub async fn flushed(&self) {
        self.port.flushed().await;
    }

    /// Waits a while until everything was written to the client. False if it was not, or the connection broke before.
    pub async fn written(&self) -> bool {
        self.port.written().await
    }

    /// Ends the connection, so that the client comes back.
    pub fn close(&self) {
        self.port.close();
    }

    /// Hands over an event. True if the transport took it, or it waits for the connection to catch up.
    pub(super) fn deliver(&self, parcel: &Shared) -> bool {
        let mut state = self.state.lock();
        let Some(user) = state.user().filter(|user| parcel.is_for(*user)) else {
            return false;
        };
        if let Some((conversation, seq)) = parcel.place(user) {
            // It may have been read from the store before it was announced.
            if state.leaving || state.marks.noted(conversation) >= Some(seq) {
                return false;
            }
            if let Some(catching_up) = &mut state.catching_up {
                return catching_up.hold(parcel);
            }
        }
        self.push(&mut state, user, parcel) == Ok(true)
    }

    /// Hands over a message that was read from the store, ahead of the live ones. False if the connection is closed.
    pub fn replay(&self, visit: Visit, parcel: &Shared) -> bool {
        let mut state = self.state.lock();
        state.visit == Some(visit) && !state.leaving && self.push(&mut state, visit.user, parcel).is_ok()
    }

    /// Notes that up to `seq` there is nothing more for this user.
    pub fn skip_to(&self, visit: Visit, conversation: ConversationId, seq: Seq) {
        let mut state = self.state.lock();
        if state.visit == Some(visit) {
            state.marks.note(conversation, seq);
        }
    }

    /// Notes that these messages are left to another connection of the user.
    pub fn give_credit(&self, visit: Visit, credit: OnCredit) {
        let mut state = self.state.lock();
        if state.visit == Some(visit) {
            state.marks.give_credit(credit);
        }
    }

    /// The messages that were left to another connection, if one of the user's connections has broken.
    pub(super) fn call_credits(&self) -> Option<(Visit, Vec<OnCredit>)> {
        let mut state = self.state.lock();
        let credits = state.marks.call_credits();
        state.visit.filter(|_| !credits.is_empty()).map(|visit| (visit, credits))
    }

    /// How far this connection has taken `conversation`, as far as that is remembered.
    pub fn noted(&self, conversation: ConversationId) -> Option<Seq> {
        self.state.lock().marks.noted(conversation)
    }

    /// Ends the catching up: hands over what was held, without what was replayed meanwhile. False if more was
    /// held than there is room for; then the store must be read once more.
    pub fn go_live(&self, visit: Visit) -> bool {
        let mut state = self.state.lock();
        let user = visit.user;
        if state.visit != Some(visit) || state.leaving {
            return true;
        }
        let Some(catching_up) = &mut state.catching_up else {
            return true;
        };
        if catching_up.overflown {
            catching_up.overflown = false;
            return false;
        }
        let held = std::mem::take(&mut catching_up.held);
        state.catching_up = None;
        for parcel in held {
            let is_new =
                parcel.place(user).is_some_and(|(conversation, seq)| state.marks.noted(conversation) < Some(seq));
            if is_new && self.push(&mut state, user, &parcel).is_err() {
                break;
            }
        }
        true
    }

    /// Marks that have outlived a heartbeat and can be stored.
    pub(super) fn age_marks(&self) -> Vec<Mark> {
        let mut state = self.state.lock();
        let Some(user) = state.user() else {
            return Vec::new();
        };
        let aged = state.marks.age();
        let read = state.reads();
        aged.into_iter().map(|(conversation, seq)| Mark { user, conversation, seq, read }).collect()
    }

    /// Hands no more messages over: the visit is about to end.
    pub fn leave(&self) {
        self.state.lock().leaving = true;
    }

    /// All marks of a visit that ends in an orderly way. No more messages are handed over.
    pub fn final_marks(&self) -> Vec<Mark> {
        self.leave();
        let state = self.state.lock();
        let Some(user) = state.user() else {
            return Vec::new();
        };
        let read = state.reads();
        state.marks.without_credits().map(|(conversation, seq)| Mark { user, conversation, seq, read }).collect()
    }

    pub(super) fn noted_marks(&self) -> Vec<(ConversationId, Seq)> {
        self.state.lock().marks.all().collect()
    }

    pub(super) fn begin(&self, entry: Entry) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let visit = Visit { user: entry.user, number: NEXT.fetch_add(1, Ordering::Relaxed) };
        let catching_up = (!entry.self_paced).then(CatchingUp::default);
        let left = Some(HashSet::new());
        *self.state.lock() = State { visit: Some(visit), entry: Some(entry), left, catching_up, ..State::default() };
    }

    pub(super) fn end(&self) -> Option<(UserId, HashSet<Topic>)> {
        let state = std::mem::take(&mut *self.state.lock());
        state.user().map(|user| (user, state.topics))
    }

    /// Notes that the topic is entered. False if there is nothing to enter.
    pub(super) fn entered(&self, topic: Topic) -> bool {
        let mut state = self.state.lock();
        if let Some(left) = &mut state.left {
            left.remove(&topic);
        }
        state.hears(topic) && state.topics.insert(topic)
    }

    /// Notes that the topic is left. True if it had been entered.
    pub(super) fn left(&self, topic: Topic) -> bool {
        let mut state = self.state.lock();
        if let Some(left) = &mut state.left {
            left.insert(topic);
        }
        state.topics.remove(&topic)
    }

    /// Notes that a topic is entered that an arrival calls for. False if there is nothing to enter, or if the topic was
    /// left before this connection got around to it.
    pub(super) fn entered_on_arrival(&self, topic: Topic) -> bool {
        let mut state = self.state.lock();
        let was_left = state.left.as_ref().is_some_and(|left| left.contains(&topic));
        !was_left && state.hears(topic) && state.topics.insert(topic)
    }

    /// Notes that all topics are entered that an arrival calls for.
    pub(super) fn arrived(&self) {
        self.state.lock().left = None;
    }

    /// False if this connection's clients have no word for the event.
    fn push(&self, state: &mut State, user: UserId, parcel: &Shared) -> Result<bool, Refused> {
        let frame = state.entry.and_then(|entry| parcel.frame(entry.renderer));
        if let Some(frame) = frame {
            self.port.push(frame, user)?;
        }
        if let Some((conversation, seq)) = parcel.place(user) {
            state.marks.note(conversation, seq);
        }
        Ok(frame.is_some())
    }
}

impl State {
    /// Whether somebody is here whose client has to do with what goes to `topic`.
    fn hears(&self, topic: Topic) -> bool {
        self.visit.is_some()
            && self.entry.is_some_and(|entry| match topic {
                Topic::Conversation(_) => entry.renderer.has_rooms(),
                Topic::Broadcasts => entry.renderer.has_broadcasts(),
                Topic::User(_) | Topic::Devices(_) | Topic::Watchers(_) => true,
            })
    }

    fn user(&self) -> Option<UserId> {
        self.visit.map(|visit| visit.user)
    }

    /// Whether what is delivered here counts as read.
    fn reads(&self) -> bool {
        self.entry.is_some_and(|entry| !entry.self_paced)
    }
}

impl CatchingUp {
    fn hold(&mut self, parcel: &Shared) -> bool {
        if self.held.len() >= MAX_HELD {
            self.held.clear();
            self.overflown = true;
        }
        if !self.overflown {
            self.held.push(Arc::clone(parcel));
        }
        true
    }
}
