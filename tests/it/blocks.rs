//! `block`, `unblock`, `blocks`: who is blocked cannot reach one, nor see whether one is here.

use serde_json::{Value, json};

use crate::support::{Client, Server, befriend, each};

/// Alee blocks, bob is blocked, eve is neither.
async fn three() -> (Server, Client, Client, Client) {
    let server = Server::start().await;
    let alee = server.modern("alee").await;
    let bob = server.person("bob").await;
    let eve = server.person("eve").await;
    (server, alee, bob, eve)
}

/// Alee has blocked bob, who has her as a friend, and has seen her go.
async fn blocked_friend() -> (Server, Client, Client, Client) {
    let (server, mut alee, mut bob, eve) = three().await;
    become_friends(&mut bob, &mut alee).await;
    alee.ok("block", json!({"user": bob.id})).await;
    alee.next("friends").await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "离线"}));
    (server, alee, bob, eve)
}

/// An old client's user asks a modern one's.
async fn become_friends(old: &mut Client, modern: &mut Client) {
    befriend(old, modern).await;
    // What one has said oneself.
    modern.next("message").await;
}

fn refusal(reply: &Value) -> (u64, &str) {
    (reply["code"].as_u64().unwrap(), reply["reason"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn who_is_blocked_cannot_write() {
    let (_server, mut alee, mut bob, mut eve) = three().await;
    bob.ok("message", json!({"to": alee.id, "message": "before", "cid": "1"})).await;
    alee.next_message().await;
    assert_eq!(alee.ok("block", json!({"user": bob.id.to_string()})).await, json!({"code": 200}));
    assert_eq!(alee.next("friends").await, json!({}));
    for (command, payload) in [
        ("message", json!({"to": alee.id, "message": "x"})),
        ("subscribe", json!({"to": alee.id})),
        ("edit", json!({"to": alee.id, "seq": 1, "message": "x"})),
    ] {
        assert_eq!(refusal(&bob.ack(command, payload).await), (403, "blocked"), "{command}");
    }
    // In the envelope of 2013 too.
    let refused = bob.command(json!(1), "message", json!({"to": alee.id, "message": "x"})).await;
    assert_eq!(refusal(&refused), (403, "blocked"));
    alee.noticed_nothing(&mut eve).await;
    // What was said may be taken back, and the one who blocks may speak.
    bob.ok("recall", json!({"to": alee.id, "seq": 1})).await;
    alee.next_message().await;
    alee.says(bob.id, "you are blocked").await;
    alee.next_message().await;
    bob.hears("you are blocked").await;

    alee.ok("unblock", json!({"user": bob.id})).await;
    alee.next("friends").await;
    bob.say(alee.id, "after").await;
    assert_eq!(alee.next_message().await["text"], "after");
    bob.ok("subscribe", json!({"to": alee.id})).await;
    assert_eq!(alee.next_message().await["type"], "friend-request");
}

#[tokio::test]
async fn a_block_needs_somebody_else_who_exists() {
    let (_server, mut alee, _bob, mut eve) = three().await;
    for command in ["block", "unblock"] {
        for (user, code) in [
            (json!(null), 400),
            (json!(""), 400),
            (json!(4711), 404),
            (json!("abc"), 404),
            (json!(0), 404),
            (json!(-1), 404),
            (json!(1.5), 404),
            (json!({"$gt": 0}), 404),
            (json!([2]), 404),
        ] {
            assert_eq!(alee.code(command, json!({"user": user})).await, code, "{command} {user}");
        }
        assert_eq!(alee.code(command, json!({})).await, 400);
    }
    assert_eq!(alee.code("block", json!({"user": alee.id})).await, 400);
    assert_eq!(alee.ok("blocks", json!({})).await, json!({"code": 200, "users": []}));
    alee.noticed_nothing(&mut eve).await;
}

#[tokio::test]
async fn blocks_are_kept_once_and_told_to_ones_own_devices_alone() {
    let (server, mut alee, mut bob, mut eve) = three().await;
    let mut phone = server.modern_device(&alee).await;
    let mut old = server.newcomer("alee").await;
    old.sign_in().await;
    for user in [eve.id, bob.id, bob.id] {
        alee.ok("block", json!({"user": user})).await;
    }
    alee.ok("unblock", json!({"user": eve.id})).await;
    alee.ok("unblock", json!({"user": eve.id})).await;
    for device in [&mut alee, &mut phone] {
        for _ in 0..3 {
            assert_eq!(device.next("friends").await, json!({}));
        }
    }
    eve.say(alee.id, "marker").await;
    for device in [&mut alee, &mut phone] {
        assert_eq!(device.next_message().await["text"], "marker");
    }
    old.hears("marker").await;
    bob.heard_nothing(&mut eve).await;
    let users = alee.ok("blocks", json!({})).await["users"].take();
    assert_eq!(users, json!([{"id": bob.id, "username": "bob", "presence": "在线"}]));
    assert_eq!(alee.ok("conversations", json!({"to": bob.id})).await["conversations"][0]["blocked"], true);

    drop((alee, phone, old, bob, eve));
    let server = server.restart().await;
    let mut bob = server.device("bob").await;
    assert_eq!(refusal(&bob.ack("message", json!({"to": 1, "message": "x"})).await), (403, "blocked"));
}

#[tokio::test]
async fn a_list_of_blocks_has_an_end() {
    let server = Server::with(|config| config.friends_max = 2).await;
    let mut alee = server.modern("alee").await;
    let mut others = Vec::new();
    for name in ["bob", "carol", "dave"] {
        others.push(server.person(name).await.id);
    }
    for user in &others[..2] {
        alee.ok("block", json!({"user": user})).await;
    }
    assert_eq!(refusal(&alee.ack("block", json!({"user": others[2]})).await), (403, "list_full"));
    alee.ok("block", json!({"user": others[1]})).await;
    assert_eq!(each(&alee.ok("blocks", json!({})).await["users"], "id"), [others[0], others[1]]);
}

#[tokio::test]
async fn who_is_blocked_sees_one_go_and_nothing_after_it() {
    let (_server, mut alee, mut bob, mut eve) = blocked_friend().await;
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    alee.ok("profile", json!({"doc": {"nick": "阿李"}})).await;
    alee.next("profile").await;
    bob.heard_nothing(&mut eve).await;
    // The other direction stays: she has him as a friend as well.
    bob.ok("presence", json!({"presence": "离开"})).await;
    assert_eq!(alee.next("presence").await, json!({"id": bob.id, "presence": "离开"}));

    alee.ok("unblock", json!({"user": bob.id})).await;
    alee.next("friends").await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "忙碌"}));
    alee.ok("presence", json!({"presence": "在线"})).await;
    assert_eq!(bob.next("presence").await["presence"], "在线");
}

