//! Who is here and what others see of it, and the order of what a sign-in causes.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Server, befriend};

/// Two friends.
async fn friends() -> (Server, Client, Client) {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    befriend(&mut alee, &mut bob).await;
    (server, alee, bob)
}

/// What `client` sees of their only friend.
async fn seen_by(client: &mut Client) -> Value {
    client.ok("friends", json!({})).await["list"][0]["presence"].take()
}

async fn sign_in_as(client: &mut Client, presence: &str) -> Value {
    let claim = json!({"username": client.username, "password": PASSWORD, "presence": presence});
    client.ok("signin", claim).await
}

#[tokio::test]
async fn friends_hear_of_coming_and_going() {
    let (server, mut alee, mut bob) = friends().await;
    alee.ok("signout", json!({})).await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "离线"}));
    assert_eq!(seen_by(&mut bob).await, "离线");
    assert_eq!(alee.sign_in().await["doc"]["presence"], "在线");
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "在线"}));
    assert_eq!(seen_by(&mut bob).await, "在线");
    // The end of the connection is a going, too, with and without a goodbye.
    let id = alee.id;
    alee.close().await;
    assert_eq!(bob.next("presence").await, json!({"id": id, "presence": "离线"}));
    let alee = server.device("alee").await;
    assert_eq!(bob.next("presence").await["presence"], "在线");
    drop(alee);
    assert_eq!(bob.next("presence").await, json!({"id": id, "presence": "离线"}));
}

#[tokio::test]
async fn any_text_is_passed_on_even_if_it_is_no_news() {
    let (_server, mut alee, mut bob) = friends().await;
    let longest = "字".repeat(32);
    for presence in ["忙碌", "马上回来", "离开", "通话中", "外出就餐", "我很忙", "在线", "在线", "<b>", &longest]
    {
        assert_eq!(alee.ok("presence", json!({"presence": presence})).await, json!({"code": 200}));
        assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": presence}));
        assert_eq!(seen_by(&mut bob).await, presence);
    }
    // The owner hears nothing of it.
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn a_presence_is_a_text_of_32_characters_at_most() {
    let (_server, mut alee, mut bob) = friends().await;
    for payload in [
        json!({}),
        json!({"presence": null}),
        json!({"presence": 1}),
        json!({"presence": true}),
        json!({"presence": ["忙碌"]}),
        json!({"presence": {"$gt": ""}}),
        json!({"presence": "字".repeat(33)}),
    ] {
        assert_eq!(alee.code("presence", payload.clone()).await, 403, "{payload}");
    }
    bob.heard_nothing(&mut alee).await;
    assert_eq!(seen_by(&mut bob).await, "在线");
}

#[tokio::test]
async fn who_hides_seems_to_have_gone() {
    let (_server, mut alee, mut bob) = friends().await;
    alee.ok("presence", json!({"presence": "隐身"})).await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "离线"}));
    // Once only.
    alee.ok("presence", json!({"presence": "隐身"})).await;
    bob.heard_nothing(&mut alee).await;
    assert_eq!(seen_by(&mut bob).await, "离线");
    assert_eq!(bob.ok("find", json!({"id": alee.id})).await["users"][0]["presence"], "离线");
    // They hear everything and can speak; what they say does not give them away.
    bob.say(alee.id, "are you there?").await;
    alee.hears("are you there?").await;
    alee.say(bob.id, "no").await;
    assert_eq!(bob.hears("no").await["from"]["presence"], "离线");
    // And they come back as they like.
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "忙碌"}));
}

#[tokio::test]
async fn who_goes_from_hiding_is_not_seen_to_go() {
    let (server, mut alee, mut bob) = friends().await;
    alee.ok("presence", json!({"presence": "隐身"})).await;
    bob.next("presence").await;
    alee.ok("signout", json!({})).await;
    let mut carol = server.person("carol").await;
    bob.heard_nothing(&mut carol).await;
    // The next time starts in the open, presences are not kept.
    assert_eq!(alee.sign_in().await["doc"]["presence"], "在线");
    assert_eq!(bob.next("presence").await["presence"], "在线");
    alee.ok("presence", json!({"presence": "隐身"})).await;
    bob.next("presence").await;
    alee.close().await;
    bob.heard_nothing(&mut carol).await;
}

