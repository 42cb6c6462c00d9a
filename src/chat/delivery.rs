//! The way of a message to people: those who are here hear of it after its commit, the others when they are back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tracing::warn;

use super::Chat;
use super::error::{Error, Result};
use super::event::{Event, Person, Topic};
use super::ids::{ConversationId, Seq, UserId};
use super::message::{Kind, Message};
use super::passages::Passer;
use super::room::Room;
use super::user::User;
use crate::hub::{Connection, Hub, OnCredit, Parcel, Visit};
use crate::store::{Cursor, Outcome, PageSize, Settled, Waits};

/// Conversations whose missed messages are read together, oldest first over all of them.
const CONVERSATIONS_AT_ONCE: usize = 512;
pub(super) const MAX_MISSED_CONVERSATIONS: i64 = 100_000;
/// Missed messages read at a time have about so many bytes.
const REPLAY_BYTES: usize = 1 << 20;
const MAX_CATCH_UP_FAILURES: u32 = 5;

/// What the announcer needs to know of a draft's surroundings, and who waits for it.
pub struct Ticket {
    pub from: Arc<User>,
    pub room: Option<Arc<Room>>,
    pub done: Answer,
}

/// The way to a sender. None once they were answered.
pub(super) type Answer = Option<oneshot::Sender<Result<Arc<Message>>>>;

/// Who waits for something that goes through the commit batcher.
pub enum Waiter {
    Message(Ticket),
    Passage(Passer),
}

impl Waits for Waiter {
    fn give_up(&mut self, error: Error) {
        if let Self::Message(Ticket { done, .. }) = self
            && let Some(done) = done.take()
        {
            drop(done.send(Err(error)));
        }
    }
}

/// Tells people of what was committed, in commit order, and then the senders.
pub struct Announcer {
    hub: Arc<Hub>,
    settled: mpsc::Receiver<Settled<Waiter>>,
    news: Arc<Notify>,
}

impl Announcer {
    /// Announces what comes through `settled`; `news` is notified after each commit.
    pub fn new(hub: Arc<Hub>, settled: mpsc::Receiver<Settled<Waiter>>, news: Arc<Notify>) -> Self {
        Self { hub, settled, news }
    }

    /// Runs until the batcher has ended.
    pub async fn run(mut self) {
        while let Some(batch) = self.settled.recv().await {
            // First everything that was said, back to back, so that it shares wake-ups and writes; then the answers.
            let mut answers = Vec::with_capacity(batch.len());
            let mut talk = Talk::default();
            for (waiter, outcome) in batch {
                match waiter {
                    Waiter::Message(ticket) => {
                        let Ticket { from, room, done } = ticket;
                        let answer = match outcome {
                            Outcome::Stored(message) => {
                                self.publish(&message, from, room, &mut talk);
                                Ok(message)
                            }
                            Outcome::Repeated(message) => Ok(message),
                            Outcome::Failed(error) => Err(error),
                            Outcome::Passed(_) => Err(Error::internal("a message was taken for a passage")),
                        };
                        answers.extend(done.map(|done| (done, answer)));
                    }
                    Waiter::Passage(passer) => {
                        talk.publish(&self.hub);
                        passer.pass(&self.hub, outcome);
                    }
                }
            }
            talk.publish(&self.hub);
            for (done, answer) in answers {
                // A sender who has gone does not want to know any more.
                drop(done.send(answer));
            }
            self.news.notify_one();
        }
    }

    fn publish(&self, message: &Arc<Message>, from: Arc<User>, room: Option<Arc<Room>>, talk: &mut Talk) {
        let sender = from.id;
        let topic = Topic::Conversation(message.conversation);
        if message.recipient.is_some() || talk.topic != Some(topic) {
            talk.publish(&self.hub);
        }
        if let (Kind::FriendAgreed, Some(recipient)) = (message.kind, message.recipient) {
            self.hub.enter(sender, Topic::Watchers(recipient));
            self.hub.enter(recipient, Topic::Watchers(sender));
        }
        let from = Person { presence: self.hub.visible_presence(sender), user: from };
        let event = Event::Message { message: Arc::clone(message), from, room };
        match message.recipient {
            None => {
                talk.topic = Some(topic);
                talk.events.push(event);
            }
            Some(recipient) if recipient == sender => self.hub.publish(Topic::User(recipient), event),
            Some(recipient) => self.hub.publish_all(&[Topic::User(recipient), Topic::Devices(sender)], event),
        }
    }
}

/// What was said in one room in a row, with nothing from elsewhere in between.
#[derive(Default)]
struct Talk {
    topic: Option<Topic>,
    events: Vec<Event>,
}

impl Talk {
    fn publish(&mut self, hub: &Hub) {
        if let Some(topic) = self.topic.take() {
            hub.publish_each(topic, std::mem::take(&mut self.events));
        }
    }
}

