//! Free attributes: stored as they are, who sees them, and how much of them there may be.

use serde_json::{Map, Value, json};

use crate::support::{PASSWORD, Server};

#[tokio::test]
async fn any_json_is_stored_as_it_is() {
    let server = Server::start().await;
    let attributes = json!({
        "sex": "2", "age": 30, "height": 1.75, "vip": true, "none": null, "tags": ["a", [1, {"b": null}], []],
        "deep": {"a": {"b": {"c": [1]}}}, "text": "你好 😀 \"'<b>&\\\n\u{2028}", "nul": "a\u{0}b", "big": 9_007_199_254_740_991_i64,
        "constructor": {"prototype": 1}, "toString": "x", "字段": "值", "with space": 1
    });
    let mut account = attributes.clone();
    account["username"] = json!("alee");
    account["password"] = json!(PASSWORD);
    let mut client = server.connect().await;
    client.ok("signup", account).await;
    let mut alee = server.newcomer("alee").await;
    let doc = alee.sign_in().await["doc"].take();
    for (name, value) in attributes.as_object().unwrap() {
        assert_eq!(&doc[name], value, "{name}");
    }
    let mut bob = server.person("bob").await;
    let seen = bob.ok("find", json!({"username": "alee"})).await["users"][0].take();
    for (name, value) in attributes.as_object().unwrap() {
        assert_eq!(&seen[name], value, "{name}");
    }
    // The same by way of the profile.
    bob.ok("profile", json!({"doc": attributes})).await;
    let seen = alee.ok("find", json!({"username": "bob"})).await["users"][0].take();
    for (name, value) in attributes.as_object().unwrap() {
        assert_eq!(&seen[name], value, "{name}");
    }
}

#[tokio::test]
async fn reserved_names_are_dropped_at_signup() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let account = json!({
        "username": "alee", "password": PASSWORD, "id": 4711, "_id": "x", "presence": "隐身", "group": "g", "code": 500,
        "$where": "1", "_secret": 1, "a.b": 1, "a\u{0}b": 1, "__proto__": {"admin": true}
    });
    let id = client.ok("signup", account).await["id"].clone();
    assert_ne!(id, 4711);
    let doc = server.newcomer("alee").await.sign_in().await["doc"].take();
    assert_eq!(doc, json!({"id": id, "username": "alee", "code": 500, "presence": "在线"}));
}

#[tokio::test]
async fn private_ones_are_for_their_owner() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let account = json!({
        "username": "alee", "password": PASSWORD, "question": "pet?", "answer": "rex", "groups": [{"name": "g"}]
    });
    client.ok("signup", account).await;
    let mut alee = server.newcomer("alee").await;
    let doc = alee.sign_in().await["doc"].take();
    assert_eq!((&doc["question"], &doc["groups"]), (&json!("pet?"), &json!([{"name": "g"}])));
    assert_eq!((doc.get("answer"), doc.get("password")), (None, None));

    // Everywhere where others see a person.
    let public = json!({"id": alee.id, "username": "alee", "presence": "在线"});
    let mut bob = server.person("bob").await;
    alee.say(bob.id, "x").await;
    assert_eq!(bob.hears("x").await["from"], public);
    alee.ok("subscribe", json!({"to": bob.id})).await;
    assert_eq!(bob.next("message").await["from"], public);
    bob.ok("reply", json!({"to": alee.id})).await;
    assert_eq!(bob.ok("friends", json!({})).await["list"], json!([public]));
    assert_eq!(bob.ok("find", json!({"id": alee.id})).await["users"], json!([public]));
    let room = bob.room("tea").await;
    alee.next("message").await;
    alee.join(room).await;
    assert_eq!(bob.next("room.join").await["user"], public);
    assert_eq!(bob.ok("room.list", json!({"id": room})).await["onlines"][0], public);
    let created = alee.ok("room.create", json!({"name": "own"})).await;
    assert_eq!(created["room"]["users"][alee.id.to_string()], public);
    alee.ok("room.leave", json!({"id": room})).await;
    assert_eq!(bob.next("room.leave").await["user"], public);
}

#[tokio::test]
async fn there_are_limits_and_past_them_nothing_changes() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), json!(n))).collect::<Map<_, _>>();
    let long_name = |bytes: usize| Map::from_iter([("k".repeat(bytes), json!(1))]);
    // {"k":"xxx"}: eight bytes around the text.
    let large = |bytes: usize| Map::from_iter([("k".to_owned(), json!("x".repeat(bytes - 8)))]);
    for (attributes, good) in [
        (many(65), false),
        (long_name(65), false),
        (large(32 * 1024 + 1), false),
        (long_name(64), true),
        (large(32 * 1024 - 100), true),
    ] {
        let before = server.newcomer("alee").await.sign_in().await["doc"].clone();
        let expected = if good { 200 } else { 403 };
        assert_eq!(alee.code("profile", json!({"doc": attributes})).await, expected);
        let after = server.newcomer("alee").await.sign_in().await["doc"].clone();
        assert_eq!(before == after, !good);

        let mut account = Value::Object(attributes);
        account["username"] = json!("bob");
        account["password"] = json!(PASSWORD);
        if !good {
            assert_eq!(alee.code("signup", account).await, 403);
            assert_eq!(alee.ok("find", json!({"username": "bob"})).await["users"], json!([]));
        }
    }
    let mut bob = server.person("bob").await;
    bob.ok("profile", json!({"doc": many(64)})).await;
    assert_eq!(bob.code("profile", json!({"doc": {"one": "more"}})).await, 403);
    bob.ok("profile", json!({"doc": {"k0": "another value"}})).await;
}

#[tokio::test]
async fn an_oversized_change_does_not_take_its_password_along() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let doc = json!({"password": "222222", "question": "q", "answer": "a", "k": "x".repeat(40_000)});
    assert_eq!(alee.code("profile", json!({"doc": doc})).await, 403);
    // The old password holds, and there is no question.
    let doc = server.newcomer("alee").await.sign_in().await["doc"].take();
    assert_eq!(doc.get("question"), None);
}
