//! Coming and going. Both pass through the commit batcher and the announcer, as messages do, and so have a place among
//! them: who enters a room hears what is said from there on, who leaves it has heard what was said until then.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Chat;
use super::error::{Error, Result};
use super::event::{Event, Person, Topic};
use super::ids::UserId;
use super::room::Room;
use super::user::User;
use crate::clock::now_ms;
use crate::hub::Hub;
use crate::store::{Job, Outcome, Passage, Work};

/// Who waits for a passage, and what the announcer needs to know of it.
pub struct Passer {
    room: Arc<Room>,
    way: Way,
    done: oneshot::Sender<Result<bool>>,
}

/// Who comes or goes, and why.
pub(super) enum Way {
    Enters(Arc<User>),
    Leaves(Arc<User>),
    IsKicked {
        user: Arc<User>,
        by: UserId,
    },
    /// All of them, since the room is deleted.
    Closes,
}

impl Chat {
    /// Lets somebody come or go and tells the members. False if it was so already.
    ///
    /// # Errors
    /// `NotFound` if the room is gone, `Unavailable` if it did not take place.
    pub(super) async fn pass(&self, room: &Arc<Room>, way: Way) -> Result<bool> {
        let conversation = room.conversation;
        let passage = match &way {
            Way::Enters(user) => Passage::Enter { room: room.id, conversation, user: user.id },
            Way::Leaves(user) | Way::IsKicked { user, .. } => Passage::Leave { conversation, user: user.id },
            Way::Closes => Passage::Close { room: room.id, conversation, now_ms: now_ms() },
        };
        let (done, outcome) = oneshot::channel();
        let passer = Passer { room: Arc::clone(room), way, done };
        self.submit(Job { work: Work::Pass(passage), ticket: super::Waiter::Passage(passer) })?;
        outcome.await.map_err(Error::unavailable)?
    }
}

impl Passer {
    /// What the announcer does when it is this passage's turn.
    pub(super) fn pass(self, hub: &Hub, outcome: Outcome) {
        let result = match outcome {
            Outcome::Passed(is_new) => {
                announce(hub, self.room, self.way, is_new);
                Ok(is_new)
            }
            Outcome::Failed(error) => Err(error),
            Outcome::Stored(_) | Outcome::Repeated(_) => Err(Error::internal("a passage was taken for a message")),
        };
        // Who wanted to pass and is not here any more does not want to know.
        drop(self.done.send(result));
    }
}

fn announce(hub: &Hub, room: Arc<Room>, way: Way, is_new: bool) {
    let topic = Topic::Conversation(room.conversation);
    let person = |user: Arc<User>| Person { presence: hub.visible_presence(user.id), user };
    match way {
        // Who is in it already is announced all the same.
        Way::Enters(user) => {
            hub.enter(user.id, topic);
            hub.publish(topic, Event::RoomJoined { room, person: person(user), newbie: is_new });
        }
        Way::Leaves(user) => {
            hub.leave(user.id, topic);
            if is_new {
                let devices = Topic::Devices(user.id);
                hub.publish_all(&[topic, devices], Event::RoomLeft { room, person: person(user), by: None });
            }
        }
        Way::IsKicked { user, by } => {
            let id = user.id;
            if is_new {
                // To them as well, and it is the last that they hear from here.
                hub.publish(topic, Event::RoomLeft { room, person: person(user), by: Some(by) });
            }
            hub.leave(id, topic);
        }
        Way::Closes => {
            if is_new {
                hub.publish(topic, Event::RoomDeleted { room });
            }
            hub.clear(topic);
        }
    }
}
