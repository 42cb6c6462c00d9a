//! Rate limits, and what happens to who sends more than is carried out.

use nodeim::config::Switch;
use serde_json::{Value, json};

use crate::support::{Client, PASSWORD, Server, code};

const LATER: &str = "尝试次数过多，请稍后再试";

async fn wrong(client: &mut Client, username: &str) -> Value {
    let reply = client.ack("signin", json!({"username": username, "password": "wrong"})).await;
    assert_eq!(code(&reply), 404);
    reply
}

async fn right(client: &mut Client, username: &str) -> Value {
    client.ack("signin", json!({"username": username, "password": PASSWORD})).await
}

/// A server that believes what this machine says about where a client is.
async fn behind_a_proxy() -> Server {
    Server::with(|config| config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await
}

async fn client_at(server: &Server, address: &str) -> Client {
    Client::connect_with(server.address, &[("x-forwarded-for", address)]).await
}

#[tokio::test]
async fn twenty_wrong_passwords_lock_the_account_for_that_address_alone() {
    let server = behind_a_proxy().await;
    for name in ["alee", "bob"] {
        server.person(name).await;
    }
    let mut guesser = client_at(&server, "10.0.0.1").await;
    for attempt in 0..20 {
        assert_ne!(wrong(&mut guesser, "alee").await["message"], LATER, "attempt {attempt}");
    }
    // Even with the right password, on any connection from there.
    let refusal = json!({"code": 404, "message": LATER, "reason": "too_many"});
    assert_eq!(right(&mut guesser, "alee").await, refusal);
    assert_eq!(right(&mut client_at(&server, "10.0.0.1").await, "alee").await, refusal);
    // Others from there, and the owner from elsewhere.
    assert_eq!(code(&right(&mut guesser, "bob").await), 200);
    assert_eq!(code(&right(&mut client_at(&server, "10.0.0.2").await, "alee").await), 200);
}

#[tokio::test]
async fn an_address_that_nobody_vouches_for_is_not_believed() {
    let server = Server::start().await;
    server.person("alee").await;
    for n in 0..20 {
        wrong(&mut client_at(&server, &format!("10.0.0.{n}")).await, "alee").await;
    }
    assert_eq!(right(&mut client_at(&server, "10.0.0.99").await, "alee").await["message"], LATER);
}

#[tokio::test]
async fn getting_in_ends_the_counting() {
    let server = Server::start().await;
    server.person("alee").await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        for _ in 0..19 {
            wrong(&mut client, "alee").await;
        }
        assert_eq!(code(&right(&mut client, "alee").await), 200);
        client.ok("signout", json!({})).await;
    }
}

#[tokio::test]
async fn accounts_that_do_not_exist_lock_up_in_the_same_way() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    for _ in 0..20 {
        assert_ne!(wrong(&mut client, "nobody").await["message"], LATER);
    }
    assert_eq!(wrong(&mut client, "nobody").await["message"], LATER);
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_stopped() {
    let server = Server::with(|config| (config.rate_signin_per_minute, config.rate_address_factor) = (5, 4)).await;
    let mut client = server.connect().await;
    for n in 0..20 {
        assert_ne!(wrong(&mut client, &format!("user{n}")).await["message"], LATER, "{n}");
    }
    assert_eq!(wrong(&mut client, "another").await["message"], LATER);
}

#[tokio::test]
async fn accounts_are_made_at_a_limited_rate() {
    let server = Server::with(|config| config.rate_signup_per_minute = 3).await;
    let mut client = server.connect().await;
    for n in 0..3 {
        client.ok("signup", json!({"username": format!("u{n}"), "password": PASSWORD})).await;
    }
    assert_eq!(client.code("signup", json!({"username": "u4", "password": PASSWORD})).await, 429);
    // On another connection, too; those who have an account are not concerned.
    let mut client = server.connect().await;
    assert_eq!(client.code("signup", json!({"username": "u5", "password": PASSWORD})).await, 429);
    server.device("u0").await;
}

