//! Random input on the wire: every command, any JSON, always exactly one answer.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::hostile::COMMANDS;
use crate::support::{Client, Server, code};

/// Parameters of all commands, names that mean something to somebody, and any others.
const NAMES: &str = "(id|to|from|room|data|doc|username|password|question|answer|newpassword|message|time|cid|page|name|\
                     intro|group|refuse|presence|\\$gt|__proto__|[a-z]{1,3}|\\PC{0,3})";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        // Often the id of somebody or something that exists.
        (0..4_i64).prop_map(Value::from),
        (0..4_i64).prop_map(|id| Value::from(id.to_string())),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(NAMES, inner, 0..8).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Mostly objects: what is none counts as an empty one.
fn any_payload() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => prop::collection::hash_map(NAMES, any_json(), 0..8).prop_map(|map| map.into_iter().collect::<Value>()),
        1 => any_json(),
    ]
}

/// The same every time: a failure shall be the change's and not the dice's.
fn runner() -> TestRunner {
    let config = Config::default();
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
}

async fn server_and_people() -> (Server, Client, Client) {
    let server = Server::with(|config| config.rate_limit = nodeim::config::Switch::Off).await;
    let mut alee = server.person("alee").await;
    let bob = server.person("bob").await;
    alee.room("tea").await;
    (server, alee, bob)
}

#[tokio::test]
async fn any_payload_to_any_command_gets_exactly_one_reply() {
    let (server, alee, mut bob) = server_and_people().await;
    let mut client = server.connect().await;
    let mut runner = runner();
    let mut signed_in = false;
    for round in 0..60 {
        for command in COMMANDS {
            if !signed_in && round % 5 != 0 {
                client.username = "alee".to_owned();
                client.sign_in().await;
                signed_in = true;
            }
            let payload = any_payload().new_tree(&mut runner).unwrap().current();
            let before = client.transcript.len();
            let reply = client.ack(command, payload.clone()).await;
            // The client itself checks that none comes twice.
            assert_ne!(code(&reply), 500, "{command} {payload}: {reply}");
            signed_in &= !(command == "signout" && reply["code"] == 200);
            let frames = &client.transcript[before..];
            assert!(!frames.iter().any(|frame| frame.starts_with("42[\"rspn\"")), "{command} {payload}");
        }
    }
    bob.say(alee.id, "still here").await;
    assert_eq!(server.get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn without_ack_any_payload_gets_exactly_one_rspn() {
    let (server, alee, mut bob) = server_and_people().await;
    let mut client = server.device("alee").await;
    let mut runner = runner();
    for _ in 0..40 {
        for command in COMMANDS.into_iter().filter(|command| *command != "signout") {
            let payload = any_payload().new_tree(&mut runner).unwrap().current();
            client.emit(command, payload.clone()).await;
            // Only the replies: what else comes belongs to rooms and friends.
            let rspn = loop {
                let (name, data) = client.next_event("rspn").await;
                if name == "rspn" {
                    break data;
                }
            };
            assert_eq!(rspn["cmd"], command, "{payload}");
            assert_ne!(code(&rspn["data"]), 500, "{command} {payload}: {rspn}");
            let tag = payload.get("id").filter(|id| id.is_number() || id.is_string());
            assert_eq!(rspn.get("id"), tag, "{command} {payload}");
        }
    }
    bob.say(alee.id, "still here").await;
    drop(server);
}

#[tokio::test]
async fn five_thousand_junk_events_disturb_nobody() {
    let (server, mut alee, mut bob) = server_and_people().await;
    let mut client = server.device("alee").await;
    let mut runner = runner();
    let names = prop_oneof![2 => prop::sample::select(&COMMANDS[..]).prop_map(str::to_owned), 1 => "[a-zé字]{0,9}"];
    let junk = (names, prop::collection::vec(any_json(), 0..3), any::<bool>());
    let mut fired = Vec::new();
    // Past the ids that the client gives itself.
    for n in 10_000..15_000 {
        let (name, mut arguments, with_ack) = junk.new_tree(&mut runner).unwrap().current();
        // Who signs out is refused everything afterwards, which tests less.
        let name = if name == "signout" { "friends".to_owned() } else { name };
        arguments.insert(0, Value::from(name));
        let ack = if with_ack { n.to_string() } else { String::new() };
        client.raw(&format!("42{ack}{}", Value::from(arguments))).await;
        fired.extend(with_ack.then_some(n));
        if n % 1000 == 0 {
            alee.ok("friends", json!({})).await;
        }
    }
    for id in fired {
        code(&client.reply(id).await);
    }
    alee.say(bob.id, "undisturbed").await;
    while bob.next_event("message").await.1["message"] != "undisturbed" {}
    assert_eq!(server.get("/healthz").await.status(), 200);
}
