//! Reading, writing, and not wanting to be disturbed.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn reading_is_told_to_the_other_side_and_to_ones_devices() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut phone = server.modern_device(&bob).await;
    let mut old = server.newcomer("bob").await;
    old.sign_in().await;
    let seq = alee.says(bob.id, "hi").await;
    for device in [&mut alee, &mut bob, &mut phone] {
        device.next_message().await;
    }
    old.hears("hi").await;
    // Not past the last message, and never back.
    bob.ok("read", json!({"to": alee.id, "seq": seq + 100})).await;
    bob.ok("read", json!({"to": alee.id, "seq": 0})).await;
    bob.ok("read", json!({"to": alee.id, "seq": seq})).await;
    let mark = json!({"from": bob.id, "to": alee.id, "seq": seq});
    for device in [&mut alee, &mut bob, &mut phone] {
        assert_eq!(device.next("read").await, mark);
    }
    bob.noticed_nothing(&mut alee).await;
    old.hears("marker").await;

    let list = alee.ok("conversations", json!({})).await;
    assert_eq!(list["conversations"][0]["peerRead"], seq);
    let page = alee.ok("history", json!({"to": bob.id})).await;
    assert_eq!((&page["read"], &page["peerRead"]), (&json!(0), &json!(seq)));
    assert_eq!((&page["messages"][0]["read"], &page["messages"][1]["read"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn reading_in_a_room_is_ones_own_affair() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut phone = server.modern_device(&bob).await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.next("room.join").await;
    phone.next("room.join").await;
    alee.ok("room.message", json!({"room": room, "message": "hi"})).await;
    for device in [&mut alee, &mut bob, &mut phone] {
        device.next_message().await;
    }
    bob.ok("read", json!({"room": room, "seq": 1})).await;
    let mark = json!({"from": bob.id, "room": room, "seq": 1});
    for device in [&mut bob, &mut phone] {
        assert_eq!(device.next("read").await, mark);
    }
    alee.noticed_nothing(&mut bob).await;
    assert_eq!(alee.ok("history", json!({"room": room})).await["messages"][0]["read"], true);
}

#[tokio::test]
async fn what_old_clients_are_given_counts_as_read() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.person("bob").await;
    alee.says(bob.id, "hi").await;
    bob.hears("hi").await;
    bob.ok("signout", json!({})).await;
    assert_eq!(alee.ok("conversations", json!({})).await["conversations"][0]["peerRead"], 1);
    bob.sign_in_modern().await;
    assert_eq!(bob.ok("conversations", json!({})).await["conversations"][0]["unread"], 0);
}

#[tokio::test]
async fn typing_is_passed_on_and_not_kept() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut old = server.newcomer("bob").await;
    old.sign_in().await;
    for _ in 0..20 {
        alee.ok("typing", json!({"to": bob.id})).await;
    }
    assert_eq!(bob.next("typing").await, json!({"from": alee.id, "to": bob.id}));
    bob.noticed_nothing(&mut alee).await;
    old.hears("marker").await;
    alee.next_message().await;

    let room = alee.room("tea").await;
    assert_eq!(bob.code("typing", json!({"room": room})).await, 404);
    bob.join(room).await;
    alee.next("room.join").await;
    bob.ok("typing", json!({"room": room})).await;
    assert_eq!(alee.next("typing").await, json!({"from": bob.id, "room": room}));
    assert_eq!(alee.ok("history", json!({"room": room})).await["messages"], json!([]));
}

#[tokio::test]
async fn a_quiet_conversation_is_quiet_on_all_devices() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut phone = server.modern_device(&alee).await;
    alee.ok("mute", json!({"to": bob.id, "on": true})).await;
    for device in [&mut alee, &mut phone] {
        assert_eq!(device.next("conversation").await, json!({"to": bob.id, "mute": true}));
    }
    bob.says(alee.id, "hi").await;
    assert_eq!(phone.ok("conversations", json!({})).await["conversations"][0]["mute"], true);
    assert_eq!(bob.ok("conversations", json!({})).await["conversations"][0]["mute"], false);
    alee.ok("mute", json!({"to": bob.id, "on": 0})).await;
    assert_eq!(alee.ok("conversations", json!({"to": bob.id})).await["conversations"][0]["mute"], false);
}

#[tokio::test]
async fn bad_requests_are_told_so() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let room = bob.room("tea").await;
    for command in ["read", "typing", "mute"] {
        for (data, code) in [
            (json!({}), 400),
            (json!({"to": null}), 400),
            (json!({"to": 4711}), 404),
            (json!({"to": "x"}), 404),
            (json!({"room": 4711}), 404),
            (json!({"room": room}), 404),
        ] {
            let mut data = data;
            data["seq"] = json!(1);
            assert_eq!(alee.code(command, data.clone()).await, code, "{command} {data}");
        }
        let mut nobody = server.connect().await;
        assert_eq!(nobody.code(command, json!({"to": bob.id, "seq": 1})).await, 403);
    }
    assert_eq!(alee.code("read", json!({"to": bob.id})).await, 400);
    assert_eq!(alee.code("read", json!({"to": bob.id, "seq": "x"})).await, 400);
    // Nothing was said yet, so there is nothing to read.
    alee.ok("read", json!({"to": bob.id, "seq": 1})).await;
}
