//! Making an account, logging in, and being logged in only once.

use serde_json::json;

use crate::support::{PASSWORD, Server, until, within};

#[tokio::test]
async fn register_needs_all_members_and_a_free_email() {
    let server = Server::start().await;
    let mut alee = server.mumi().await;
    let full = json!({"email": "Alee@example.com", "password": "x", "firstName": "Alee", "lastName": "Li"});
    for name in ["email", "password", "firstName", "lastName"] {
        for value in [None, Some(json!("")), Some(json!(null)), Some(json!(7)), Some(json!(["x"]))] {
            let mut data = full.clone();
            match value {
                Some(value) => data[name] = value,
                None => drop(data.as_object_mut().unwrap().remove(name)),
            }
            let reply = alee.ask("register", data).await;
            assert_eq!((&reply["code"], &reply["msg"]), (&json!(10002), &json!("register failed")), "{name}");
        }
    }
    for email in ["a\nb@example.com".to_owned(), "x".repeat(300)] {
        let mut data = full.clone();
        data["email"] = json!(email);
        assert_eq!(alee.code("register", data).await, 10002);
    }
    let reply = alee.ask("register", full.clone()).await;
    assert_eq!(reply, json!({"code": 203, "msg": "register success", "data": null}));
    let reply = alee.ask("register", full.clone()).await;
    assert_eq!(reply, json!({"code": 10003, "msg": "user is existed", "data": null}));
    // Exact: another case is another address.
    let mut data = full;
    data["email"] = json!("alee@example.com");
    assert_eq!(alee.code("register", data).await, 203);
    // One is not logged in afterwards.
    assert_eq!(alee.code("query", json!({})).await, 10007);
}

#[tokio::test]
async fn login_answers_with_the_old_codes() {
    let server = Server::start().await;
    let mut alee = server.mumi().await;
    alee.register("alee@example.com").await;
    for (email, password) in [
        (json!("alee@example.com"), json!("wrong")),
        (json!("ALEE@example.com"), json!(PASSWORD)),
        (json!("bob@example.com"), json!(PASSWORD)),
        (json!("alee@example.com"), json!("")),
        (json!(""), json!(PASSWORD)),
        (json!(null), json!(null)),
        (json!(1), json!(2)),
        (json!("a\u{0}"), json!("\u{0}")),
    ] {
        let reply = alee.ask("login", json!({"email": email, "password": password})).await;
        assert_eq!(reply, json!({"code": 10000, "msg": "User not found.", "data": null}), "{email} {password}");
    }
    let reply = alee.ask("login", json!({"email": "alee@example.com", "password": PASSWORD})).await;
    assert_eq!(reply, json!({"code": 202, "msg": "login success", "data": null}));
}

#[tokio::test]
async fn a_second_login_is_refused_until_the_first_connection_ends() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let mut second = server.mumi().await;
    second.register("bob@example.com").await;
    let credentials = json!({"email": "alee@example.com", "password": PASSWORD});
    for _ in 0..2 {
        let reply = second.ask("login", credentials.clone()).await;
        assert_eq!(reply, json!({"code": 10005, "msg": "multi user login", "data": null}));
    }
    // Who does not know the password is not told.
    assert_eq!(second.code("login", json!({"email": "alee@example.com", "password": "x"})).await, 10000);
    // On the same connection again, the same account or another one.
    for email in ["alee@example.com", "bob@example.com"] {
        assert_eq!(alee.code("login", json!({"email": email, "password": PASSWORD})).await, 10005);
    }
    alee.heard_nothing().await;
    alee.close().await;
    until("the lock is free", async || second.code("login", credentials.clone()).await == 202).await;
}

#[tokio::test]
async fn of_many_logins_at_once_one_succeeds() {
    let server = Server::start().await;
    server.mumi().await.register("alee@example.com").await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = server.mumi().await;
        client.act("login", json!({"email": "alee@example.com", "password": PASSWORD})).await;
        clients.push(client);
    }
    let mut codes = Vec::new();
    for client in &mut clients {
        codes.push(client.reply().await["code"].as_u64().unwrap());
    }
    codes.sort_unstable();
    assert_eq!(codes, [202, 10005, 10005, 10005, 10005, 10005, 10005, 10005]);
}