#[tokio::test]
async fn who_wants_to_come_hidden_can() {
    let (_server, mut alee, mut bob) = friends().await;
    let room = bob.room("tea").await;
    alee.join(room).await;
    bob.next("room.join").await;
    alee.ok("signout", json!({})).await;
    bob.next("presence").await;
    let reply = sign_in_as(&mut alee, "隐身").await;
    assert_eq!(reply["doc"]["presence"], "隐身", "the owner sees it");
    let joined = alee.next("room.join").await;
    assert_eq!((&joined["user"]["presence"], &joined["newbie"]), (&json!("离线"), &json!(false)));
    bob.heard_nothing(&mut alee).await;
    let members = bob.ok("room.list", json!({"id": room})).await;
    assert_eq!((&members["offlines"][0]["id"], members["onlines"].as_array().unwrap().len()), (&json!(alee.id), 1));
    alee.ok("signout", json!({})).await;
    sign_in_as(&mut alee, "忙碌").await;
    let joined = bob.next("room.join").await;
    assert_eq!(joined["user"]["presence"], "忙碌");
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "忙碌"}));
}

#[tokio::test]
async fn only_those_hear_of_it_who_have_one_as_a_friend() {
    let (server, mut alee, mut bob) = friends().await;
    let mut carol = server.person("carol").await;
    let mut dave = server.person("dave").await;
    // Carol has only asked, dave was only asked.
    carol.ok("subscribe", json!({"to": alee.id})).await;
    alee.next("message").await;
    alee.ok("subscribe", json!({"to": dave.id})).await;
    dave.next("message").await;
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(bob.next("presence").await["presence"], "忙碌");
    carol.heard_nothing(&mut alee).await;
    dave.heard_nothing(&mut alee).await;
    // As soon as it is accepted they do.
    alee.ok("reply", json!({"to": carol.id})).await;
    assert_eq!(carol.next("message").await["type"], "agree");
    alee.ok("presence", json!({"presence": "离开"})).await;
    assert_eq!(carol.next("presence").await["presence"], "离开");
    carol.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(alee.next("presence").await["id"], carol.id);
}

#[tokio::test]
async fn a_friendship_of_one_direction_carries_presence_in_one() {
    let (server, mut alee, mut bob) = friends().await;
    alee.ok("unsubscribe", json!({"to": bob.id})).await;
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "忙碌"}));
    bob.ok("presence", json!({"presence": "离开"})).await;
    alee.heard_nothing(&mut bob).await;
    // After a new sign-in too.
    let mut alee = server.device("alee").await;
    bob.ok("presence", json!({"presence": "在线"})).await;
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn a_further_connection_changes_nothing_for_others() {
    let (server, mut alee, mut bob) = friends().await;
    let room = bob.room("tea").await;
    alee.join(room).await;
    bob.next("room.join").await;
    for (presence, heard) in [("忙碌", "忙碌"), ("隐身", "离线")] {
        alee.ok("presence", json!({"presence": presence})).await;
        assert_eq!(bob.next("presence").await["presence"], heard);
        let mut phone = server.newcomer("alee").await;
        assert_eq!(phone.sign_in().await["doc"]["presence"], presence);
        phone.heard_nothing(&mut bob).await;
        alee.hears("marker from bob").await;
        // Its end is not the user's end.
        phone.ok("signout", json!({})).await;
        bob.heard_nothing(&mut alee).await;
        let mut tablet = server.newcomer("alee").await;
        assert_eq!(tablet.sign_in().await["doc"]["presence"], presence);
        tablet.close().await;
        bob.heard_nothing(&mut alee).await;
        assert_eq!(seen_by(&mut bob).await, heard);
    }
}

