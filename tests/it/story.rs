//! The domain over the store, without a wire: the same story on both databases, and what faults leave behind.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use nodeim::blobs::Disk;
use nodeim::chat::error::{Error, Reason};
use nodeim::chat::event::Event;
use nodeim::chat::files::Files;
use nodeim::chat::ids::UserId;
use nodeim::chat::message::Format;
use nodeim::chat::presence::Presence;
use nodeim::chat::{Announcer, Chat, Claim, Credentials, Ending, LogQuery, Proof, Said, SignIn, SignUp};
use nodeim::config::{Config, Switch};
use nodeim::hub::{Connection, Frame, Hub, LocalBus, Port, Refused, Renderer, Wire};
use nodeim::metrics::Metrics;
use nodeim::store::{Batcher, Store};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Database, until};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The core with its store, and nothing else.
struct World {
    chat: Arc<Chat>,
    _database: Database,
}

impl World {
    async fn new() -> Self {
        let database = Database::new().await;
        let config = Config {
            data_dir: database.data_dir(),
            database_url: database.url(),
            database_connections: 4,
            bcrypt_cost: 4,
            rate_limit: Switch::Off,
            ..Config::defaults()
        };
        let store = Store::open(&config).await.unwrap();
        let metrics = Metrics::new().unwrap();
        let hub = Arc::new(Hub::new(Arc::new(LocalBus), Arc::clone(&metrics)));
        let (drafts, queue) = mpsc::channel(config.commit_queue_max);
        let (settled, announced) = mpsc::channel(4);
        let tasks = TaskTracker::new();
        tasks.spawn(
            Batcher::new(store.clone(), queue, settled, 64, CancellationToken::new(), Arc::clone(&metrics)).run(),
        );
        tasks.spawn(Announcer::new(Arc::clone(&hub), announced, Arc::default()).run());
        let disk = Arc::new(Disk::open(&config).await.unwrap());
        let files = Files::open(&config, &store, disk, metrics).await.unwrap();
        let chat = Arc::new(Chat::new(&config, store, hub, files, drafts, tasks).unwrap());
        Self { chat, _database: database }
    }

    async fn person(&self, name: &str) -> Person {
        let request = SignUp {
            username: Some(name.to_owned()),
            password: "secret".to_owned(),
            question: None,
            answer: None,
            attributes: Map::new(),
        };
        let id = self.chat.sign_up(request, HERE).await.unwrap();
        Person::come(&self.chat, name, id).await
    }
}

/// Somebody who is signed in, with everything they heard.
struct Person {
    chat: Arc<Chat>,
    id: UserId,
    name: String,
    connection: Arc<Connection>,
    ear: Arc<Ear>,
}

impl Person {
    async fn come(chat: &Arc<Chat>, name: &str, id: UserId) -> Self {
        let ear = Arc::new(Ear::default());
        let connection = chat.hub().open(Arc::clone(&ear) as Arc<dyn Port>, HERE);
        let who = Claim::Account { username: Some(name.to_owned()), id: None };
        let claim = Credentials { who, password: "secret".to_owned() };
        let request = SignIn {
            proof: Proof::Password(claim),
            wish: Presence::online(),
            address: HERE,
            device: Some(""),
            alone: false,
            renderer: &EVERYTHING,
            self_paced: false,
        };
        let signed_in = chat.sign_in(&connection, request).await.unwrap();
        assert_eq!(signed_in.user.id, id);
        chat.arrive(&connection, &signed_in).await.unwrap();
        Self { chat: Arc::clone(chat), id, name: name.to_owned(), connection, ear }
    }

    async fn go(&self, ending: Ending) {
        self.chat.sign_out(&self.connection, ending).await;
        self.chat.hub().close(&self.connection);
    }

    async fn come_again(&self) -> Self {
        Self::come(&self.chat, &self.name, self.id).await
    }

    async fn say(&self, to: &Self, text: &str) {
        self.chat.send_direct(self.id, to.id, said(text)).await.unwrap().stored().await.unwrap();
    }

    /// Waits until these texts were heard, in this order, and nothing else was said.
    async fn hears(&self, texts: &[&str]) {
        until(&format!("{} hears {texts:?}", self.name), async || self.ear.texts().len() >= texts.len()).await;
        assert_eq!(self.ear.texts(), texts);
    }
}

fn said(text: &str) -> Said<'_> {
    Said { text, format: Format::Html, ..Said::default() }
}

