//! `requests`, `users`, and the events `friends` and `profile`.

use serde_json::{Value, json};

use crate::support::{Client, Server, befriend, each};

fn person(client: &Client, presence: &str) -> Value {
    json!({"id": client.id, "username": client.username, "presence": presence})
}

#[tokio::test]
async fn requests_wait_on_both_sides_until_they_are_answered() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.person("bob").await);
    let (mut carol, mut dave) = (server.person("carol").await, server.person("dave").await);
    assert_eq!(alee.ok("requests", json!({})).await, json!({"code": 200, "incoming": [], "outgoing": []}));
    bob.ok("subscribe", json!({"to": alee.id, "message": "<b>hi</b><script>x</script>"})).await;
    let asked = alee.next_message().await;
    carol.ok("subscribe", json!({"to": alee.id})).await;
    alee.ok("subscribe", json!({"to": dave.id, "message": "a < b"})).await;

    let requests = alee.ok("requests", json!({})).await;
    let mut incoming = requests["incoming"].as_array().unwrap().clone();
    incoming.sort_by_key(|request| request["user"]["id"].as_i64());
    assert_eq!(incoming[0], json!({"user": person(&bob, "在线"), "text": "<b>hi</b>", "time": asked["time"]}));
    assert_eq!((&incoming[1]["user"]["id"], &incoming[1]["text"]), (&json!(carol.id), &json!("")));
    assert_eq!(each(&requests["outgoing"], "text"), ["a &lt; b"]);
    assert_eq!(requests["outgoing"][0]["user"], person(&dave, "在线"));
    let seen = dave.ok("requests", json!({})).await;
    assert_eq!(seen["incoming"][0]["user"], person(&alee, "在线"));
    assert_eq!(seen["outgoing"], json!([]));

    alee.ok("reply", json!({"to": bob.id})).await;
    alee.ok("reply", json!({"to": carol.id, "refuse": 1})).await;
    alee.ok("unsubscribe", json!({"to": dave.id})).await;
    for client in [&mut alee, &mut bob, &mut carol, &mut dave] {
        assert_eq!(client.ok("requests", json!({})).await, json!({"code": 200, "incoming": [], "outgoing": []}));
    }
}

#[tokio::test]
async fn requests_of_people_whom_one_has_blocked_are_not_shown() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.person("bob").await);
    bob.ok("subscribe", json!({"to": alee.id})).await;
    alee.ok("block", json!({"user": bob.id})).await;
    assert_eq!(alee.ok("requests", json!({})).await["incoming"], json!([]));
    // He cannot tell.
    assert_eq!(each(&bob.ok("requests", json!({})).await["outgoing"], "text"), [""]);
    alee.ok("unblock", json!({"user": bob.id})).await;
    assert_eq!(each(&alee.ok("requests", json!({})).await["incoming"], "text"), [""]);
}

#[tokio::test]
async fn people_are_looked_up_by_id() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.person("bob").await);
    bob.ok("presence", json!({"presence": "隐身"})).await;
    let ids = json!([bob.id, alee.id.to_string(), bob.id, 4711, "abc", null, -1, 1.5, {}]);
    let reply = alee.ok("users", json!({"ids": ids})).await;
    assert_eq!(reply, json!({"code": 200, "users": [person(&alee, "在线"), person(&bob, "离线")]}));
    assert_eq!(bob.ok("users", json!({"ids": []})).await["users"], json!([]));
    assert_eq!(alee.ok("users", json!({"ids": vec![bob.id; 200]})).await["users"].as_array().unwrap().len(), 1);
    for ids in [json!(null), json!(bob.id), json!("2"), json!({"0": 2}), json!(vec![bob.id; 201])] {
        assert_eq!(alee.code("users", json!({"ids": ids})).await, 400);
    }
    assert_eq!(alee.code("users", json!({})).await, 400);
}

#[tokio::test]
async fn a_new_face_is_told_to_friends_and_to_ones_own_devices() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let (mut carol, mut eve) = (server.modern("carol").await, server.person("eve").await);
    let mut phone = server.modern_device(&alee).await;
    let mut old = server.newcomer("bob").await;
    old.sign_in().await;
    carol.ok("subscribe", json!({"to": alee.id})).await;
    carol.next_message().await;
    for device in [&mut alee, &mut phone] {
        device.next_message().await;
    }
    bob.ok("subscribe", json!({"to": alee.id})).await;
    bob.next_message().await;
    for device in [&mut alee, &mut phone] {
        device.next_message().await;
    }
    alee.ok("reply", json!({"to": bob.id})).await;
    for device in [&mut alee, &mut phone, &mut bob] {
        device.next_message().await;
    }
    old.next("message").await;

    alee.ok("profile", json!({"doc": {"nick": "阿李", "groups": [{"name": "家人"}]}})).await;
    let mut face = person(&alee, "在线");
    face["nick"] = json!("阿李");
    for device in [&mut alee, &mut phone, &mut bob] {
        assert_eq!(device.next("profile").await, json!({"user": face}));
    }
    // Nothing that others see: the same once more, what is private, what is secret.
    for doc in [
        json!({"nick": "阿李"}),
        json!({"groups": [{"name": "同学"}]}),
        json!({"question": "pet?", "answer": "tom"}),
        json!({}),
    ] {
        alee.ok("profile", json!({"doc": doc})).await;
    }
    for to in [alee.id, bob.id, carol.id] {
        eve.say(to, "marker").await;
    }
    for device in [&mut alee, &mut phone, &mut bob, &mut carol] {
        assert_eq!(device.next_message().await["text"], "marker");
    }
    old.hears("marker").await;
}

#[tokio::test]
async fn changes_of_ones_list_are_told_to_ones_own_devices() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.person("bob").await);
    let mut eve = server.person("eve").await;
    let mut phone = server.modern_device(&alee).await;
    let mut old = server.newcomer("alee").await;
    old.sign_in().await;
    befriend(&mut bob, &mut old).await;
    for device in [&mut alee, &mut phone] {
        assert_eq!(device.next_message().await["type"], "friend-request");
        assert_eq!(device.next_message().await["type"], "friend-agreed");
    }
    assert_eq!(old.code("group", json!({"to": eve.id, "group": "家人"})).await, 404);
    old.ok("group", json!({"to": bob.id, "group": "家人"})).await;
    phone.ok("unsubscribe", json!({"to": bob.id})).await;
    // There is nothing to remove any more.
    phone.ok("unsubscribe", json!({"to": bob.id})).await;
    for device in [&mut alee, &mut phone] {
        assert_eq!(device.next("friends").await, json!({}));
        assert_eq!(device.next("friends").await, json!({}));
    }
    eve.say(alee.id, "marker").await;
    for device in [&mut alee, &mut phone] {
        assert_eq!(device.next_message().await["text"], "marker");
    }
    old.hears("marker").await;
    bob.heard_nothing(&mut eve).await;
}