#[tokio::test]
async fn the_last_value_wins_and_the_last_connection_ends_it() {
    let (server, mut desk, mut bob) = friends().await;
    let mut phone = server.device("alee").await;
    desk.ok("presence", json!({"presence": "忙碌"})).await;
    phone.ok("presence", json!({"presence": "离开"})).await;
    assert_eq!(bob.next("presence").await["presence"], "忙碌");
    assert_eq!(bob.next("presence").await["presence"], "离开");
    assert_eq!(seen_by(&mut bob).await, "离开");
    // The first connection goes, the second one is still reached.
    desk.close().await;
    bob.say(phone.id, "hi").await;
    phone.hears("hi").await;
    bob.heard_nothing(&mut phone).await;
    phone.close().await;
    assert_eq!(bob.next("presence").await["presence"], "离线");
}

/// Three devices come and go at once: the last thing that a friend hears is what is true.
#[tokio::test]
async fn what_was_heard_last_is_so() {
    let (server, mut alee, mut bob) = friends().await;
    alee.ok("signout", json!({})).await;
    let mut devices = vec![alee];
    for _ in 0..2 {
        devices.push(server.newcomer("alee").await);
    }
    for round in 0..10 {
        let stays = round % 2 == 0;
        let work = devices.iter_mut().enumerate().map(|(n, device)| async move {
            for step in 0..n + 3 {
                device.sign_in().await;
                device.ok("presence", json!({"presence": format!("{n} {step}")})).await;
                if !(stays && n == 0 && step == 2) {
                    device.ok("signout", json!({})).await;
                }
            }
        });
        futures_util::future::join_all(work).await;
        let truth = seen_by(&mut bob).await;
        assert_eq!(truth == "离线", !stays, "{truth}");
        let mut last = Value::Null;
        while last != truth {
            last = bob.next("presence").await["presence"].take();
        }
        // That was the last one, and not one that looked the same.
        assert_eq!(seen_by(&mut bob).await, truth);
        let heard: Vec<_> = bob.pending().map(|(_, data)| data["presence"].clone()).collect();
        assert!(heard.last().is_none_or(|heard| *heard == truth), "{heard:?}");
        for _ in 0..heard.len() {
            bob.next("presence").await;
        }
        if stays {
            devices[0].ok("signout", json!({})).await;
            assert_eq!(bob.next("presence").await["presence"], "离线");
        }
    }
}

/// Reply, then the rooms, then the friends, then what was missed.
#[tokio::test]
async fn the_effects_of_a_signin_come_in_their_order() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    befriend(&mut alee, &mut bob).await;
    let tea = bob.room("tea").await;
    let mah = bob.room("mah-jong").await;
    for room in [tea, mah] {
        alee.join(room).await;
        bob.next("room.join").await;
    }
    alee.ok("signout", json!({})).await;
    bob.next("presence").await;
    bob.say(alee.id, "one").await;
    bob.ok("room.message", json!({"room": tea, "message": "two"})).await;
    bob.hears("two").await;

    // Without an acknowledgement the reply is an event among the others.
    alee.emit("signin", json!({"id": 7, "data": {"username": "alee", "password": PASSWORD}})).await;
    let reply = alee.rspn(&json!(7), "signin").await;
    assert_eq!(reply["rooms"].as_array().unwrap().len(), 2);
    for client in [&mut alee, &mut bob] {
        for room in [tea, mah] {
            let joined = client.next("room.join").await;
            assert_eq!((&joined["room"]["id"], &joined["newbie"]), (&json!(room), &json!(false)));
            assert_eq!(joined["user"], json!({"id": reply["doc"]["id"], "username": "alee", "presence": "在线"}));
        }
    }
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "在线"}));
    alee.hears("one").await;
    alee.hears("two").await;
    alee.heard_nothing(&mut bob).await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn the_end_of_the_server_is_the_end_of_presence() {
    let (server, mut alee, bob) = friends().await;
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    alee.close().await;
    bob.close().await;
    let server = server.restart().await;
    let mut bob = server.device("bob").await;
    assert_eq!(seen_by(&mut bob).await, "离线");
    let mut alee = server.newcomer("alee").await;
    assert_eq!(alee.sign_in().await["doc"]["presence"], "在线");
    assert_eq!(bob.next("presence").await["presence"], "在线");
}