#[tokio::test]
async fn a_block_holds_after_a_sign_in_of_either_side() {
    let (_server, mut alee, mut bob, mut eve) = blocked_friend().await;
    bob.ok("signout", json!({})).await;
    alee.next("presence").await;
    bob.sign_in().await;
    alee.next("presence").await;
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    alee.ok("signout", json!({})).await;
    alee.sign_in_modern().await;
    bob.heard_nothing(&mut eve).await;
    alee.ok("unblock", json!({"user": bob.id})).await;
    assert_eq!(bob.next("presence").await["presence"], "在线");
}

#[tokio::test]
async fn who_hides_or_is_not_watched_is_not_seen_to_go() {
    let (_server, mut alee, mut bob, mut eve) = three().await;
    // Bob does not have her as a friend.
    alee.ok("block", json!({"user": bob.id})).await;
    alee.ok("unblock", json!({"user": bob.id})).await;
    alee.next("friends").await;
    alee.next("friends").await;
    become_friends(&mut bob, &mut alee).await;
    alee.ok("presence", json!({"presence": "隐身"})).await;
    assert_eq!(bob.next("presence").await["presence"], "离线");
    alee.ok("block", json!({"user": bob.id})).await;
    alee.ok("unblock", json!({"user": bob.id})).await;
    bob.heard_nothing(&mut eve).await;
    alee.ok("presence", json!({"presence": "在线"})).await;
    assert_eq!(bob.next("presence").await["presence"], "在线");
}

