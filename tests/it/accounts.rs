//! `signup`, `signin`, `signout`.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, code, keys};

fn account(username: &str) -> Value {
    json!({"username": username, "password": PASSWORD})
}

#[tokio::test]
async fn signup_gives_a_new_id_each_time_and_does_not_sign_in() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let alee = client.ok("signup", account("alee")).await;
    let bob = client.ok("signup", account("bob")).await;
    assert!(alee["message"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(alee["id"].as_i64().unwrap() >= 1);
    assert!(bob["id"].as_i64() > alee["id"].as_i64());
    assert_eq!(client.code("friends", json!({})).await, 403);
}

#[tokio::test]
async fn ids_start_at_the_configured_floor() {
    let server = Server::with(|config| (config.first_user_id, config.first_room_id) = (10_001, 500)).await;
    let mut alee = server.person("alee").await;
    assert_eq!(alee.id, 10_001);
    assert_eq!(alee.room("tea").await, 500);
    assert_eq!(alee.room("more tea").await, 501);
}

#[tokio::test]
async fn signup_without_name_or_password_is_404() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    for payload in [
        json!({}),
        json!({"username": "alee"}),
        json!({"password": "p"}),
        json!({"username": "", "password": "p"}),
        json!({"username": "alee", "password": ""}),
        json!({"username": null, "password": "p"}),
        json!({"username": "alee", "password": null}),
        json!({"username": {"$gt": ""}, "password": "p"}),
        json!({"username": "alee", "password": {"$gt": ""}}),
        json!({"username": ["alee"], "password": "p"}),
        json!({"username": "alee", "password": ["p"]}),
        json!({"username": true, "password": "p"}),
    ] {
        assert_eq!(client.code("signup", payload.clone()).await, 404, "{payload}");
    }
    client.ok("signup", account("alee")).await;
}

#[tokio::test]
async fn a_taken_name_is_405_and_case_counts() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.ok("signup", account("alee")).await;
    assert_eq!(client.code("signup", json!({"username": "alee", "password": "another"})).await, 405);
    client.ok("signup", account("Alee")).await;
    client.ok("signup", account("alee ")).await;
    // The first one's password still holds.
    server.newcomer("alee").await.sign_in().await;
}

#[tokio::test]
async fn two_who_want_one_name_at_once_do_not_both_get_it() {
    let server = Server::start().await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    let (first, second) = tokio::join!(one.code("signup", account("alee")), other.code("signup", account("alee")));
    let mut codes = [first, second];
    codes.sort_unstable();
    assert_eq!(codes, [200, 405]);
}

#[tokio::test]
async fn a_name_that_could_break_a_page_is_403() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let long = "字".repeat(65);
    for name in ["<b>", "a>", "a\"b", "o'neil", "a&b", "a\\b", "a\nb", "a\u{0}b", "a\u{7f}", " ", &long] {
        assert_eq!(client.code("signup", account(name)).await, 403, "{name:?}");
    }
    for name in ["李小龙", "a b", "a.b-c_d@e", "😀", &"字".repeat(64)] {
        client.ok("signup", account(name)).await;
        server.newcomer(name).await.sign_in().await;
    }
}

#[tokio::test]
async fn signin_answers_with_the_document_and_the_rooms() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let mut whole = account("alee");
    whole["sex"] = json!("1");
    whole["question"] = json!("pet?");
    whole["answer"] = json!("rex");
    whole["groups"] = json!([{"name": "b"}, {"name": "a"}]);
    let id = client.ok("signup", whole).await["id"].clone();

    let mut alee = server.newcomer("alee").await;
    let mut reply = alee.sign_in().await;
    let [session, token] = ["session", "token"].map(|name| reply.as_object_mut().unwrap().remove(name).unwrap());
    assert!(session.is_i64() && token.as_str().unwrap().len() == 43, "{session} {token}");
    let doc = json!({
        "id": id, "username": "alee", "sex": "1", "question": "pet?", "groups": [{"name": "b"}, {"name": "a"}],
        "presence": "在线"
    });
    assert_eq!(reply, json!({"code": 200, "message": "welcome back, alee", "doc": doc, "rooms": []}));

    let tea = alee.ok("room.create", json!({"name": "tea", "intro": "hot"})).await["room"]["id"].clone();
    let mut again = server.newcomer("alee").await;
    let rooms = json!([{"id": tea, "name": "tea", "intro": "hot", "creator": id}]);
    assert_eq!(again.sign_in().await["rooms"], rooms);
}

#[tokio::test]
async fn signin_goes_by_name_by_id_or_by_both() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let bob = server.person("bob").await;
    for (claim, expected) in [
        (json!({"username": "alee"}), 200),
        (json!({"id": alee.id}), 200),
        (json!({"id": alee.id.to_string()}), 200),
        (json!({"username": "alee", "id": alee.id}), 200),
        (json!({"username": "alee", "id": alee.id, "sex": "?", "$where": "1", "presence": null}), 200),
        (json!({"username": "alee", "id": bob.id}), 404),
        (json!({"username": "Alee"}), 404),
        (json!({"username": "nobody"}), 404),
        (json!({"id": 4711}), 404),
        (json!({"id": 0}), 404),
        (json!({"id": -1}), 404),
        (json!({"id": 1.5}), 404),
        (json!({"id": "abc"}), 404),
        (json!({"id": {"$gt": 0}}), 404),
        (json!({"username": "alee", "id": "abc"}), 404),
    ] {
        let mut claim = claim;
        claim["password"] = json!(PASSWORD);
        let mut client = server.connect().await;
        assert_eq!(client.code("signin", claim.clone()).await, expected, "{claim}");
        assert_eq!(client.code("friends", json!({})).await, if expected == 200 { 200 } else { 403 }, "{claim}");
    }
}