/// A port that keeps what it is given, until it is told to be deaf.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Value>>,
    deaf: Mutex<bool>,
}

impl Ear {
    fn texts(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let text = |event: &Value| Some(event.pointer("/Message/message/body")?.as_str()?.to_owned());
        heard.iter().filter_map(text).collect()
    }
}

impl Port for Ear {
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused> {
        if *self.deaf.lock().unwrap() {
            return Err(Refused);
        }
        let mut json = String::new();
        frame.write_for(to, &mut json);
        self.heard.lock().unwrap().push(serde_json::from_str(&json).unwrap());
        Ok(())
    }

    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn written(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(true))
    }

    fn close(&self) {
        *self.deaf.lock().unwrap() = true;
    }
}

/// Writes every event as it is.
struct Everything;

static EVERYTHING: Everything = Everything;

impl Renderer for Everything {
    fn wire(&self) -> Wire {
        Wire::Nodeim
    }

    fn render(&self, event: &Event) -> Option<Frame> {
        Some(Frame::shared("event", serde_json::to_string(event).unwrap()))
    }
}

#[tokio::test]
async fn two_become_friends_and_part() {
    let world = World::new().await;
    let (alee, bob) = (world.person("alee").await, world.person("bob").await);
    let chat = &world.chat;
    chat.ask_friend(alee.id, bob.id, "hi").await.unwrap();
    bob.hears(&["hi"]).await;
    let again = chat.ask_friend(alee.id, bob.id, "hi").await.unwrap_err();
    assert!(matches!(again, Error::Conflict(Reason::AlreadyRequested)));
    assert!(chat.friends(alee.id, None).await.unwrap().is_empty());
    chat.agree(bob.id, alee.id, "yes").await.unwrap();
    alee.hears(&["yes"]).await;
    for (owner, friend) in [(&alee, &bob), (&bob, &alee)] {
        let cards = chat.friends(owner.id, None).await.unwrap();
        assert_eq!(cards.iter().map(|card| card.person.user.id).collect::<Vec<_>>(), [friend.id]);
        assert_eq!(cards[0].person.presence, Presence::online());
    }
    chat.remove_friend(alee.id, bob.id).await.unwrap();
    assert!(chat.friends(alee.id, None).await.unwrap().is_empty());
    assert_eq!(chat.friends(bob.id, Some(alee.id)).await.unwrap().len(), 1);
}

/// A refused change leaves no message, and a refused message no change.
#[tokio::test]
async fn a_request_and_its_message_are_stored_together_or_not_at_all() {
    let world = World::new().await;
    let (alee, bob) = (world.person("alee").await, world.person("bob").await);
    let both =
        tokio::join!(world.chat.ask_friend(alee.id, bob.id, "one"), world.chat.ask_friend(alee.id, bob.id, "two"),);
    assert_eq!([both.0.is_ok(), both.1.is_ok()].iter().filter(|ok| **ok).count(), 1);
    let long = "x".repeat(100_000);
    assert!(matches!(world.chat.agree(bob.id, alee.id, &long).await, Err(Error::Invalid(_))));
    assert!(world.chat.friends(bob.id, None).await.unwrap().is_empty());
    let sheet = world.chat.log(bob.id, LogQuery { from: None, room: None, page: 1 }).await.unwrap();
    assert_eq!(sheet.messages.len(), 1);
}

#[tokio::test]
async fn who_was_away_hears_everything_once_and_in_order() {
    let world = World::new().await;
    let (alee, bob, carol) = (world.person("alee").await, world.person("bob").await, world.person("carol").await);
    let (room, _) = world.chat.create_room(alee.id, "tea", "").await.unwrap();
    world.chat.join_room(bob.id, room.id).await.unwrap();
    bob.go(Ending::Orderly).await;
    let mut all = Vec::new();
    for round in 0..150 {
        let texts = [format!("a{round}"), format!("c{round}"), format!("r{round}")];
        alee.say(&bob, &texts[0]).await;
        carol.say(&bob, &texts[1]).await;
        world
            .chat
            .send_to_room(&alee.connection, alee.id, room.id, said(&texts[2]))
            .await
            .unwrap()
            .stored()
            .await
            .unwrap();
        all.extend(texts);
    }
    let expected: Vec<&str> = all.iter().map(String::as_str).collect();
    let back = bob.come_again().await;
    back.hears(&expected).await;
    alee.say(&bob, "live").await;
    back.hears(&[&expected[..], &["live"]].concat()).await;
    back.go(Ending::Orderly).await;
    let later = bob.come_again().await;
    alee.say(&bob, "later").await;
    later.hears(&["later"]).await;
}

