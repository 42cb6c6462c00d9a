//! Who is connected here, and the way of an event to them.
//!
//! Connections enter topics; publishing finds the connections of a topic and gives each the same [`Parcel`],
//! which is rendered once per dialect. The [`Bus`] carries what concerns other nodes.

mod bus;
mod connection;
mod marks;
mod online;
mod parcel;
mod topics;

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use dashmap::DashMap;

pub use bus::{Bus, LocalBus, Signal};
pub use connection::{Connection, ConnectionId, Entry, Port, Refused, Visit};
pub use marks::{Mark, OnCredit};
pub use online::Arrived;
pub use parcel::{Frame, Parcel, Renderer, Wire};

use crate::chat::event::{Event, Topic};
use crate::chat::ids::{ConversationId, Seq, UserId};
use crate::chat::presence::Presence;
use crate::metrics::Metrics;
use online::Online;
use topics::Topics;

/// The live connections of this node.
pub struct Hub {
    topics: Topics,
    online: Online,
    connections: DashMap<ConnectionId, Arc<Connection>>,
    bus: Arc<dyn Bus>,
    metrics: Arc<Metrics>,
}

impl Hub {
    pub fn new(bus: Arc<dyn Bus>, metrics: Arc<Metrics>) -> Self {
        Self { topics: Topics::default(), online: Online::default(), connections: DashMap::new(), bus, metrics }
    }

    /// Hands `event` to every connection in `topic`, here and on other nodes. Never waits.
    pub fn publish(&self, topic: Topic, event: Event) {
        self.publish_all(&[topic], event);
    }

    /// Hands `event` to every connection in each of the topics. A connection in two of them gets it twice.
    pub fn publish_all(&self, topics: &[Topic], event: Event) {
        for &topic in topics {
            self.bus.send(&Signal::Publish { topic, event: Cow::Borrowed(&event) });
        }
        let mut members = topics.iter().filter_map(|&topic| self.topics.members(topic)).peekable();
        if members.peek().is_none() {
            return;
        }
        let parcel = Arc::new(Parcel::new(event));
        for members in members {
            let delivered = members.iter().filter(|connection| connection.deliver(&parcel)).count();
            self.metrics.events_delivered.increment(delivered as u64);
        }
    }

    /// Hands events to every connection in `topic`, one connection after the other: to each all of them, in their
    /// order. What belongs to a connection is then at hand for all of them, which is most of the cost of a delivery.
    pub fn publish_each(&self, topic: Topic, events: Vec<Event>) {
        for event in &events {
            self.bus.send(&Signal::Publish { topic, event: Cow::Borrowed(event) });
        }
        let Some(members) = self.topics.members(topic) else {
            return;
        };
        let parcels: Vec<_> = events.into_iter().map(|event| Arc::new(Parcel::new(event))).collect();
        let deliver = |connection: &Arc<Connection>| parcels.iter().filter(|parcel| connection.deliver(parcel)).count();
        let delivered: usize = members.iter().map(deliver).sum();
        self.metrics.events_delivered.increment(delivered as u64);
    }

    /// Hands `event` to those connections of `user` on this node that are meant, and returns them.
    pub fn tell(&self, user: UserId, event: Event, is_meant: impl Fn(&Connection) -> bool) -> Vec<Arc<Connection>> {
        let mut connections = self.online.connections(user);
        connections.retain(|connection| is_meant(connection));
        let parcel = Arc::new(Parcel::new(event));
        let delivered = connections.iter().filter(|connection| connection.deliver(&parcel)).count();
        self.metrics.events_delivered.increment(delivered as u64);
        connections
    }

    /// The user's connections on this node.
    pub fn connections(&self, user: UserId) -> Vec<Arc<Connection>> {
        self.online.connections(user)
    }

    /// At most `limit` of the users who have a connection on this node.
    pub fn users(&self, limit: usize) -> Vec<UserId> {
        self.online.users(limit)
    }

    /// The users of the connections in `topic` on this node.
    pub fn users_in(&self, topic: Topic) -> Vec<UserId> {
        let members = self.topics.members(topic);
        members.iter().flat_map(|members| members.iter()).filter_map(|connection| connection.user()).collect()
    }

    /// Takes a connection in; it hears of nothing before it signs in.
    pub fn open(&self, port: Arc<dyn Port>, address: IpAddr) -> Arc<Connection> {
        let connection = Arc::new(Connection::new(port, address));
        self.connections.insert(connection.id, Arc::clone(&connection));
        connection
    }

    /// Lets a connection go that has signed out.
    pub fn close(&self, connection: &Connection) {
        self.connections.remove(&connection.id);
    }

    /// Lets a user enter on `connection`. If they catch up, messages are held back until [`Connection::go_live`].
    /// None if they want to be alone and are not.
    pub fn sign_in(&self, connection: &Arc<Connection>, entry: Entry, wish: Presence) -> Option<Arrived> {
        let wire = entry.alone.then(|| entry.renderer.wire());
        let is_free = |others: &[Arc<Connection>]| wire.is_none() || others.iter().all(|other| other.wire() != wire);
        connection.begin(entry);
        let arrived = self.online.add(entry.user, connection, wish, is_free);
        if arrived.is_none() {
            connection.end();
        }
        arrived
    }

