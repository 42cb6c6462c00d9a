//! Two people: one with the client of 2013, over each of its transports, one with a client of today.

use serde_json::json;

use crate::support::{Client, Old, PASSWORD, Server, TRANSPORTS};

#[tokio::test]
async fn old_and_new_clients_live_together() {
    let server = Server::start().await;
    for transport in TRANSPORTS {
        let mut old = server.old(transport).await;
        assert_eq!(old.command("friends", json!({})).await["code"], 403);
        let username = format!("李雷 {transport}");
        let credentials = json!({"username": username, "password": PASSWORD, "sex": "1"});
        old.id = old.ok("signup", credentials).await["id"].as_i64().unwrap();
        old.username = username;
        let reply = old.sign_in().await;
        assert_eq!((&reply["doc"]["sex"], &reply["doc"]["presence"]), (&json!("1"), &json!("在线")));
        let mut new = server.person(&format!("mei {transport}")).await;

        become_friends(&mut old, &mut new).await;
        talk(&mut old, &mut new).await;
        meet(&mut old, &mut new).await;
        miss_each_other(&server, &mut old, &mut new, transport).await;
        old.send("0::").await;
        assert_eq!(new.next("presence").await, json!({"id": old.id, "presence": "离线"}));
    }
}

async fn become_friends(old: &mut Old, new: &mut Client) {
    new.ok("subscribe", json!({"to": old.id, "message": "你好"})).await;
    let request = old.hears("你好").await;
    assert_eq!(request["type"], "request-subscription");
    assert_eq!(request["from"]["id"], new.id);
    old.ok("reply", json!({"to": new.id, "refuse": 0})).await;
    assert_eq!(new.next("message").await["type"], "agree");
    let list = old.ok("friends", json!({})).await["list"].take();
    assert_eq!((&list[0]["id"], &list[0]["presence"]), (&json!(new.id), &json!("在线")));
    old.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(new.next("presence").await, json!({"id": old.id, "presence": "忙碌"}));
    new.ok("presence", json!({"presence": "隐身"})).await;
    assert_eq!(old.next("presence").await, json!({"id": new.id, "presence": "离线"}));
    new.ok("presence", json!({"presence": "在线"})).await;
    assert_eq!(old.next("presence").await["presence"], "在线");
}

async fn talk(old: &mut Old, new: &mut Client) {
    for text in ["晚饭吃什么？🍜 <b>!</b>", "", "1 &lt; 2"] {
        assert_eq!(old.command("message", json!({"to": new.id, "message": text})).await, json!({"code": 200}));
        let message = new.hears(text).await;
        assert_eq!((&message["from"]["id"], &message["to"]), (&json!(old.id), &json!(new.id)));
        new.say(old.id, text).await;
        let message = old.hears(text).await;
        assert_eq!((&message["from"]["id"], &message["to"]), (&json!(new.id), &json!(old.id)));
    }
    old.heard_nothing(new).await;
    let log = old.ok("log", json!({"from": new.id, "page": "1"})).await;
    assert_eq!((&log["currentPage"], &log["lastPage"]), (&json!(1), &json!(1)));
}

async fn meet(old: &mut Old, new: &mut Client) {
    let room = old.ok("room.create", json!({"name": "茶话会"})).await["room"].take();
    assert_eq!(old.next("room.join").await["newbie"], true);
    let room = room["_roomdoc"]["id"].as_i64().unwrap();
    new.join(room).await;
    assert_eq!(old.next("room.join").await["user"]["id"], new.id);
    old.ok("room.message", json!({"room": room, "message": "大家好"})).await;
    old.hears("大家好").await;
    assert_eq!(new.hears("大家好").await["room"], room);
    let list = old.ok("room.list", json!({"id": room})).await;
    assert_eq!(list["onlines"].as_array().unwrap().len(), 2);
    new.ok("room.leave", json!({"id": room})).await;
    assert_eq!(old.next("room.leave").await["user"]["id"], new.id);
    old.ok("room.leave", json!({"id": room.to_string()})).await;
}

async fn miss_each_other(server: &Server, old: &mut Old, new: &mut Client, transport: &'static str) {
    old.ok("signout", json!({})).await;
    assert_eq!(new.next("presence").await["presence"], "离线");
    new.say(old.id, "missed 1").await;
    new.say(old.id, "missed 2").await;
    let mut again = server.old(transport).await;
    again.username.clone_from(&old.username);
    again.sign_in().await;
    assert_eq!(new.next("presence").await["presence"], "在线");
    again.hears("missed 1").await;
    again.hears("missed 2").await;
    again.heard_nothing(new).await;
    std::mem::swap(old, &mut again);
}
