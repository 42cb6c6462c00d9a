//! What SQLite makes of the statements over messages. There may be millions of them, so none is looked for in all.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::{Server, until};

/// The statements of this process, other tests' too. There is one such listener in a process.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Statements {
    fn listen() -> Self {
        let statements = Self::default();
        let only = Targets::new().with_target("sqlx::query", Level::DEBUG);
        let listener = tracing_subscriber::registry().with(statements.clone().with_filter(only));
        tracing::subscriber::set_global_default(listener).unwrap();
        statements
    }

    /// Those in which all of these words stand.
    fn with(&self, words: &[&str]) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|statement| words.iter().all(|word| statement.contains(word))).cloned().collect()
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Text(self));
    }
}

/// Short statements stand in the summary alone.
struct Text<'a>(&'a Statements);

impl Visit for Text<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_whole = field.name() == "db.statement" || field.name() == "summary" && !value.ends_with('…');
        if is_whole && !value.is_empty() {
            self.0.0.lock().unwrap().insert(value.trim().to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

async fn story(server: &Server) {
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.ok("room.message", json!({"room": room, "message": "tea?"})).await;
    let seq = alee.says(bob.id, "helo").await;
    alee.ok("message", json!({"to": bob.id, "message": "again", "reply": seq})).await;
    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": "hello"})).await;
    for of in [json!({"to": alee.id}), json!({"to": alee.id, "after": 0}), json!({"room": room})] {
        bob.ok("history", of).await;
    }
    bob.ok("conversations", json!({})).await;
    bob.ok("log", json!({})).await;
    bob.ok("resume", json!({"marks": [{"to": alee.id, "seq": 0}]})).await;
    let found = json!({"text": "hello"});
    until("it can be found", async || bob.ok("search", found.clone()).await["messages"] != json!([])).await;
    alee.ok("recall", json!({"to": bob.id, "seq": seq})).await;
    alee.ok("room.delete", json!({"room": room})).await;
}

/// The statements that find messages, by words that stand in them.
const FINDING: [[&str; 2]; 10] = [
    ["from numbered_messages m", "order by m.seq desc"],
    ["from numbered_messages m", "order by m.seq asc"],
    ["from numbered_messages m", "m.seq = $2"],
    ["join message_places p", "(values"],
    ["join numbered_messages m", "with found"],
    ["join numbered_messages m", "offset"],
    ["from numbered_messages n", "from numbered_messages u"],
    ["message_terms t join messages m", "match"],
    ["update messages set", "from numbered_messages"],
    ["delete from file_uses", "from numbered_messages"],
];

#[tokio::test]
async fn none_reads_all_messages() {
    let statements = Statements::listen();
    let server = Server::start().await;
    story(&server).await;
    for words in FINDING {
        assert!(!statements.with(&words).is_empty(), "{words:?} was not asked");
    }
    // Migrations begin with a comment.
    for statement in statements.with(&["messages"]).iter().filter(|statement| !statement.starts_with("--")) {
        for step in server.database.plan(statement).await {
            // The names by which statements call messages and the parts of their index.
            let reads_all = ["m", "n", "p", "u", "messages", "newest_by_seq", "messages_by_seq"]
                .iter()
                .any(|table| step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} USING")));
            assert!(!reads_all, "{step}: {statement}");
        }
    }
}