#[tokio::test]
async fn signin_without_what_it_needs_is_403() {
    let server = Server::start().await;
    server.person("alee").await;
    let mut client = server.connect().await;
    for claim in [
        json!({}),
        json!({"password": PASSWORD}),
        json!({"username": "alee"}),
        json!({"username": "alee", "password": ""}),
        json!({"username": "alee", "password": null}),
        json!({"username": "", "id": null, "password": PASSWORD}),
        json!({"username": "alee", "password": {"$gt": ""}}),
        json!({"username": {"$gt": ""}, "password": PASSWORD}),
        json!({"username": "alee", "password": true}),
        json!({"username": "alee", "password": [PASSWORD]}),
    ] {
        assert_eq!(client.code("signin", claim.clone()).await, 403, "{claim}");
    }
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_told_alike() {
    let server = Server::start().await;
    server.person("alee").await;
    let mut client = server.connect().await;
    let wrong = client.ack("signin", json!({"username": "alee", "password": "111112"})).await;
    let unknown = client.ack("signin", account("nobody")).await;
    assert_eq!(code(&wrong), 404);
    assert_eq!(wrong, unknown);
    for near in ["", " 111111", "111111 ", "11111", "1111111"] {
        assert_ne!(client.code("signin", json!({"username": "alee", "password": near})).await, 200, "{near:?}");
    }
}

#[tokio::test]
async fn a_number_may_stand_for_the_password_of_its_digits() {
    let server = Server::start().await;
    server.person("alee").await;
    let mut client = server.connect().await;
    client.ok("signin", json!({"username": "alee", "password": 111_111})).await;
}

#[tokio::test]
async fn a_second_signin_on_a_connection_is_402_whatever_is_in_it() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    server.person("bob").await;
    for claim in [account("alee"), account("bob"), account("nobody"), json!({}), json!({"password": {"$gt": ""}})] {
        assert_eq!(alee.code("signin", claim.clone()).await, 402, "{claim}");
    }
    assert_eq!(alee.ok("find", json!({"id": alee.id})).await["users"][0]["username"], "alee");
}

#[tokio::test]
async fn a_connection_may_sign_out_and_somebody_else_sign_in() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let old_id = alee.id;
    assert_eq!(alee.ok("signout", json!({})).await, json!({"code": 200, "message": "bye"}));
    assert_eq!(alee.code("signout", json!({})).await, 403);
    assert_eq!(alee.code("friends", json!({})).await, 403);

    alee.ok("signup", account("carol")).await;
    alee.username = "carol".to_owned();
    alee.sign_in().await;
    bob.say(old_id, "to alee").await;
    bob.say(alee.id, "to carol").await;
    alee.hears("to carol").await;
}

#[tokio::test]
async fn signout_does_not_leave_rooms_but_ends_their_events() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    alee.ok("signout", json!({})).await;
    bob.join(room).await;
    let members = bob.ok("room.list", json!({"id": room})).await;
    assert_eq!(members["offlines"][0]["id"], alee.id);
    // The next thing that alee's connection hears is the answer to its own sign-in.
    alee.emit("signin", json!({"id": 1, "data": account("alee")})).await;
    assert_eq!(alee.rspn(&json!(1), "signin").await["rooms"][0]["id"], room);
}

#[tokio::test]
async fn signin_may_wish_for_a_presence() {
    let server = Server::start().await;
    let _first = server.person("alee").await;
    let mut client = server.connect().await;
    let mut claim = account("alee");
    claim["presence"] = json!("字".repeat(33));
    assert_eq!(client.code("signin", claim.clone()).await, 403);
    claim["presence"] = json!("忙碌");
    assert_eq!(client.ok("signin", claim).await["doc"]["presence"], "在线", "another device is here already");
}

#[tokio::test]
async fn long_passwords_count_to_their_end() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let long = format!("{}end", "x".repeat(80));
    client.ok("signup", json!({"username": "alee", "password": long})).await;
    for wrong in [&long[..72], &long[..82], &format!("{}END", "x".repeat(80)), &format!("{long}\0")] {
        assert_eq!(client.code("signin", json!({"username": "alee", "password": wrong})).await, 404, "{wrong:?}");
    }
    client.ok("signin", json!({"username": "alee", "password": long})).await;
}

#[tokio::test]
async fn a_nul_in_a_password_does_not_end_it() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.ok("signup", json!({"username": "alee", "password": "a\u{0}b"})).await;
    for wrong in ["a", "a\u{0}", "a\u{0}c"] {
        assert_eq!(client.code("signin", json!({"username": "alee", "password": wrong})).await, 404, "{wrong:?}");
    }
    client.ok("signin", json!({"username": "alee", "password": "a\u{0}b"})).await;
}

#[tokio::test]
async fn a_password_of_unreasonable_length_is_refused_with_a_code() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let huge = "x".repeat(100_000);
    assert_eq!(client.code("signup", json!({"username": "alee", "password": huge})).await, 403);
    client.ok("signup", account("alee")).await;
    assert_eq!(client.code("signin", json!({"username": "alee", "password": huge})).await, 404);
}

#[tokio::test]
async fn accounts_outlive_the_server() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let id = alee.id;
    drop(alee);
    let server = server.restart().await;
    let mut alee = server.device("alee").await;
    assert_eq!(alee.id, id);
    assert_eq!(alee.code("signup", account("alee")).await, 405);
    let bob = server.person("bob").await;
    assert!(bob.id > id);
    assert_eq!(keys(&alee.ok("find", json!({"id": id})).await["users"][0]), ["id", "presence", "username"]);
}
