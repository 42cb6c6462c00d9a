//! `profile`: the traps of clients that post their whole document back.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Server};

/// What the owner gets back at the next sign-in.
async fn document(server: &Server, username: &str) -> Value {
    server.newcomer(username).await.sign_in().await["doc"].take()
}

async fn can_sign_in(server: &Server, username: &str, password: &str) -> bool {
    let claim = json!({"username": username, "password": password});
    server.connect().await.code("signin", claim).await == 200
}

/// `retrieve` for somebody whose answer is `rex`.
async fn reset(client: &mut Client, username: &str, password: &str) {
    client.ok("retrieve", json!({"username": username, "answer": "rex", "newpassword": password})).await;
}

#[tokio::test]
async fn without_a_document_it_is_404() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for payload in [json!({}), json!({"doc": null}), json!({"doc": "x"}), json!({"doc": [1]}), json!({"nick": "A"})] {
        assert_eq!(alee.code("profile", payload.clone()).await, 404, "{payload}");
    }
    assert_eq!(alee.ok("profile", json!({"doc": {}})).await, json!({"code": 200}));
}

#[tokio::test]
async fn attributes_are_replaced_one_by_one() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("profile", json!({"doc": {"nick": "A", "sign": "hi", "list": [1, 2], "map": {"a": 1, "b": 2}}})).await;
    alee.ok("profile", json!({"doc": {"nick": "", "list": [], "map": {"c": 3}}})).await;
    let doc = document(&server, "alee").await;
    let expected = json!({
        "id": alee.id, "username": "alee", "nick": "", "sign": "hi", "list": [], "map": {"c": 3}, "presence": "在线"
    });
    assert_eq!(doc, expected);
}

#[tokio::test]
async fn the_whole_document_may_be_posted_back() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let account = json!({"username": "alee", "password": PASSWORD, "question": "pet?", "answer": "rex", "sex": "1"});
    client.ok("signup", account).await;
    let mut alee = server.newcomer("alee").await;
    let mut doc = alee.sign_in().await["doc"].take();
    doc["nick"] = json!("A");
    doc["answer"] = json!("");
    doc["password"] = json!("");
    alee.ok("profile", json!({"doc": doc})).await;

    let mut expected = doc.clone();
    expected.as_object_mut().unwrap().retain(|name, _| name != "answer" && name != "password");
    assert_eq!(document(&server, "alee").await, expected);
    // The empty answer did not wipe the old one.
    reset(&mut client, "alee", "222222").await;
}

#[tokio::test]
async fn what_may_not_change_is_ignored() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    server.person("bob").await;
    let doc = json!({
        "id": 4711, "_id": "x", "username": "bob", "presence": "忙碌", "group": "g", "$set": {"a": 1}, "_private": 1,
        "a.b": 1, "a\u{0}b": 1, "__proto__": {"admin": true}, "nick": "A"
    });
    alee.ok("profile", json!({"doc": doc})).await;
    let expected = json!({"id": alee.id, "username": "alee", "nick": "A", "presence": "在线"});
    assert_eq!(document(&server, "alee").await, expected);
}

#[tokio::test]
async fn nobody_is_told() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    crate::support::befriend(&mut alee, &mut bob).await;
    alee.ok("profile", json!({"doc": {"nick": "A"}})).await;
    bob.heard_nothing(&mut alee).await;
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn others_see_the_new_values_at_once() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.say(alee.id, "x").await;
    alee.hears("x").await;
    alee.ok("profile", json!({"doc": {"nick": "A"}})).await;
    alee.say(bob.id, "y").await;
    assert_eq!(bob.hears("y").await["from"]["nick"], "A");
}

#[tokio::test]
async fn groups_come_back_as_they_were_posted() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    assert_eq!(document(&server, "alee").await.get("groups"), None);
    for groups in
        [json!([{"name": "b", "open": 1}, {"name": "a"}, {"name": "b"}]), json!([{"name": "<b>&\""}]), json!([])]
    {
        alee.ok("profile", json!({"doc": {"groups": groups}})).await;
        assert_eq!(document(&server, "alee").await["groups"], groups);
    }
}

#[tokio::test]
async fn a_new_password_holds_and_the_old_one_does_not() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("profile", json!({"doc": {"password": "222222"}})).await;
    assert!(can_sign_in(&server, "alee", "222222").await);
    assert!(!can_sign_in(&server, "alee", PASSWORD).await);
    // The session goes on.
    alee.ok("friends", json!({})).await;
}