#[tokio::test]
async fn questions_are_answered_at_a_limited_rate_from_anywhere() {
    let server = behind_a_proxy().await;
    let mut client = server.connect().await;
    for name in ["alee", "bob"] {
        let account = json!({"username": name, "password": PASSWORD, "question": "q", "answer": "rex"});
        client.ok("signup", account).await;
    }
    let guess = json!({"username": "alee", "answer": "cat", "newpassword": "stolen"});
    for n in 0..10 {
        let mut guesser = client_at(&server, &format!("10.0.0.{n}")).await;
        assert_eq!(guesser.code("retrieve", guess.clone()).await, 406, "{n}");
    }
    let good = json!({"username": "alee", "answer": "rex", "newpassword": "stolen"});
    let reply = client_at(&server, "10.0.0.99").await.ack("retrieve", good).await;
    assert_eq!(reply, json!({"code": 404, "message": LATER, "reason": "too_many"}));
    assert_eq!(client.ok("retrieve", json!({"username": "bob"})).await["question"], "q");
    assert_eq!(code(&right(&mut client, "alee").await), 200);
}

#[tokio::test]
async fn a_flood_of_commands_is_answered_429_and_executed_up_to_the_limit() {
    let server = Server::with(|config| (config.rate_commands_per_second, config.rate_commands_burst) = (1, 50)).await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut fired = Vec::new();
    for n in 0..200 {
        fired.push(alee.fire("message", json!({"to": bob.id, "message": n.to_string()})).await);
    }
    let mut done = 0;
    for (n, id) in fired.into_iter().enumerate() {
        match code(&alee.reply(id).await) {
            200 => {
                bob.hears(&n.to_string()).await;
                done += 1;
            }
            429 => assert!(done > 40, "refused too early"),
            other => panic!("{other}"),
        }
    }
    // Entering and two commands before, and perhaps some seconds of a slow machine.
    assert!((47..100).contains(&done), "{done}");
    // Who was refused by rspn gets the tag back.
    alee.emit("friends", json!({"id": 7, "data": {}})).await;
    let rspn = alee.next("rspn").await;
    assert_eq!((&rspn["id"], &rspn["cmd"]), (&json!(7), &json!("friends")));
    // The limit is the connection's.
    bob.ok("friends", json!({})).await;
}

#[tokio::test]
async fn all_rate_limits_can_be_switched_off() {
    let server = Server::with(|config| {
        config.rate_limit = Switch::Off;
        config.rate_signin_per_minute = 1;
        config.rate_signup_per_minute = 1;
        config.rate_retrieve_per_minute = 1;
        config.rate_commands_per_second = 1;
        config.rate_commands_burst = 1;
    })
    .await;
    let mut client = server.connect().await;
    for n in 0..5 {
        client.ok("signup", json!({"username": format!("u{n}"), "password": PASSWORD})).await;
        assert_ne!(wrong(&mut client, "u0").await["message"], LATER);
        assert_eq!(client.code("retrieve", json!({"username": "u0"})).await, 405);
    }
    assert_eq!(code(&right(&mut client, "u0").await), 200);
}

/// Commands that take their time, sent all at once to a connection with a small inbox.
#[tokio::test]
async fn a_full_inbox_refuses_with_429_and_loses_nothing_that_it_took() {
    for small in [(8, 1 << 20), (10_000, 2048)] {
        let server = Server::with(|config| {
            config.rate_limit = Switch::Off;
            (config.inbox_max_commands, config.inbox_max_bytes) = small;
        })
        .await;
        let mut alee = server.person("alee").await;
        let mut bob = server.person("bob").await;
        let mut fired = Vec::new();
        for n in 0..500 {
            // Each wants a password hash and then a commit.
            fired.push(alee.feed("signup", json!({"username": "alee", "password": PASSWORD})).await);
            fired.push(alee.feed("message", json!({"to": bob.id, "message": n.to_string()})).await);
        }
        alee.flush().await;
        let mut codes = Vec::new();
        for id in fired {
            codes.push(code(&alee.reply(id).await));
        }
        assert!(codes.iter().all(|code| matches!(code, 200 | 405 | 429)), "{codes:?}");
        assert!(codes.contains(&429) && codes.contains(&200), "{codes:?}");
        for (n, pair) in codes.chunks(2).enumerate() {
            if pair[1] == 200 {
                bob.hears(&n.to_string()).await;
            }
        }
        bob.heard_nothing(&mut alee).await;
        assert!(server.metric("nodeim_inbox_refusals_total").await >= 1.0);
    }
}