/// What a connection took before it broke may not have arrived; what it had before, in an orderly visit, did.
#[tokio::test]
async fn a_broken_connection_hears_again() {
    let world = World::new().await;
    let (alee, bob) = (world.person("alee").await, world.person("bob").await);
    alee.say(&bob, "one").await;
    bob.hears(&["one"]).await;
    bob.go(Ending::Orderly).await;
    let second = bob.come_again().await;
    alee.say(&bob, "two").await;
    second.hears(&["two"]).await;
    second.go(Ending::Broken).await;
    let third = bob.come_again().await;
    third.hears(&["two"]).await;
}

/// The other device is not bothered with what this one has, unless this one turns out to be dead.
#[tokio::test]
async fn messages_on_credit_are_called_when_the_other_connection_breaks() {
    let world = World::new().await;
    let (alee, phone) = (world.person("alee").await, world.person("bob").await);
    alee.say(&phone, "one").await;
    phone.hears(&["one"]).await;
    let desk = phone.come_again().await;
    alee.say(&phone, "two").await;
    desk.hears(&["two"]).await;
    phone.go(Ending::Broken).await;
    desk.hears(&["two", "one"]).await;
    desk.go(Ending::Orderly).await;
    let later = phone.come_again().await;
    alee.say(&phone, "three").await;
    later.hears(&["three"]).await;
}

/// With a dead device on credit, leaving in an orderly way does not vouch for what the other one had taken.
#[tokio::test]
async fn credit_is_not_stored_as_delivered() {
    let world = World::new().await;
    let (alee, phone) = (world.person("alee").await, world.person("bob").await);
    alee.say(&phone, "one").await;
    phone.hears(&["one"]).await;
    let desk = phone.come_again().await;
    alee.say(&phone, "two").await;
    desk.hears(&["two"]).await;
    desk.go(Ending::Orderly).await;
    phone.go(Ending::Broken).await;
    let later = phone.come_again().await;
    later.hears(&["one", "two"]).await;
}

#[tokio::test]
async fn who_takes_nothing_misses_nothing() {
    let world = World::new().await;
    let (alee, bob) = (world.person("alee").await, world.person("bob").await);
    bob.ear.close();
    alee.say(&bob, "one").await;
    alee.say(&bob, "two").await;
    bob.go(Ending::Broken).await;
    bob.come_again().await.hears(&["one", "two"]).await;
}

#[tokio::test]
async fn sequence_numbers_are_dense_whoever_writes_at_the_same_time() {
    let world = World::new().await;
    let (alee, bob) = (world.person("alee").await, world.person("bob").await);
    let texts: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let (mut sending, mut seqs) = (tokio::task::JoinSet::new(), Vec::new());
    for text in texts {
        let (chat, pair) =
            (Arc::clone(&world.chat), if text.len() == 2 { (alee.id, bob.id) } else { (bob.id, alee.id) });
        sending
            .spawn(async move { chat.send_direct(pair.0, pair.1, said(&text)).await.unwrap().stored().await.unwrap() });
    }
    while let Some(message) = sending.join_next().await {
        let message = message.unwrap();
        seqs.push((message.seq.0, message.id.0));
    }
    seqs.sort_unstable();
    assert!(seqs.iter().map(|(seq, _)| *seq).eq(1..=300));
    assert!(seqs.is_sorted_by_key(|(_, id)| *id));
}

#[tokio::test]
async fn a_repeated_send_is_stored_once_in_each_conversation() {
    let world = World::new().await;
    let (alee, bob, carol) = (world.person("alee").await, world.person("bob").await, world.person("carol").await);
    let named = Said { client_id: Some("a1"), ..said("hi") };
    let first = world.chat.send_direct(alee.id, bob.id, named).await.unwrap().stored().await.unwrap();
    let again = world.chat.send_direct(alee.id, bob.id, named).await.unwrap().stored().await.unwrap();
    let elsewhere = world.chat.send_direct(alee.id, carol.id, named).await.unwrap().stored().await.unwrap();
    assert_eq!(first.id, again.id);
    assert_ne!(first.id, elsewhere.id);
    alee.say(&bob, "end").await;
    bob.hears(&["hi", "end"]).await;
    carol.hears(&["hi"]).await;
}
