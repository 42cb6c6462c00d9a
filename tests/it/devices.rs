//! Two people with two devices each: which device gets which event.

use serde_json::json;

use crate::support::{Client, Server, befriend};

struct Devices {
    server: Server,
    /// Alee's.
    desk: Client,
    phone: Client,
    /// Bob's.
    laptop: Client,
    tablet: Client,
}

async fn devices() -> Devices {
    let server = Server::start().await;
    let desk = server.person("alee").await;
    let phone = server.device("alee").await;
    let laptop = server.person("bob").await;
    let tablet = server.device("bob").await;
    Devices { server, desk, phone, laptop, tablet }
}

#[tokio::test]
async fn a_message_goes_to_both_of_its_target_and_none_of_its_sender() {
    let Devices { mut desk, mut phone, mut laptop, mut tablet, server: _server } = devices().await;
    desk.say(laptop.id, "from the desk").await;
    phone.say(laptop.id, "from the phone").await;
    for device in [&mut laptop, &mut tablet] {
        device.hears("from the desk").await;
        device.hears("from the phone").await;
    }
    // The marker goes to both, too.
    desk.heard_nothing(&mut laptop).await;
    phone.hears("marker from bob").await;
}

#[tokio::test]
async fn requests_and_answers_go_to_both() {
    let Devices { mut desk, mut phone, mut laptop, mut tablet, server: _server } = devices().await;
    desk.ok("subscribe", json!({"to": laptop.id})).await;
    for device in [&mut laptop, &mut tablet] {
        assert_eq!(device.next("message").await["type"], "request-subscription");
    }
    tablet.ok("reply", json!({"to": desk.id})).await;
    for device in [&mut desk, &mut phone] {
        assert_eq!(device.next("message").await["type"], "agree");
    }
    // All four hear of presence from now on.
    phone.ok("presence", json!({"presence": "忙碌"})).await;
    laptop.ok("presence", json!({"presence": "离开"})).await;
    for device in [&mut laptop, &mut tablet] {
        assert_eq!(device.next("presence").await, json!({"id": desk.id, "presence": "忙碌"}));
    }
    for device in [&mut desk, &mut phone] {
        assert_eq!(device.next("presence").await, json!({"id": laptop.id, "presence": "离开"}));
    }
}

#[tokio::test]
async fn rooms_are_entered_and_left_with_both() {
    let Devices { mut desk, mut phone, mut laptop, mut tablet, server: _server } = devices().await;
    let room = desk.ok("room.create", json!({"name": "tea"})).await["room"]["id"].as_i64().unwrap();
    for device in [&mut desk, &mut phone] {
        assert_eq!(device.next("room.join").await["newbie"], true);
    }
    tablet.ok("room.join", json!({"id": room})).await;
    for device in [&mut desk, &mut phone, &mut laptop, &mut tablet] {
        assert_eq!(device.next("room.join").await["user"]["username"], "bob");
    }
    // The echo of a room message goes to both of the sender's.
    laptop.ok("room.message", json!({"room": room, "message": "hi"})).await;
    for device in [&mut desk, &mut phone, &mut laptop, &mut tablet] {
        assert_eq!(device.hears("hi").await["to"], device.id);
    }
    laptop.ok("room.leave", json!({"id": room})).await;
    for device in [&mut desk, &mut phone] {
        assert_eq!(device.next("room.leave").await["user"]["username"], "bob");
    }
    desk.ok("room.message", json!({"room": room, "message": "gone"})).await;
    for device in [&mut desk, &mut phone] {
        device.hears("gone").await;
    }
    laptop.heard_nothing(&mut desk).await;
    tablet.hears("marker from alee").await;
}

#[tokio::test]
async fn a_device_that_comes_later_gets_what_no_other_had() {
    let Devices { mut desk, mut laptop, mut tablet, server: _server, .. } = devices().await;
    for device in [&mut laptop, &mut tablet] {
        device.ok("signout", json!({})).await;
    }
    desk.say(laptop.id, "missed").await;
    laptop.sign_in().await;
    laptop.hears("missed").await;
    desk.say(laptop.id, "live").await;
    laptop.hears("live").await;
    tablet.sign_in().await;
    tablet.heard_nothing(&mut desk).await;
    laptop.hears("marker from alee").await;
}

#[tokio::test]
async fn friends_hear_of_the_first_coming_and_the_last_going() {
    let server = Server::start().await;
    let mut desk = server.person("alee").await;
    let mut laptop = server.person("bob").await;
    befriend(&mut desk, &mut laptop).await;
    let mut phone = server.device("alee").await;
    let tablet = server.device("bob").await;
    desk.ok("signout", json!({})).await;
    tablet.close().await;
    laptop.heard_nothing(&mut phone).await;
    phone.heard_nothing(&mut laptop).await;
    phone.ok("signout", json!({})).await;
    assert_eq!(laptop.next("presence").await, json!({"id": phone.id, "presence": "离线"}));
    // Who has signed out hears nothing of others, even on a connection that stays.
    laptop.ok("presence", json!({"presence": "忙碌"})).await;
    phone.sign_in().await;
    assert_eq!(laptop.next("presence").await["presence"], "在线");
    phone.heard_nothing(&mut laptop).await;
}

#[tokio::test]
async fn each_device_has_a_session_of_its_own() {
    let Devices { server: _server, mut desk, mut phone, .. } = devices().await;
    desk.ok("signout", json!({})).await;
    assert_eq!(desk.code("friends", json!({})).await, 403);
    phone.ok("friends", json!({})).await;
    assert_eq!(phone.code("signin", json!({"username": "alee", "password": "111111"})).await, 402);
    desk.sign_in().await;
}

#[tokio::test]
async fn a_friend_made_on_one_device_is_gone_from_both_when_removed_on_the_other() {
    let Devices { mut desk, mut phone, mut laptop, mut tablet, server: _server } = devices().await;
    befriend(&mut desk, &mut laptop).await;
    phone.next("message").await;
    tablet.next("message").await;
    phone.ok("unsubscribe", json!({"to": laptop.id})).await;
    assert_eq!(desk.ok("friends", json!({})).await["list"], json!([]));
    tablet.ok("presence", json!({"presence": "忙碌"})).await;
    desk.heard_nothing(&mut laptop).await;
    phone.hears("marker from bob").await;
}
