//! `message`: one person says something to another.

use serde_json::{Value, json};

use crate::support::{Server, keys};

/// A bound for the server's clock, UTC milliseconds.
fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn the_target_hears_it_and_the_sender_does_not() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    alee.ok("profile", json!({"doc": {"nick": "A", "groups": [{"name": "g"}], "question": "q", "answer": "a"}})).await;
    let reply = alee.ok("message", json!({"to": bob.id, "message": "hi", "time": 1_371_110_400_000_i64})).await;
    assert_eq!(reply, json!({"code": 200}));
    let message = bob.next("message").await;
    assert!(message["_id"].as_str().is_some_and(|id| !id.is_empty()));
    let expected = json!({
        "from": {"id": alee.id, "username": "alee", "nick": "A", "presence": "在线"}, "to": bob.id, "message": "hi",
        "time": 1_371_110_400_000_i64, "readed": 0, "_id": message["_id"]
    });
    assert_eq!(message, expected);
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn the_target_may_be_a_string_of_digits() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    alee.ok("message", json!({"to": bob.id.to_string(), "message": "hi"})).await;
    assert_eq!(bob.hears("hi").await["to"], bob.id, "a number all the same");
}

#[tokio::test]
async fn only_the_target_hears_it() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    alee.say(bob.id, "secret").await;
    carol.heard_nothing(&mut alee).await;
    bob.hears("secret").await;
}

#[tokio::test]
async fn the_time_is_the_senders_if_they_give_one() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for (time, expected) in [
        (json!(1_371_110_400_000_i64), 1_371_110_400_000_i64),
        (json!("1371110400000"), 1_371_110_400_000_i64),
        (json!(0), 0),
        (json!(-5), -5),
    ] {
        alee.ok("message", json!({"to": bob.id, "message": "x", "time": time})).await;
        assert_eq!(bob.hears("x").await["time"], expected, "{time}");
    }
    for time in [json!(null), json!("abc"), json!(""), json!({"$gt": 0}), json!([1]), json!(true), json!("NaN")] {
        let before = now_ms();
        alee.ok("message", json!({"to": bob.id, "message": "x", "time": time})).await;
        let shown = bob.hears("x").await["time"].as_i64().unwrap();
        assert!((before..=now_ms()).contains(&shown), "{time} became {shown}");
    }
    let before = now_ms();
    alee.say(bob.id, "x").await;
    let shown = bob.hears("x").await["time"].as_i64().unwrap();
    assert!((before..=now_ms()).contains(&shown));
}

#[tokio::test]
async fn the_claimed_time_orders_nothing() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    for (text, time) in [("first", 3000), ("second", 1000), ("third", 2000)] {
        alee.ok("message", json!({"to": bob.id, "message": text, "time": time})).await;
    }
    bob.sign_in().await;
    for text in ["first", "second", "third"] {
        bob.hears(text).await;
    }
}

#[tokio::test]
async fn an_empty_text_is_a_text() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    alee.ok("message", json!({"to": bob.id, "message": ""})).await;
    bob.hears("").await;
}

#[tokio::test]
async fn without_target_or_text_it_is_404() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for payload in [
        json!({}),
        json!({"to": bob.id}),
        json!({"message": "x"}),
        json!({"to": null, "message": "x"}),
        json!({"to": "", "message": "x"}),
        json!({"to": bob.id, "message": null}),
        json!({"to": bob.id, "message": {"$gt": ""}}),
        json!({"to": bob.id, "message": ["x"]}),
        json!({"to": bob.id, "message": true}),
        json!({"to": 4711, "message": "x"}),
        json!({"to": "4711", "message": "x"}),
        json!({"to": "abc", "message": "x"}),
        json!({"to": 0, "message": "x"}),
        json!({"to": -1, "message": "x"}),
        json!({"to": 1.5, "message": "x"}),
        json!({"to": 1e300, "message": "x"}),
        json!({"to": u64::MAX, "message": "x"}),
        json!({"to": "99999999999999999999", "message": "x"}),
        json!({"to": {"$gt": 0}, "message": "x"}),
        json!({"to": [bob.id], "message": "x"}),
        json!({"to": true, "message": "x"}),
    ] {
        assert_eq!(alee.code("message", payload.clone()).await, 404, "{payload}");
    }
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn a_text_has_64_kib_at_most() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = bob.room("tea").await;
    alee.join(room).await;
    bob.next("room.join").await;
    let good = "x".repeat(65_536);
    let bad = format!("{good}x");
    // 65,538 bytes, though fewer characters.
    let wide = "字".repeat(21_846);
    for text in [&bad, &wide] {
        assert_eq!(alee.code("message", json!({"to": bob.id, "message": text})).await, 404);
        assert_eq!(alee.code("room.message", json!({"room": room, "message": text})).await, 404);
        assert_eq!(alee.code("subscribe", json!({"to": bob.id, "message": text})).await, 403);
    }
    alee.say(bob.id, &good).await;
    bob.hears(&good).await;
    // The request that was refused was not made.
    alee.ok("subscribe", json!({"to": bob.id, "message": good})).await;
}

#[tokio::test]
async fn ids_of_messages_are_strings_of_their_own() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        alee.say(bob.id, "same").await;
        ids.push(bob.hears("same").await["_id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// What a room has and a person has not.
#[tokio::test]
async fn a_direct_message_names_no_room_and_no_type() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    alee.say(bob.id, "x").await;
    bob.sign_in().await;
    let missed = bob.hears("x").await;
    alee.say(bob.id, "x").await;
    let live = bob.hears("x").await;
    for message in [missed, live] {
        let shown: Vec<_> = keys(&message).into_iter().filter(|key| message[key] != Value::Null).collect();
        assert_eq!(shown, ["_id", "from", "message", "readed", "time", "to"]);
        assert!(message["time"].is_i64() && message["to"].is_i64());
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_is_500_and_not_half_done() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    alee.say(bob.id, "before").await;
    bob.hears("before").await;

    server.database.execute("alter table messages rename to hidden").await;
    assert_eq!(alee.code("message", json!({"to": bob.id, "message": "lost"})).await, 500);
    assert_eq!(alee.code("room.message", json!({"room": room, "message": "lost"})).await, 500);
    assert_eq!(alee.code("subscribe", json!({"to": bob.id})).await, 500);
    // What needs no message works.
    alee.ok("friends", json!({})).await;

    server.database.execute("alter table hidden rename to messages").await;
    // No trace of the request either: it may be made now, and there is no gap in what bob hears.
    alee.ok("subscribe", json!({"to": bob.id})).await;
    assert_eq!(bob.next("message").await["type"], "request-subscription");
    alee.say(bob.id, "after").await;
    bob.hears("after").await;
    alee.ok("room.message", json!({"room": room, "message": "after"})).await;
    alee.hears("after").await;
    assert_eq!(server.get("/healthz").await.status(), 200);
}