#[tokio::test]
async fn an_empty_or_unreadable_password_changes_nothing() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for password in [json!(""), json!(null), json!({"$set": "x"}), json!(["x"]), json!(true), json!(PASSWORD)] {
        alee.ok("profile", json!({"doc": {"password": password}})).await;
        assert!(can_sign_in(&server, "alee", PASSWORD).await, "{password}");
    }
}

#[tokio::test]
async fn a_password_posted_again_does_not_undo_a_reset_made_elsewhere() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let change = json!({"doc": {"password": "222222", "question": "pet?", "answer": "rex"}});
    alee.ok("profile", change).await;
    reset(&mut server.connect().await, "alee", "333333").await;

    alee.ok("profile", json!({"doc": {"password": "222222", "nick": "A"}})).await;
    assert!(can_sign_in(&server, "alee", "333333").await);
    assert!(!can_sign_in(&server, "alee", "222222").await);
    assert_eq!(alee.ok("find", json!({"id": alee.id})).await["users"][0]["nick"], "A");

    // Another password is a change, and so is the old one from another session.
    alee.ok("profile", json!({"doc": {"password": "444444"}})).await;
    assert!(can_sign_in(&server, "alee", "444444").await);
    let mut other = server.newcomer("alee").await;
    other.ok("signin", json!({"username": "alee", "password": "444444"})).await;
    other.ok("profile", json!({"doc": {"password": "222222"}})).await;
    assert!(can_sign_in(&server, "alee", "222222").await);
}

#[tokio::test]
async fn question_and_answer_change_together_or_alone() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut client = server.connect().await;
    let ask = json!({"username": "alee"});
    alee.ok("profile", json!({"doc": {"question": "pet?"}})).await;
    assert_eq!(client.code("retrieve", ask.clone()).await, 405, "no answer yet");
    alee.ok("profile", json!({"doc": {"answer": "rex"}})).await;
    assert_eq!(client.ok("retrieve", ask.clone()).await["question"], "pet?");
    alee.ok("profile", json!({"doc": {"question": "cat?", "answer": ""}})).await;
    assert_eq!(client.ok("retrieve", ask.clone()).await["question"], "cat?");
    alee.ok("profile", json!({"doc": {"question": ""}})).await;
    assert_eq!(client.ok("retrieve", ask).await["question"], "cat?");
    reset(&mut client, "alee", "222222").await;
}

#[tokio::test]
async fn null_clears_question_and_answer() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut client = server.connect().await;
    for clearing in [json!({"question": null}), json!({"answer": null}), json!({"question": null, "answer": null})] {
        alee.ok("profile", json!({"doc": {"question": "pet?", "answer": "rex"}})).await;
        client.ok("retrieve", json!({"username": "alee"})).await;
        alee.ok("profile", json!({"doc": clearing})).await;
        assert_eq!(client.code("retrieve", json!({"username": "alee"})).await, 405, "{clearing}");
        let guess = json!({"username": "alee", "answer": "rex", "newpassword": "stolen"});
        assert_eq!(client.code("retrieve", guess).await, 405, "{clearing}");
        assert_eq!(document(&server, "alee").await.get("question"), None, "{clearing}");
    }
}

#[tokio::test]
async fn two_devices_change_different_attributes_at_once() {
    let server = Server::start().await;
    let mut one = server.person("alee").await;
    let mut other = server.device("alee").await;
    for n in 0..20 {
        let doc = |name: &str| json!({"doc": {name: n}});
        tokio::join!(one.ok("profile", doc("a")), other.ok("profile", doc("b")));
        let doc = document(&server, "alee").await;
        assert_eq!((&doc["a"], &doc["b"]), (&json!(n), &json!(n)));
    }
}

#[tokio::test]
async fn an_address_of_a_picture_cannot_carry_a_script() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for good in ["http://127.0.0.1:8765/public/files/nodeim-server/1.png", "/public/files/nodeim-server/1.png", ""] {
        alee.ok("profile", json!({"doc": {"facePath": good}})).await;
        assert_eq!(document(&server, "alee").await["facePath"], good);
    }
    alee.ok("profile", json!({"doc": {"facePath": "https://a.example/1.png"}})).await;
    for bad in [
        json!("javascript:alert(1)"),
        json!("http://x/\" onerror=\"alert(1)"),
        json!("http://x/' onerror='alert(1)"),
        json!("http://x/ y"),
        json!("data:text/html,x"),
        json!({"toString": "x"}),
    ] {
        alee.ok("profile", json!({"doc": {"facePath": bad}})).await;
        assert_eq!(document(&server, "alee").await["facePath"], "https://a.example/1.png", "{bad}");
    }
}