#[tokio::test]
async fn locks_are_free_after_a_restart() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let server = server.restart().await;
    alee.gone().await;
    server.mumi().await.login("alee@example.com").await;
}

#[tokio::test]
async fn logins_are_limited_by_account_and_address() {
    let server = Server::with(|config| config.rate_signin_per_minute = 3).await;
    let mut alee = server.mumi().await;
    alee.register("alee@example.com").await;
    for _ in 0..3 {
        assert_eq!(alee.code("login", json!({"email": "alee@example.com", "password": "x"})).await, 10000);
    }
    assert_eq!(alee.code("login", json!({"email": "alee@example.com", "password": PASSWORD})).await, 10000);
}

#[tokio::test]
async fn accounts_get_user_names_of_their_own() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut mumi = server.mumi().await;
    for (email, username) in [
        ("alee@example.com", "alee2"),
        ("alee@example.org", "alee3"),
        ("o'neil<b>@example.com", "oneilb"),
        ("李小龙@example.com", "李小龙"),
        ("@example.com", "user6"),
    ] {
        let data = json!({"email": email, "password": PASSWORD, "firstName": "A", "lastName": "B"});
        assert_eq!(mumi.code("register", data).await, 203);
        let found = alee.ok("find", json!({"email": email})).await;
        assert_eq!(found["users"][0]["username"], username, "{email}");
    }
    // And can sign in on the other wire with them.
    let mut other = server.connect().await;
    other.ok("signin", json!({"username": "alee2", "password": PASSWORD})).await;
}

#[tokio::test]
async fn an_email_is_one_accounts_and_moves_with_its_profile() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut mumi = server.mumi().await;
    mumi.register("carol@example.com").await;
    // Taken there, and taken as a user name.
    for email in ["carol@example.com", "bob"] {
        let reply = alee.ack("profile", json!({"doc": {"email": email}})).await;
        assert_eq!((&reply["code"], &reply["reason"]), (&json!(405), &json!("email_taken")), "{reply}");
    }
    for email in [json!(7), json!({"a": 1}), json!("a\u{0}b")] {
        assert_eq!(alee.code("profile", json!({"doc": {"email": email}})).await, 403);
    }
    alee.ok("profile", json!({"doc": {"email": "alee@example.com"}})).await;
    assert_eq!(bob.code("profile", json!({"doc": {"email": "alee@example.com"}})).await, 405);
    let sign_up = json!({"username": "dave", "password": PASSWORD, "email": "alee@example.com"});
    assert_eq!(server.connect().await.code("signup", sign_up).await, 405);
    assert_eq!(
        server.connect().await.code("signup", json!({"username": "alee@example.com", "password": "x"})).await,
        405
    );
    assert_eq!(mumi.find(json!({"email": "alee@example.com"})).await.len(), 1);
    // Changed: the old one is free, the new one is not. Old clients post it again with every change.
    alee.ok("profile", json!({"doc": {"email": "li@example.com"}})).await;
    alee.ok("profile", json!({"doc": {"email": "li@example.com", "sex": "1"}})).await;
    assert_eq!(mumi.find(json!({"email": "alee@example.com"})).await.len(), 0);
    bob.ok("profile", json!({"doc": {"email": "alee@example.com"}})).await;
    mumi.login("li@example.com").await;
    assert_eq!(mumi.id, crate::support::wire_id(alee.id));
    // Given up.
    bob.ok("profile", json!({"doc": {"email": ""}})).await;
    mumi.register("alee@example.com").await;
}

/// With an email address it is the email that counts, without one the user name.
#[tokio::test]
async fn accounts_without_an_email_log_in_by_user_name() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut mumi = server.mumi().await;
    assert_eq!(mumi.code("login", json!({"email": "alee", "password": PASSWORD})).await, 202);
    let me = mumi.find(json!({"username": "alee"})).await;
    assert_eq!((&me[0]["email"], &me[0]["isLogin"]), (&json!(""), &json!(true)));
    mumi.close().await;
    alee.ok("profile", json!({"doc": {"email": "alee@example.com"}})).await;
    let mut mumi = server.mumi().await;
    assert_eq!(mumi.code("login", json!({"email": "alee", "password": PASSWORD})).await, 10000);
    within("a login", mumi.login("alee@example.com")).await;
}
