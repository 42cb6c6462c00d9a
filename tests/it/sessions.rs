//! Sessions: signing in with a token, and ending that.

use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Server};

async fn token_of(client: &mut Client) -> Value {
    client.sign_in_modern().await["token"].clone()
}

/// Somebody's further connection, signed in with a token.
async fn with_token(server: &Server, token: &Value) -> (Client, Value) {
    let mut client = server.connect().await;
    let reply = client.ok("signin", json!({"token": token, "api": 2})).await;
    client.id = reply["doc"]["id"].as_i64().unwrap();
    client.username = reply["doc"]["username"].as_str().unwrap().to_owned();
    (client, reply)
}

/// The connection hears why, is signed out and closed.
async fn is_ended(client: &mut Client, reason: &str) {
    assert_eq!(client.next("session.ended").await, json!({"reason": reason}));
    client.gone().await;
}

#[tokio::test]
async fn a_token_signs_in_and_outlives_connection_and_server() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("signout", json!({})).await;
    let first = alee.sign_in_modern().await;
    let token = first["token"].clone();
    alee.close().await;

    let server = server.restart().await;
    let (mut again, reply) = with_token(&server, &token).await;
    assert_eq!(reply["doc"], first["doc"]);
    assert_eq!(reply["session"], first["session"]);
    assert!(reply.get("token").is_none(), "{reply}");
    again.ok("friends", json!({})).await;
    assert_eq!(again.code("signin", json!({"token": token})).await, 402);
}

#[tokio::test]
async fn what_is_no_token_signs_nobody_in() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let token = alee.sign_in_somewhere(&server).await;
    let token = token.as_str().unwrap();
    let mut client = server.connect().await;
    let almost = format!("{}x", &token[..token.len() - 1]);
    for wrong in
        [json!("x"), json!(almost), json!(token.to_uppercase()), json!("' or 1=1 --"), json!("a\u{0}"), json!(1)]
    {
        let reply = client.ack("signin", json!({"token": wrong})).await;
        assert_eq!((&reply["code"], &reply["reason"]), (&json!(404), &json!("wrong_token")), "{wrong}");
    }
    for absent in [json!(null), json!(""), json!({"$gt": ""}), json!([token])] {
        assert_eq!(client.code("signin", json!({"token": absent})).await, 403, "{absent}");
    }
    assert_eq!(client.code("friends", json!({})).await, 403);
}

