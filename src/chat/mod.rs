//! The domain: people, friends, presence, rooms and messages, and the rules between them.
//!
//! A dialect calls one function here for each command. What others are to hear of it goes out as an
//! [`event::Event`]; no wire, no SQL and no socket is known here.

mod accounts;
mod amend;
mod attention;
mod blocks;
mod broadcast;
mod cache;
mod conversations;
mod delivery;
pub mod draft;
pub mod error;
pub mod event;
pub mod files;
mod friends;
mod guard;
mod history;
pub mod html;
pub mod ids;
mod invitations;
mod log;
mod meaning;
mod members;
pub mod message;
mod messages;
mod moderation;
mod names;
mod passages;
mod password;
mod people;
mod places;
pub mod presence;
pub mod profile;
pub mod room;
mod rooms;
mod search;
mod sessions;
mod tokens;
pub mod user;
pub mod words;

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

pub use accounts::{Change, Claim, Credentials, ProfileChange, SignUp};
pub use conversations::{Company, Entry};
pub use delivery::{Announcer, Ticket, Waiter};
pub use friends::{FriendCard, RequestCard, Requests};
pub use history::{History, HistoryQuery, Resumed};
pub use log::{LogQuery, LogSheet};
pub use members::{Attendance, MemberCard};
pub use messages::{Said, Sending};
pub use moderation::RoomProfile;
pub use search::{Found, Indexer, SearchQuery};
pub use sessions::{CatchUp, Ending, Proof, SignIn, SignedIn};
pub use tokens::SessionCard;

use crate::config::Config;
use crate::hub::Hub;
use crate::store::{Job, Store};
use cache::Caches;
use error::Result;
use event::Person;
use files::Files;
use guard::Guard;
use ids::UserId;
use password::Hasher;
use user::User;

/// The core of the server. One per process, shared by all dialects.
pub struct Chat {
    store: Store,
    hub: Arc<Hub>,
    hasher: Hasher,
    guard: Guard,
    caches: Caches,
    files: Files,
    /// What is on its way to the commit batcher.
    jobs: mpsc::Sender<Job<Waiter>>,
    sanitizing: Arc<Semaphore>,
    tasks: TaskTracker,
    limits: Limits,
}

/// The limits of the domain, from the configuration.
struct Limits {
    message_max_bytes: usize,
    replay_page: usize,
    friends_max: i64,
    rooms_max: i64,
    first_user_id: i64,
    first_room_id: i64,
    session_max_ms: i64,
    edit_max_ms: i64,
    recall_max_ms: i64,
}

impl Chat {
    /// The core over its parts. `jobs` leads to the commit batcher; long work runs on `tasks`.
    pub fn new(
        config: &Config,
        store: Store,
        hub: Arc<Hub>,
        files: Files,
        jobs: mpsc::Sender<Job<Waiter>>,
        tasks: TaskTracker,
    ) -> Result<Self> {
        Ok(Self {
            store,
            hub,
            hasher: Hasher::new(config.bcrypt_cost, config.bcrypt_parallel, config.bcrypt_queue_max)?,
            guard: Guard::new(config),
            caches: Caches::new(config.cache_entries),
            files,
            jobs,
            sanitizing: Arc::new(Semaphore::new(1)),
            tasks,
            limits: Limits {
                message_max_bytes: config.message_max_bytes,
                replay_page: config.replay_page,
                friends_max: config.friends_max,
                rooms_max: config.rooms_max,
                first_user_id: config.first_user_id,
                first_room_id: config.first_room_id,
                session_max_ms: config.session_max_days * 86_400_000,
                edit_max_ms: config.edit_max_ms,
                recall_max_ms: config.recall_max_ms,
            },
        })
    }

    /// The live connections.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// A user as others see them at this moment, but for those whom they have blocked.
    fn person(&self, user: Arc<User>) -> Person {
        Person { presence: self.hub.visible_presence(user.id), user }
    }

    async fn person_by_id(&self, id: UserId) -> Result<Person> {
        Ok(self.person(self.user(id).await?))
    }
}