    /// Takes `connection` out of all its topics; with the user's last connection their friends see them go.
    pub fn sign_out(&self, connection: &Arc<Connection>) {
        let Some((user, topics)) = connection.end() else {
            return;
        };
        for topic in topics {
            self.leave_topic(connection, topic);
        }
        self.online.remove(user, connection, || {
            self.publish(Topic::Watchers(user), Event::Presence { user, presence: Presence::offline() });
        });
    }

    /// Sets what `user` is doing and tells those who have them as a friend, unless there is nothing new to see.
    pub fn set_presence(&self, user: UserId, presence: Presence) {
        self.online.set(user, presence, |visible| {
            self.publish(Topic::Watchers(user), Event::Presence { user, presence: visible });
        });
    }

    /// Tells those who have `user` as a friend that they are here now, unless they hide.
    pub fn announce(&self, user: UserId) {
        self.online.announce(user, |visible| {
            self.publish(Topic::Watchers(user), Event::Presence { user, presence: visible });
        });
    }

    /// Hides `user` from `watcher`, who sees them go if they were to be seen, and nothing from then on.
    pub fn hide(&self, user: UserId, watcher: UserId) {
        // Not under the user's lock, since this takes the watcher's.
        self.leave(watcher, Topic::Watchers(user));
        self.online.announce(user, |_| {
            self.publish(Topic::User(watcher), Event::Presence { user, presence: Presence::offline() });
        });
    }

    /// Lets `watcher` see `user` again, and what they are doing.
    pub fn show(&self, user: UserId, watcher: UserId) {
        self.enter(watcher, Topic::Watchers(user));
        self.online.announce(user, |visible| {
            self.publish(Topic::User(watcher), Event::Presence { user, presence: visible });
        });
    }

    /// What others see of `user`.
    pub fn visible_presence(&self, user: UserId) -> Presence {
        self.online.presence(user).map_or_else(Presence::offline, |presence| presence.visible())
    }

    /// Enters `connection`, whose user is just arriving, into the topics that their friends and rooms call for. Not
    /// into those that they have left since they signed in.
    pub fn enter_all(&self, connection: &Arc<Connection>, topics: impl IntoIterator<Item = Topic>) {
        for topic in topics {
            self.enter_topic(connection, topic, connection.entered_on_arrival(topic));
        }
        connection.arrived();
    }

    /// Enters every connection of `user`, wherever it is, into `topic`.
    pub fn enter(&self, user: UserId, topic: Topic) {
        self.bus.send(&Signal::Enter { user, topic });
        for connection in self.online.connections(user) {
            self.enter_topic(&connection, topic, connection.entered(topic));
        }
    }

    /// Takes every connection of `user`, wherever it is, out of `topic`.
    pub fn leave(&self, user: UserId, topic: Topic) {
        self.bus.send(&Signal::Leave { user, topic });
        for connection in self.online.connections(user) {
            if connection.left(topic) {
                self.leave_topic(&connection, topic);
            }
        }
    }

    /// Takes every connection, wherever it is, out of `topic`.
    pub fn clear(&self, topic: Topic) {
        self.bus.send(&Signal::Clear { topic });
        for connection in self.topics.members(topic).iter().flat_map(|members| members.iter()) {
            connection.left(topic);
            self.leave_topic(connection, topic);
        }
    }

    /// How far the other connections of this connection's user have taken each conversation's messages.
    pub fn marks_of_others(&self, connection: &Connection, user: UserId) -> HashMap<ConversationId, Seq> {
        let mut marks = HashMap::new();
        for other in self.online.connections(user).iter().filter(|other| other.id != connection.id) {
            for (conversation, seq) in other.noted_marks() {
                let mark = marks.entry(conversation).or_insert(seq);
                *mark = seq.max(*mark);
            }
        }
        marks
    }

    /// What the user's connections have left to others of theirs, one of which has just broken.
    pub fn call_credits(&self, user: UserId) -> Vec<(Arc<Connection>, Visit, Vec<OnCredit>)> {
        let connections = self.online.connections(user);
        connections
            .into_iter()
            .filter_map(|connection| connection.call_credits().map(|(visit, credits)| (connection, visit, credits)))
            .collect()
    }

    /// The marks of all connections that have outlived a heartbeat since they were noted.
    pub fn age_marks(&self) -> Vec<Mark> {
        self.connections.iter().flat_map(|entry| entry.age_marks()).collect()
    }

    fn enter_topic(&self, connection: &Arc<Connection>, topic: Topic, is_new: bool) {
        if is_new && self.topics.enter(topic, connection) {
            self.bus.subscribe(topic);
        }
        // A sign-out may have run between the two steps above; then nothing else would undo the second.
        if !connection.is_in(topic) {
            self.leave_topic(connection, topic);
        }
    }

    fn leave_topic(&self, connection: &Connection, topic: Topic) {
        if self.topics.leave(topic, connection.id) {
            self.bus.unsubscribe(topic);
        }
    }
}