#[tokio::test]
async fn a_friend_made_while_blocked_sees_nothing_either() {
    let (_server, mut alee, mut bob, mut eve) = three().await;
    bob.ok("subscribe", json!({"to": alee.id})).await;
    alee.next_message().await;
    alee.ok("block", json!({"user": bob.id})).await;
    alee.ok("reply", json!({"to": bob.id})).await;
    bob.next("message").await;
    // What the message told is put right.
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "离线"}));
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    bob.heard_nothing(&mut eve).await;
    assert_eq!(bob.ok("friends", json!({})).await["list"][0]["presence"], "离线");
}

#[tokio::test]
async fn an_answer_to_somebody_who_blocks_reaches_nobody() {
    let (_server, mut alee, mut bob, mut eve) = three().await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    alee.next_message().await;
    bob.next("message").await;
    alee.ok("block", json!({"user": bob.id})).await;
    alee.next("friends").await;
    assert_eq!(refusal(&bob.ack("reply", json!({"to": alee.id})).await), (403, "blocked"));
    assert_eq!(each(&bob.ok("requests", json!({})).await["incoming"], "text"), [""]);
    bob.ok("reply", json!({"to": alee.id, "refuse": 1})).await;
    assert_eq!(bob.ok("requests", json!({})).await["incoming"], json!([]));
    alee.noticed_nothing(&mut eve).await;
}

/// Wherever people are listed for one in particular.
#[tokio::test]
async fn who_is_blocked_finds_one_away_in_every_list() {
    let (server, mut alee, mut bob, mut eve) = three().await;
    become_friends(&mut bob, &mut alee).await;
    let mut carol = server.person("carol").await;
    carol.ok("subscribe", json!({"to": bob.id})).await;
    bob.next("message").await;
    bob.say(alee.id, "hi").await;
    alee.next_message().await;
    alee.says(bob.id, "hi").await;
    alee.next_message().await;
    bob.hears("hi").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    carol.ok("block", json!({"user": bob.id})).await;
    alee.ok("block", json!({"user": bob.id})).await;
    assert_eq!(bob.next("presence").await["presence"], "离线");

    // How bob and eve, who is not blocked, see her.
    let (me, her) = (bob.id, alee.id);
    eve.join(room).await;
    bob.next("room.join").await;
    for (viewer, presence) in [(&mut bob, "离线"), (&mut eve, "在线")] {
        let seen = async |viewer: &mut Client, command: &str, payload: Value, path: &str| {
            let reply = viewer.ok(command, payload).await;
            reply.pointer(path).unwrap_or_else(|| panic!("no {path} in {reply}")).clone()
        };
        let by_id = json!({"id": her});
        assert_eq!(seen(viewer, "find", by_id.clone(), "/users/0/presence").await, presence);
        assert_eq!(seen(viewer, "users", json!({"ids": [her]}), "/users/0/presence").await, presence);
        assert_eq!(seen(viewer, "room.members", json!({"room": room}), "/members/0/user/presence").await, presence);
        assert_eq!(seen(viewer, "conversations", json!({"to": her}), "/conversations/0/user/presence").await, presence);
        let list = if presence == "离线" { "/offlines/0/id" } else { "/onlines/0/id" };
        assert_eq!(seen(viewer, "room.list", json!({"id": room}), list).await, her);
        if viewer.id == me {
            assert_eq!(seen(viewer, "friends", by_id, "/list/0/presence").await, presence);
            let users = format!("/users/{her}/presence");
            assert_eq!(seen(viewer, "history", json!({"to": her}), &users).await, presence);
            assert_eq!(seen(viewer, "requests", json!({}), "/incoming/0/user/presence").await, presence);
            viewer.ok("block", json!({"user": her})).await;
            assert_eq!(seen(viewer, "blocks", json!({}), "/users/0/presence").await, presence);
        }
    }
}

#[tokio::test]
async fn who_is_blocked_is_not_seen_writing_or_reading() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let seq = alee.says(bob.id, "hi").await;
    alee.next_message().await;
    bob.next_message().await;
    alee.ok("block", json!({"user": bob.id})).await;
    alee.next("friends").await;
    bob.ok("typing", json!({"to": alee.id})).await;
    bob.ok("read", json!({"to": alee.id, "seq": seq})).await;
    alee.says(bob.id, "still here").await;
    assert_eq!(alee.next_message().await["text"], "still here");
}
