//! `cid`: an id of the sender's choice that makes a repeated send harmless.

use serde_json::{Value, json};

use crate::support::{Server, keys};

#[tokio::test]
async fn a_repeated_send_is_stored_once_and_answered_the_same() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let send = json!({"to": bob.id, "message": "once", "cid": "a1"});
    let first = alee.ok("message", send.clone()).await;
    assert_eq!(keys(&first), ["_id", "at", "code", "seq", "time"]);
    let message = bob.hears("once").await;
    assert_eq!((&first["_id"], &first["time"]), (&message["_id"], &message["time"]));
    for _ in 0..3 {
        assert_eq!(alee.ok("message", send.clone()).await, first);
    }
    bob.heard_nothing(&mut alee).await;
    // One, and the marker.
    assert_eq!(bob.ok("log", json!({})).await["docs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn it_is_remembered_over_connections_and_restarts() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    let send = json!({"to": bob.id, "message": "once", "cid": "a1"});
    let first = alee.ok("message", send.clone()).await;
    drop(alee);
    let mut alee = server.device("alee").await;
    assert_eq!(alee.ok("message", send.clone()).await, first);
    drop((alee, bob));
    let server = server.restart().await;
    let mut alee = server.device("alee").await;
    assert_eq!(alee.ok("message", send).await, first);
    let mut bob = server.device("bob").await;
    bob.hears("once").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn the_same_at_once_from_two_devices_is_one_message() {
    let server = Server::start().await;
    let mut desk = server.person("alee").await;
    let mut phone = server.device("alee").await;
    let mut bob = server.person("bob").await;
    for n in 0..10 {
        let text = n.to_string();
        let send = json!({"to": bob.id, "message": text, "cid": text});
        let (one, other) = tokio::join!(desk.ok("message", send.clone()), phone.ok("message", send.clone()));
        assert_eq!(one, other);
        bob.hears(&text).await;
    }
    bob.heard_nothing(&mut desk).await;
}

#[tokio::test]
async fn the_same_many_times_without_waiting_is_one_message() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let send = json!({"to": bob.id, "message": "once", "cid": "a1"});
    let mut fired = Vec::new();
    for _ in 0..20 {
        fired.push(alee.fire("message", send.clone()).await);
    }
    let mut replies = Vec::new();
    for id in fired {
        replies.push(alee.reply(id).await);
    }
    replies.dedup();
    assert_eq!(replies.len(), 1);
    bob.hears("once").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn it_is_the_senders_own_and_works_in_rooms() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.next("room.join").await;
    let mut ids = Vec::new();
    for client in [&mut alee, &mut bob] {
        for _ in 0..2 {
            let reply = client.ok("room.message", json!({"room": room, "message": "same", "cid": "a1"})).await;
            ids.push(reply["_id"].clone());
        }
    }
    assert_eq!((&ids[0], &ids[2]), (&ids[1], &ids[3]));
    assert_ne!(ids[0], ids[2]);
    for client in [&mut alee, &mut bob] {
        assert_eq!(client.hears("same").await["_id"], ids[0]);
        assert_eq!(client.hears("same").await["_id"], ids[2]);
    }
    alee.heard_nothing(&mut bob).await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn another_one_is_another_message_and_none_is_none() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for cid in [json!("a"), json!("b"), json!(1), json!("2"), json!(""), json!(""), json!(null), json!({"$gt": ""})] {
        let reply = alee.ok("message", json!({"to": bob.id, "message": "same", "cid": cid})).await;
        let has_one = cid.is_number() || cid.as_str().is_some_and(|cid| !cid.is_empty());
        assert_eq!(reply.get("_id").is_some(), has_one, "{cid}");
        bob.hears("same").await;
    }
}

#[tokio::test]
async fn one_that_is_too_long_is_refused() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for (cid, expected) in [("x".repeat(64), 200), ("x".repeat(65), 404), ("a\u{0}b".to_owned(), 404)] {
        let payload = json!({"to": bob.id, "message": cid, "cid": cid});
        assert_eq!(alee.code("message", payload).await, expected, "{cid:?}");
    }
    bob.hears(&"x".repeat(64)).await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn a_send_that_failed_may_be_repeated() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let send = json!({"to": bob.id, "message": "once", "cid": "a1"});
    server.database.execute("alter table messages rename to hidden").await;
    assert_eq!(alee.code("message", send.clone()).await, 500);
    server.database.execute("alter table hidden rename to messages").await;
    let first: Value = alee.ok("message", send.clone()).await;
    assert_eq!(alee.ok("message", send).await, first);
    bob.hears("once").await;
    bob.heard_nothing(&mut alee).await;
}
