//! Without a user, all commands but three are refused in the same words.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Revision, Server};

const FOR_USERS: [&str; 16] = [
    "signout",
    "find",
    "message",
    "subscribe",
    "reply",
    "unsubscribe",
    "friends",
    "group",
    "room.create",
    "room.join",
    "room.leave",
    "room.list",
    "room.message",
    "log",
    "presence",
    "profile",
];

async fn refused(client: &mut Client, payload: &Value) {
    let refusal = json!({"code": 403, "message": "尚未登陆", "reason": "not_signed_in"});
    for command in FOR_USERS {
        assert_eq!(client.ack(command, payload.clone()).await, refusal, "{command}");
        assert_eq!(client.command(json!(1), command, payload.clone()).await, refusal, "{command}");
    }
}

#[tokio::test]
async fn commands_are_refused_before_their_parameters_are_looked_at() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let mut client = server.connect().await;
    refused(&mut client, &json!({})).await;
    let complete = json!({
        "to": alee.id, "id": alee.id, "room": 1, "message": "x", "name": "x", "presence": "x", "doc": {}, "group": "x"
    });
    refused(&mut client, &complete).await;
}

#[tokio::test]
async fn the_three_others_are_not() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let account = json!({"username": "alee", "password": PASSWORD, "question": "q", "answer": "a"});
    client.ok("signup", account.clone()).await;
    client.ok("retrieve", account).await;
    client.ok("signin", json!({"username": "alee", "password": PASSWORD})).await;
}

#[tokio::test]
async fn a_failed_signin_and_a_signout_leave_nobody_signed_in() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("signout", json!({})).await;
    refused(&mut alee, &json!({})).await;
    assert_eq!(alee.code("signin", json!({"username": "alee", "password": "wrong"})).await, 404);
    refused(&mut alee, &json!({})).await;
}

#[tokio::test]
async fn a_new_connection_knows_nothing_of_an_old_one() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    refused(&mut server.connect().await, &json!({"id": alee.id})).await;
    refused(&mut Client::connect(server.address, Revision::V3).await, &json!({"id": alee.id})).await;
}

#[tokio::test]
async fn who_is_not_signed_in_hears_nothing() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut stranger = server.connect().await;
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    alee.say(bob.id, "x").await;
    alee.room("tea").await;
    bob.hears("x").await;
    stranger.command(json!(1), "signout", json!({})).await;
}