impl Chat {
    /// Hands over everything that a user missed, oldest first, and lets the live messages follow. `taken` is what
    /// other connections of theirs had when they signed in here.
    pub(super) async fn catch_up(&self, connection: &Connection, visit: Visit, taken: &HashMap<ConversationId, Seq>) {
        let mut failures = 0;
        loop {
            match self.replay_missed(connection, visit, taken).await {
                Ok(Replay::Done) if connection.go_live(visit) => return,
                // More came meanwhile than could be held back: read on.
                Ok(Replay::Done) => {}
                Ok(Replay::Gone) => return,
                Err(error) => {
                    failures += 1;
                    warn!(%error, cause = error.cause(), user.id = visit.user.0, "could not read missed messages");
                    if failures > MAX_CATCH_UP_FAILURES {
                        // Without this the connection would stay silent; the client comes back and tries again.
                        connection.close();
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(failures.into())).await;
                }
            }
        }
    }

    async fn replay_missed(
        &self,
        connection: &Connection,
        visit: Visit,
        taken: &HashMap<ConversationId, Seq>,
    ) -> Result<Replay> {
        let mut missed = self.store.missed(visit.user, connection.has_rooms(), MAX_MISSED_CONVERSATIONS).await?;
        // Not from connections that have broken since then.
        let present = self.hub.marks_of_others(connection, visit.user);
        for cursor in &mut missed {
            let conversation = cursor.conversation;
            cursor.after = cursor.after.max(connection.noted(conversation).unwrap_or(cursor.after));
            let left_to_others = taken.get(&conversation).min(present.get(&conversation)).copied();
            // A stay that has ended reaches no further than to its end, whatever others have taken of a later one.
            let left_to_others = left_to_others.map(|last| last.min(cursor.last));
            if let Some(last) = left_to_others.filter(|last| *last > cursor.after) {
                connection.give_credit(visit, OnCredit { conversation, after: cursor.after, last });
                cursor.after = last;
            }
        }
        missed.retain(|cursor| cursor.after < cursor.last);
        for cursors in missed.chunks(CONVERSATIONS_AT_ONCE) {
            if !self.replay(connection, visit, cursors).await? {
                return Ok(Replay::Gone);
            }
        }
        Ok(if connection.visit() == Some(visit) { Replay::Done } else { Replay::Gone })
    }

    /// False if the connection has gone.
    async fn replay(&self, connection: &Connection, visit: Visit, cursors: &[Cursor]) -> Result<bool> {
        let mut rest = cursors.to_vec();
        while !rest.is_empty() {
            // Of several stays in one conversation, which follow each other here, one at a time.
            let mut seen = HashSet::new();
            let (now, later): (Vec<_>, _) = rest.into_iter().partition(|cursor| seen.insert(cursor.conversation));
            if !self.replay_together(connection, visit, &now).await? {
                return Ok(false);
            }
            rest = later;
        }
        Ok(true)
    }

    async fn replay_together(&self, connection: &Connection, visit: Visit, cursors: &[Cursor]) -> Result<bool> {
        let mut open: HashMap<_, _> = cursors.iter().map(|cursor| (cursor.conversation, *cursor)).collect();
        while !open.is_empty() {
            let places: Vec<_> = open.values().copied().collect();
            let size = PageSize { messages: self.limits.replay_page, bytes: REPLAY_BYTES };
            let page = self.store.messages_after(&places, size.messages, size).await?;
            if page.is_empty() {
                break;
            }
            for message in page {
                let (conversation, seq) = (message.conversation, message.seq);
                // Beyond the cursor's end it is live, and handed over as such.
                let Some(cursor) = open.get_mut(&conversation).filter(|cursor| seq <= cursor.last) else {
                    continue;
                };
                if message.is_for(visit.user)
                    && let Some(event) = self.event_of(message).await?
                {
                    if !connection.replay(visit, &Arc::new(Parcel::new(event))) {
                        return Ok(false);
                    }
                    // One after the other: a page of long messages may be more than the outbox holds.
                    connection.flushed().await;
                }
                cursor.after = seq;
                if cursor.after >= cursor.last {
                    open.remove(&conversation);
                }
            }
        }
        for cursor in cursors {
            // One's own messages in a direct pair are not delivered to oneself; they need not be looked at again.
            connection.skip_to(visit, cursor.conversation, cursor.last);
        }
        Ok(true)
    }

    /// One of the user's connections has broken: the others get what they had left to it.
    pub(super) fn deliver_on_credit(self: &Arc<Self>, user: UserId) {
        for (connection, visit, credits) in self.hub.call_credits(user) {
            let chat = Arc::clone(self);
            self.tasks.spawn(async move {
                let cursor = |credit: OnCredit| Cursor {
                    conversation: credit.conversation,
                    after: credit.after,
                    last: credit.last,
                };
                let cursors: Vec<_> = credits.into_iter().map(cursor).collect();
                if let Err(error) = chat.replay(&connection, visit, &cursors).await {
                    warn!(%error, cause = error.cause(), user.id = user.0, "could not read messages again");
                    // The client comes back, and everything that is not marked is read anew.
                    connection.close();
                }
            });
        }
    }

    /// None for what was said in a room that is gone.
    async fn event_of(&self, message: Message) -> Result<Option<Event>> {
        let room = match message.recipient {
            Some(_) => None,
            None => match self.room_of(message.conversation).await? {
                None => return Ok(None),
                room => room,
            },
        };
        let from = self.person_by_id(message.sender).await?;
        Ok(Some(Event::Message { message: Arc::new(message), from, room }))
    }
}

enum Replay {
    Done,
    Gone,
}