impl Client {
    /// The token of a session of one's own that is made on another connection.
    async fn sign_in_somewhere(&mut self, server: &Server) -> Value {
        let mut other = server.connect().await;
        other.username.clone_from(&self.username);
        token_of(&mut other).await
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_of_this_connection_alone() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let here = server.modern_device(&alee).await;
    let token = alee.sign_in_somewhere(&server).await;
    let (mut phone, _) = with_token(&server, &token).await;
    assert_eq!(phone.ok("signout", json!({})).await, json!({"code": 200, "message": "bye"}));
    assert_eq!(phone.code("signin", json!({"token": token})).await, 404);
    phone.username.clone_from(&alee.username);
    phone.sign_in_modern().await;
    drop(here);
    alee.ok("friends", json!({})).await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_of_them() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.modern("bob").await;
    let token = alee.sign_in_somewhere(&server).await;
    let mut phone = server.modern_device(&alee).await;
    let mut old = server.newcomer("alee").await;
    old.sign_in().await;

    alee.ok("signout", json!({"everywhere": true})).await;
    is_ended(&mut phone, "signout").await;
    old.gone().await;
    assert_eq!(alee.code("friends", json!({})).await, 403);
    assert_eq!(alee.code("signin", json!({"token": token})).await, 404);
    assert_eq!(alee.sign_in_modern().await["code"], 200);
    bob.ok("friends", json!({})).await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut phone = server.connect().await;
    let phone_id = phone
        .ok("signin", json!({"username": "alee", "password": PASSWORD, "device": "phone\u{0}\n", "api": 2}))
        .await["session"]
        .clone();
    let mut bob = server.modern("bob").await;

    let list = alee.ok("sessions", json!({})).await["sessions"].clone();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    let of_phone = list.iter().find(|session| session["id"] == phone_id).unwrap();
    assert_eq!(of_phone["device"], "phone");
    assert_eq!((&of_phone["current"], &of_phone["online"]), (&json!(false), &json!(true)));
    assert_eq!(of_phone["address"], "127.0.0.1");
    assert!(of_phone["created"].is_i64() && of_phone["used"].is_i64());
    assert!(list.iter().any(|session| session["current"] == true));
    for session in list {
        assert!(session.get("token").is_none() && session.get("hash").is_none(), "{session}");
    }

    assert_eq!(bob.code("sessions.end", json!({"id": phone_id})).await, 404);
    for (id, code) in [(json!(4711), 404), (json!("x"), 404), (json!(null), 400), (json!(-1), 404)] {
        assert_eq!(alee.code("sessions.end", json!({"id": id})).await, code, "{id}");
    }
    alee.ok("sessions.end", json!({"id": phone_id})).await;
    is_ended(&mut phone, "revoked").await;
    assert_eq!(alee.ok("sessions", json!({})).await["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(alee.code("sessions.end", json!({"id": phone_id})).await, 404);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let token = alee.sign_in_somewhere(&server).await;
    let mut phone = server.modern_device(&alee).await;

    alee.ok("profile", json!({"doc": {"password": PASSWORD, "nick": "A"}})).await;
    phone.ok("friends", json!({})).await;
    for device in [&mut alee, &mut phone] {
        device.next("profile").await;
    }
    alee.ok("profile", json!({"doc": {"password": "another", "question": "pet?", "answer": "rex"}})).await;
    is_ended(&mut phone, "password").await;
    alee.ok("friends", json!({})).await;
    let mut client = server.connect().await;
    assert_eq!(client.code("signin", json!({"token": token})).await, 404);

    let reset = json!({"username": "alee", "answer": "rex", "newpassword": PASSWORD});
    client.ok("retrieve", reset).await;
    is_ended(&mut alee, "password").await;
    let mut alee = server.newcomer("alee").await;
    assert_eq!(alee.sign_in_modern().await["code"], 200);
}

#[tokio::test]
async fn an_old_session_ends_by_itself() {
    let server = Server::with(|config| config.session_max_days = 1).await;
    let mut alee = server.modern("alee").await;
    let token = alee.sign_in_somewhere(&server).await;
    server.database.execute("update sessions set used_ms = used_ms - 86400001").await;
    let mut client = server.connect().await;
    assert_eq!(client.code("signin", json!({"token": token})).await, 404);
    assert_eq!(alee.ok("sessions", json!({})).await["sessions"], json!([]));
}

#[tokio::test]
async fn a_user_has_at_most_fifty() {
    let server = Server::with(|config| config.rate_limit = nodeim::config::Switch::Off).await;
    let mut alee = server.modern("alee").await;
    let oldest = alee.sign_in_somewhere(&server).await;
    server.database.execute("update sessions set used_ms = used_ms - 1000").await;
    for _ in 0..50 {
        let mut client = server.newcomer("alee").await;
        client.sign_in_modern().await;
    }
    assert_eq!(alee.ok("sessions", json!({})).await["sessions"].as_array().unwrap().len(), 50);
    let mut client = server.connect().await;
    assert_eq!(client.code("signin", json!({"token": oldest})).await, 404);
}

#[tokio::test]
async fn the_database_has_no_token() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let token = alee.sign_in_somewhere(&server).await;
    let token = token.as_str().unwrap().to_owned();
    let mut mallory = server.connect().await;
    // Whoever reads the table has a hash, which is no token.
    server.database.execute("update sessions set device = token_hash").await;
    let list = alee.ok("sessions", json!({})).await;
    for session in list["sessions"].as_array().unwrap() {
        let hash = session["device"].as_str().unwrap();
        assert_eq!(hash.len(), 64);
        assert_ne!(hash, token);
        assert_eq!(mallory.code("signin", json!({"token": hash})).await, 404);
    }
}
