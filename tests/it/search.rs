//! Finding what was said.

use serde_json::{Value, json};

use crate::support::{Client, Server, texts, until};

async fn find(client: &mut Client, query: Value) -> Vec<String> {
    let reply = client.ok("search", query).await;
    texts(&reply["messages"]).into_iter().map(str::to_owned).collect()
}

/// Messages can be found soon after they were said: when this last one can, all before it can.
async fn indexed(client: &mut Client) {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let word = format!("last{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    client.says(client.id, &word).await;
    let query = json!({"text": word, "to": client.id});
    until("the index is complete", async || !find(client, query.clone()).await.is_empty()).await;
}

#[tokio::test]
async fn words_and_chinese_in_ones_own_conversations() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.says(bob.id, "Meet me at the <b>Teahouse</b>").await;
    bob.says(alee.id, "明天下午三点开会").await;
    bob.says(carol.id, "the teahouse is a secret").await;
    alee.ok("room.message", json!({"room": room, "message": "teahouse &amp; cake; &lt;script&gt;"})).await;
    alee.ok("message", json!({"to": bob.id, "message": "<b>literally</b>", "format": "plain"})).await;
    indexed(&mut alee).await;

    let pair = "Meet me at the <b>Teahouse</b>";
    let tea = "teahouse &amp; cake; &lt;script&gt;";
    for (query, expected) in [
        (json!({"text": "teahouse"}), vec![tea, pair]),
        (json!({"text": "TEAHO"}), vec![tea, pair]),
        (json!({"text": "teahouse meet"}), vec![pair]),
        (json!({"text": "teahouse", "room": room}), vec![tea]),
        (json!({"text": "teahouse", "to": bob.id}), vec![pair]),
        (json!({"text": "teahouse", "limit": 1}), vec![tea]),
        (json!({"text": "house"}), vec![]),
        (json!({"text": "secret"}), vec![]),
        (json!({"text": "开会"}), vec!["明天下午三点开会"]),
        (json!({"text": "三点"}), vec!["明天下午三点开会"]),
        (json!({"text": "会"}), vec!["明天下午三点开会"]),
        (json!({"text": "会开"}), vec![]),
        (json!({"text": "script"}), vec![tea]),
        (json!({"text": "literally"}), vec!["<b>literally</b>"]),
        (json!({"text": "teahouse \" OR 1 * ( ' : & | !"}), vec![]),
        (json!({"text": "'teahouse' & \"cake\""}), vec![tea]),
    ] {
        assert_eq!(find(&mut alee, query.clone()).await, expected, "{query}");
    }
    assert_eq!(find(&mut carol, json!({"text": "teahouse"})).await, ["the teahouse is a secret"]);
    assert_eq!(carol.ok("search", json!({"text": "teahouse", "to": alee.id})).await["messages"], json!([]));
    assert_eq!(carol.ok("search", json!({"text": "teahouse", "room": room})).await["messages"], json!([]));

    let reply = alee.ok("search", json!({"text": "teahouse", "limit": 1})).await;
    assert_eq!((&reply["more"], &reply["messages"][0]["room"]), (&json!(true), &json!(room)));
    assert_eq!(reply["users"][alee.id.to_string()]["username"], "alee");
    let before = &reply["messages"][0]["id"];
    let rest = alee.ok("search", json!({"text": "teahouse", "before": before})).await;
    assert_eq!((texts(&rest["messages"]), &rest["more"]), (vec![pair], &json!(false)));
}

#[tokio::test]
async fn edits_are_found_and_recalls_are_not() {
    let server = Server::start().await;
    let (mut alee, bob) = (server.modern("alee").await, server.modern("bob").await);
    let edited = alee.says(bob.id, "apple").await;
    let recalled = alee.says(bob.id, "banana").await;
    indexed(&mut alee).await;
    alee.ok("edit", json!({"to": bob.id, "seq": edited, "message": "cherry"})).await;
    alee.ok("recall", json!({"to": bob.id, "seq": recalled})).await;
    assert!(find(&mut alee, json!({"text": "banana"})).await.is_empty());
    indexed(&mut alee).await;
    for (text, count) in [("apple", 0), ("banana", 0), ("cherry", 1)] {
        assert_eq!(find(&mut alee, json!({"text": text})).await.len(), count, "{text}");
    }
}

#[tokio::test]
async fn in_a_room_one_finds_what_one_was_there_for() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let room = alee.room("tea").await;
    let mut say = async |text: &str| drop(alee.ok("room.message", json!({"room": room, "message": text})).await);
    say("green before").await;
    bob.join(room).await;
    say("green with").await;
    bob.ok("room.leave", json!({"id": room})).await;
    say("green after").await;
    indexed(&mut alee).await;
    assert_eq!(find(&mut bob, json!({"text": "green"})).await, ["green with"]);
    assert_eq!(find(&mut alee, json!({"text": "green"})).await.len(), 3);
}

#[tokio::test]
async fn what_was_said_before_an_update_is_found_after_it() {
    let server = Server::start().await;
    let (mut alee, bob) = (server.modern("alee").await, server.modern("bob").await);
    alee.says(bob.id, "ancient").await;
    indexed(&mut alee).await;
    server.database.execute("delete from counters where name = 'indexed'").await;
    let all = if server.database.url().is_empty() {
        "insert into message_terms (message_terms) values ('delete-all')"
    } else {
        "delete from message_terms"
    };
    server.database.execute(all).await;
    let server = server.restart().await;
    let mut alee = server.newcomer("alee").await;
    alee.sign_in_modern().await;
    until("old messages are found", async || !find(&mut alee, json!({"text": "ancient"})).await.is_empty()).await;
}

#[tokio::test]
async fn what_cannot_be_searched_for() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    for text in [json!(null), json!(""), json!("  "), json!("!?"), json!("x".repeat(1025)), json!(["x"])] {
        assert_eq!(alee.code("search", json!({"text": text})).await, 400, "{text}");
    }
    assert_eq!(alee.code("search", json!({"text": "x", "to": 4711})).await, 404);
    assert_eq!(alee.code("search", json!({"text": "x", "room": 4711})).await, 404);
    assert!(find(&mut alee, json!({"text": 5})).await.is_empty());
    let mut nobody = server.connect().await;
    assert_eq!(nobody.code("search", json!({"text": "x"})).await, 403);
}
