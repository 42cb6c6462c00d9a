//! Publishing a room's message: finding its members, rendering it, and putting each one's text into an outbox. What the
//! sockets would cost is not in it.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use nodeim::chat::event::Topic;
use nodeim::chat::ids::UserId;
use nodeim::chat::presence::Presence;
use nodeim::dialect::nodeim::RENDERER;
use nodeim::hub::{Connection, Entry, Frame, Hub, LocalBus, Port, Refused};
use nodeim::metrics::Metrics;

use crate::samples::{CONVERSATION, in_room, person, room};

thread_local! {
    /// One place for the text of all connections, as the transports have it.
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
    static PUSHED: Cell<u64> = const { Cell::new(0) };
}

/// An outbox that forgets, and only counts.
struct Bottomless;

impl Port for Bottomless {
    fn push(&self, frame: &Frame, to: UserId) -> Result<(), Refused> {
        PUSHED.set(PUSHED.get() + 1);
        TEXT.with_borrow_mut(|text| {
            text.clear();
            frame.write_for(to, text);
            divan::black_box(&text);
        });
        Ok(())
    }

    fn flushed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    fn written(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async { true })
    }

    fn close(&self) {}
}

#[divan::bench(args = [1, 100, 10_000])]
fn publish(bencher: Bencher<'_, '_>, members: i64) {
    let metrics = Metrics::new().expect("the buckets are valid");
    let hub = Hub::new(Arc::new(LocalBus), metrics);
    // They stay in the hub for as long as it is there.
    let _connections: Vec<_> = (1..=members).map(|member| join(&hub, UserId(member))).collect();
    let (from, room) = (person(), room());
    let (mut seq, before) = (0, PUSHED.get());
    bencher.counter(ItemsCount::new(members as u64)).bench_local(|| {
        // What somebody has had already they do not get again.
        seq += 1;
        hub.publish(Topic::Conversation(CONVERSATION), in_room(&from, &room, seq));
    });
    assert_eq!(PUSHED.get() - before, (seq * members) as u64, "everybody gets everything");
}

/// A member who is here and has nothing to catch up with.
fn join(hub: &Hub, user: UserId) -> Arc<Connection> {
    let connection = hub.open(Arc::new(Bottomless), IpAddr::V4(Ipv4Addr::LOCALHOST));
    let entry = Entry { user, session: None, renderer: &RENDERER, self_paced: true, alone: false };
    hub.sign_in(&connection, entry, Presence::online()).expect("nobody wants to be alone");
    hub.enter_all(&connection, [Topic::Conversation(CONVERSATION)]);
    connection
}
