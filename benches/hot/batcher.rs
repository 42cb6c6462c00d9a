//! Messages on their way to disk: through the commit batcher into SQLite, with the server's own settings. So many are
//! sent at a time, and the next ones when all of those are durable.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use nodeim::chat::draft::Draft;
use nodeim::chat::error::Error;
use nodeim::chat::ids::{ConversationId, UserId};
use nodeim::chat::message::{Format, Kind};
use nodeim::config::Config;
use nodeim::metrics::Metrics;
use nodeim::store::{Batcher, Job, NewUser, Outcome, Settled, Store, Waits, Work};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::samples::TEXT;

#[divan::bench(args = [1, 32, 512])]
fn messages(bencher: Bencher<'_, '_>, at_a_time: usize) {
    // Beside the built program and not in /tmp, which may be in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the database");
    let runtime = Runtime::new().expect("a runtime");
    let config = Config { data_dir: dir.path().to_owned(), ..Config::defaults() };
    let mut line = runtime.block_on(Line::open(&runtime, &config));
    bencher.counter(ItemsCount::new(at_a_time)).bench_local(|| runtime.block_on(line.store(at_a_time)));
}

/// Whoever waits for an answer in a server.
struct Nobody;

impl Waits for Nobody {
    fn give_up(&mut self, error: Error) {
        panic!("{error}");
    }
}

/// The way to the batcher and back.
struct Line {
    jobs: mpsc::Sender<Job<Nobody>>,
    settled: mpsc::Receiver<Settled<Nobody>>,
    draft: Draft,
}

impl Line {
    async fn open(runtime: &Runtime, config: &Config) -> Self {
        let store = Store::open(config).await.expect("a database");
        let (sender, recipient) = (user(&store, "alee").await, user(&store, "bob").await);
        let conversation = store.direct_conversation(sender, recipient).await.expect("a conversation");
        let (jobs, queue) = mpsc::channel(config.commit_queue_max);
        let (outcomes, settled) = mpsc::channel(4);
        let metrics = Metrics::new().expect("the buckets are valid");
        let sealed = CancellationToken::new();
        let batcher = Batcher::new(store, queue, outcomes, config.commit_batch_max, sealed, metrics);
        runtime.spawn(batcher.run());
        Self { jobs, settled, draft: draft(conversation, sender, recipient) }
    }

    async fn store(&mut self, count: usize) {
        for _ in 0..count {
            let job = Job { work: Work::Append(self.draft.clone()), ticket: Nobody };
            self.jobs.send(job).await.expect("the batcher is there");
        }
        let mut stored = 0;
        while stored < count {
            let outcomes = self.settled.recv().await.expect("the batcher is there");
            for (_, outcome) in outcomes {
                assert!(matches!(outcome, Outcome::Stored(_)), "{outcome:?}");
                stored += 1;
            }
        }
    }
}

async fn user(store: &Store, name: &str) -> UserId {
    let user = NewUser {
        username: Some(name.to_owned()),
        password_hash: String::new(),
        question: None,
        answer_hash: None,
        attributes: serde_json::Map::new(),
        created_ms: 0,
    };
    store.insert_user(&user, 1).await.expect("a user")
}

fn draft(conversation: ConversationId, sender: UserId, recipient: UserId) -> Draft {
    Draft {
        conversation,
        sender,
        recipient: Some(recipient),
        kind: Kind::Text,
        format: Format::Html,
        body: Arc::from(TEXT),
        claimed_ms: 0,
        client_id: None,
        extras: None,
        files: Vec::new(),
        change: None,
    }
}
