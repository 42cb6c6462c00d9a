//! The rows of the envelope's case table that concern clients of Socket.IO 0.9.

use serde_json::{Value, json};

use crate::support::{Old, PASSWORD, Server};

async fn rspn(client: &mut Old, name: &str, argument: Value) -> Value {
    client.send(&format!("5:::{}", json!({"name": name, "args": [argument]}))).await;
    client.next("rspn").await
}

#[tokio::test]
async fn without_ack_an_envelope_is_opened() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    let mut bob = server.old_person("bob", "websocket").await;
    bob.send(&format!("5:::{}", json!({"name": "room.join", "args": [{"id": 7, "data": {"id": room}}]}))).await;
    bob.next("room.join").await;
    assert_eq!(bob.next("rspn").await, json!({"id": 7, "cmd": "room.join", "data": {"code": 200}}));
}

/// The client of 2013 leaves `data` out where it has none.
#[tokio::test]
async fn without_ack_an_id_alone_is_the_counter() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    let mut bob = server.old_person("bob", "websocket").await;
    let reply = rspn(&mut bob, "room.join", json!({"id": room})).await;
    assert_eq!((&reply["id"], &reply["data"]["code"]), (&json!(room), &json!(404)), "a missing parameter: {reply}");
    let reply = rspn(&mut bob, "find", json!({"id": 0})).await;
    assert_eq!(reply["data"]["users"].as_array().unwrap().len(), 2, "everybody: {reply}");
    let reply = rspn(&mut bob, "signout", json!({"id": 3})).await;
    assert_eq!(reply, json!({"id": 3, "cmd": "signout", "data": {"code": 200, "message": "bye"}}));
}

#[tokio::test]
async fn without_ack_what_stands_beside_data_is_ignored() {
    let server = Server::start().await;
    let mut bob = server.old_person("bob", "websocket").await;
    let find = json!({"id": 4, "data": {"username": "bob"}, "username": "nobody"});
    let reply = rspn(&mut bob, "find", find).await;
    assert_eq!((&reply["id"], &reply["data"]["users"][0]["username"]), (&json!(4), &json!("bob")));
    for data in [json!("x"), json!(7), json!([1]), Value::Null] {
        let reply = rspn(&mut bob, "friends", json!({"id": 5, "data": data})).await;
        assert_eq!(reply, json!({"id": 5, "cmd": "friends", "data": {"code": 200, "list": []}}));
    }
}

/// A client of that time without the addition of 2013.
#[tokio::test]
async fn without_ack_and_envelope_the_object_is_the_payload() {
    let server = Server::start().await;
    let mut bob = server.old("xhr-polling").await;
    let credentials = json!({"username": "bob", "password": PASSWORD});
    let reply = rspn(&mut bob, "signup", credentials.clone()).await;
    assert_eq!((reply.get("id"), &reply["data"]["code"]), (None, &json!(200)));
    let reply = rspn(&mut bob, "signin", credentials).await;
    assert_eq!((reply.get("id"), &reply["data"]["code"]), (None, &json!(200)));
}

#[tokio::test]
async fn with_ack_an_id_is_the_commands_own() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    let mut bob = server.old_person("bob", "websocket").await;
    bob.send(&format!("5:1+::{}", json!({"name": "room.join", "args": [{"id": room}]}))).await;
    bob.next("room.join").await;
    assert_eq!(bob.packet().await, r#"6:::1+[{"code":200}]"#);
    bob.send(&format!(
        "5:2+::{}",
        json!({"name": "message", "args": [{"id": 5, "data": {"to": alee.id, "message": "x"}}]})
    ))
    .await;
    assert_eq!(bob.packet().await, r#"6:::2+[{"code":200}]"#);
}

#[tokio::test]
async fn an_argument_that_is_no_object_counts_as_an_empty_one() {
    let server = Server::start().await;
    let mut bob = server.old_person("bob", "websocket").await;
    for packet in
        [r#"{"name":"friends"}"#, r#"{"name":"friends","args":[]}"#, r#"{"name":"friends","args":[7,{"id":1}]}"#]
    {
        bob.send(&format!("5:::{packet}")).await;
        assert_eq!(bob.next("rspn").await, json!({"cmd": "friends", "data": {"code": 200, "list": []}}), "{packet}");
    }
    bob.send(r#"5:::{"name":"friends","args":{}}"#).await;
    assert_eq!(bob.next("rspn").await["data"]["code"], 403, "arguments that are no list cannot be read");
}

#[tokio::test]
async fn ids_repeat_and_are_answered_each_time() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.old_person("bob", "websocket").await;
    for text in ["one", "two"] {
        let reply = rspn(&mut bob, "message", json!({"id": 0, "data": {"to": alee.id, "message": text}})).await;
        assert_eq!(reply, json!({"id": 0, "cmd": "message", "data": {"code": 200}}));
        alee.hears(text).await;
    }
}
