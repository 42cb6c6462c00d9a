//! Finding people, and who is here.

use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, keys, until, wire_id};

/// The whole list, as the Qt client asks for it right after its login.
#[tokio::test]
async fn query_of_everybody_has_nine_members_and_live_presence() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let bob = server.mumi_person("bob@example.com").await;
    server.mumi().await.register("carol@example.com").await;
    let users = alee.find(json!({})).await;
    assert_eq!(users.len(), 3);
    for user in &users {
        assert_eq!(
            keys(user),
            ["email", "firstName", "id", "isLogin", "key", "lastName", "password", "profileImage", "username"]
        );
        let texts = user.as_object().unwrap().iter().filter(|(name, _)| *name != "isLogin");
        assert!(texts.clone().all(|(_, value)| value.is_string()), "{user}");
        let id = user["id"].as_str().unwrap();
        assert!(id.len() == 9 && !id.starts_with('0') && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    }
    let is_login = |users: &[Value], email: &str| {
        users.iter().find(|user| user["email"] == email).map(|user| user["isLogin"].clone())
    };
    assert_eq!(users[0]["password"], "");
    assert_eq!((&users[0]["firstName"], &users[0]["lastName"]), (&json!("alee"), &json!("Chen")));
    assert_eq!(is_login(&users, "alee@example.com"), Some(json!(true)));
    assert_eq!(is_login(&users, "bob@example.com"), Some(json!(true)));
    assert_eq!(is_login(&users, "carol@example.com"), Some(json!(false)));
    bob.close().await;
    until("bob is gone", async || is_login(&alee.find(json!({})).await, "bob@example.com") == Some(json!(false))).await;
}

#[tokio::test]
async fn query_criteria_are_exact_and_all_must_hold() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    for (email, first, last) in
        [("b1@example.com", "Bob", "Chen"), ("b2@example.com", "Bob", "Li"), ("b3@example.com", "1.0", "Li")]
    {
        let data = json!({"email": email, "password": PASSWORD, "firstName": first, "lastName": last});
        assert_eq!(alee.code("register", data).await, 203);
    }
    let b1 = alee.find(json!({"email": "b1@example.com"})).await.remove(0);
    for (criteria, expected) in [
        (json!({"firstName": "Bob"}), vec!["b1@example.com", "b2@example.com"]),
        (json!({"firstName": "Bob", "lastName": "Li"}), vec!["b2@example.com"]),
        (json!({"firstName": "bob"}), vec![]),
        (json!({"firstName": "Bo"}), vec![]),
        (json!({"firstName": "1"}), vec![]),
        (json!({"firstName": "1.0"}), vec!["b3@example.com"]),
        (json!({"id": b1["id"]}), vec!["b1@example.com"]),
        (json!({"id": b1["id"].as_str().unwrap().parse::<i64>().unwrap()}), vec!["b1@example.com"]),
        (json!({"id": "1"}), vec![]),
        (json!({"id": "999999999"}), vec![]),
        (json!({"id": "x"}), vec![]),
        (json!({"username": b1["username"]}), vec!["b1@example.com"]),
        (json!({"username": "B1"}), vec![]),
        (json!({"email": "B1@example.com"}), vec![]),
        (
            json!({"email": "b1@example.com", "id": b1["id"], "username": "", "firstName": "Bob"}),
            vec!["b1@example.com"],
        ),
        (json!({"email": "b1@example.com", "lastName": "Li"}), vec![]),
        (json!({"email": "a\u{0}"}), vec![]),
        (json!({"email": {"$gt": ""}, "lastName": "Li", "firstName": "Bob"}), vec!["b2@example.com"]),
    ] {
        let found = alee.find(criteria.clone()).await;
        let emails: Vec<_> = found.iter().map(|user| user["email"].as_str().unwrap()).collect();
        assert_eq!(emails, expected, "{criteria}");
    }
}

#[tokio::test]
async fn strangers_find_only_whom_they_know() {
    let server = Server::start().await;
    let alee = server.mumi_person("alee@example.com").await;
    let mut stranger = server.mumi().await;
    for criteria in [json!({}), json!({"firstName": "alee"}), json!({"username": "alee"}), json!(null)] {
        let reply = stranger.ask("query", criteria).await;
        assert_eq!(reply, json!({"code": 10007, "msg": "please login first", "data": null}));
    }
    let found = stranger.find(json!({"email": "alee@example.com"})).await;
    assert_eq!((&found[0]["email"], &found[0]["isLogin"]), (&json!("alee@example.com"), &json!(true)));
    // Ids can be counted through, addresses shall not be found that way.
    let found = stranger.find(json!({"id": alee.id})).await;
    assert_eq!((&found[0]["id"], &found[0]["email"]), (&json!(alee.id), &json!("")));

    let server = Server::with(|config| config.mumichat_query_login = nodeim::config::Switch::Off).await;
    server.mumi().await.register("alee@example.com").await;
    assert_eq!(server.mumi().await.find(json!({})).await[0]["email"], "alee@example.com");
}

#[tokio::test]
async fn a_list_that_is_too_long_has_oneself_and_those_who_are_here() {
    let server = Server::with(|config| config.mumichat_users_max = 3).await;
    let mut first = server.mumi().await;
    for n in 0..5 {
        first.register(&format!("n{n}@example.com")).await;
    }
    let mut alee = server.mumi_person("alee@example.com").await;
    let bob = server.mumi_person("bob@example.com").await;
    let ids: Vec<_> = alee.find(json!({})).await.iter().map(|user| user["id"].clone()).collect();
    assert_eq!(ids, [json!(wire_id(1)), json!(alee.id), json!(bob.id)]);
}

#[tokio::test]
async fn asking_for_everybody_is_limited() {
    let server = Server::with(|config| config.rate_directory_per_minute = 2).await;
    let mut alee = server.mumi_person("alee@example.com").await;
    for _ in 0..2 {
        alee.find(json!({})).await;
    }
    let reply = alee.ask("query", json!({})).await;
    assert_eq!(reply, json!({"code": 10011, "msg": "查詢使用者失敗", "data": null}));
    alee.heard_nothing().await;
}
