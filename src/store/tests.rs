//! Databases of earlier versions.

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor};

use super::{Direction, PageSize, SQLITE, Stay, Store};
use crate::chat::ids::{ConversationId, Seq};
use crate::config::Config;

#[tokio::test]
async fn messages_stay_where_they_are_when_their_index_is_parted() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { data_dir: dir.path().into(), ..Config::defaults() };
    install_default_drivers();
    let url = format!("{}?mode=rwc", config.effective_database_url());
    let mut before = AnyConnection::connect(&url).await.unwrap();
    SQLITE.run_to(3, &mut before).await.unwrap();
    before
        .execute(
            "insert into messages (id, conversation_id, seq, sender_id, recipient_id, kind, format, body, claimed_ms,
                                   stored_ms, client_id)
             values (7, 2, 1, 1, 2, 'text', 'html', 'one', 5, 6, 'a'), (8, 1, 1, 1, null, 'text', 'html', 'x', 5, 6, 'a'),
                    (9, 2, 2, 2, 1, 'text', 'plain', 'two', 5, 6, null)",
        )
        .await
        .unwrap();
    before.close().await.unwrap();

    let store = Store::open(&config).await.unwrap();
    let within = Stay { conversation: ConversationId(2), after: Seq(0), last: Seq(2) };
    let size = PageSize { messages: 10, bytes: 1000 };
    let page = store.page(within, Direction::NewestFirst, size).await.unwrap();
    let found: Vec<_> = page.iter().map(|message| (message.id.0, message.seq.0, &*message.body)).collect();
    assert_eq!(found, [(9, 2, "two"), (7, 1, "one")]);
    assert_eq!(page[1].client_id.as_deref(), Some("a"));
    store.close().await;
}
