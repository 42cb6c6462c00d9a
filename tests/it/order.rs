//! What one connection sends is carried out in the order in which it was sent, and what one connection is sent
//! arrives in the order in which it happened.

use std::collections::HashMap;

use serde_json::json;

use crate::support::{Client, Server, befriend, code};

const MANY: usize = 5000;

/// Fires and listens at the same time, as a real client does: nobody's buffer has room for everything.
#[tokio::test]
async fn five_thousand_commands_fired_without_waiting_are_carried_out_in_order() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    befriend(&mut alee, &mut bob).await;
    let id = alee.id;
    let fire = async {
        for n in 0..MANY {
            alee.feed("presence", json!({"presence": format!("step {n}")})).await;
        }
        alee.flush().await;
    };
    let listen = async {
        for n in 0..MANY {
            assert_eq!(bob.next("presence").await, json!({"id": id, "presence": format!("step {n}")}));
        }
    };
    tokio::join!(fire, listen);
}

#[tokio::test]
async fn replies_come_in_the_order_of_their_commands() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    let mut expected = Vec::new();
    for n in 0..200 {
        for (command, payload) in [
            ("friends", json!({})),
            ("room.message", json!({"room": room, "message": n.to_string()})),
            ("presence", json!({"presence": "忙碌"})),
            ("find", json!({"id": alee.id})),
            ("no such command", json!({})),
        ] {
            expected.push(alee.fire(command, payload).await);
        }
    }
    for id in &expected {
        code(&alee.reply(*id).await);
    }
    let replies = alee.transcript.iter().filter_map(|frame| frame.strip_prefix("43"));
    let order: Vec<i64> = replies.map(|reply| reply.split('[').next().unwrap().parse().unwrap()).collect();
    assert!(order.ends_with(&expected));
    for n in 0..200 {
        alee.hears(&n.to_string()).await;
    }
}

/// A sender need not wait for the disk: what comes next begins, and is stored in the same commit.
#[tokio::test]
async fn what_is_said_without_waiting_shares_commits_and_is_answered_in_order() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    let mut expected = Vec::new();
    for n in 0..250 {
        for (command, payload, code) in [
            ("message", json!({"to": bob.id, "message": n.to_string()}), 200),
            ("message", json!({"to": bob.id}), 404),
            ("room.message", json!({"room": room, "message": n.to_string()}), 200),
            ("message", json!({"to": 999_999, "message": "x"}), 404),
        ] {
            expected.push((alee.feed(command, payload).await, code));
        }
    }
    expected.push((alee.fire("room.leave", json!({"id": room})).await, 200));
    let last = alee.fire("room.message", json!({"room": room, "message": "too late"})).await;
    for (id, expected) in &expected {
        assert_eq!(code(&alee.reply(*id).await), *expected);
    }
    assert_eq!(code(&alee.reply(last).await), 404);
    let replies = alee.transcript.iter().filter_map(|frame| frame.strip_prefix("43"));
    let order: Vec<i64> = replies.map(|reply| reply.split('[').next().unwrap().parse().unwrap()).collect();
    let ids: Vec<i64> = expected.iter().map(|(id, _)| *id).chain([last]).collect();
    assert!(order.ends_with(&ids));
    for n in 0..250 {
        bob.hears(&n.to_string()).await;
        alee.hears(&n.to_string()).await;
    }
    let commits = server.metric("nodeim_commit_batch_size_count").await;
    assert!(commits < 400.0, "{commits} commits for 500 messages");
}

/// Each command depends on the one before.
#[tokio::test]
async fn commands_see_what_the_ones_before_them_did() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let bob = server.person("bob").await;
    alee.ok("signout", json!({})).await;
    let claim = json!({"username": "alee", "password": crate::support::PASSWORD});
    let mut fired = Vec::new();
    for n in 0..20 {
        for (command, payload, expected) in [
            ("friends", json!({}), 403),
            ("signin", claim.clone(), 200),
            ("signin", claim.clone(), 402),
            ("profile", json!({"doc": {"n": n}}), 200),
            ("message", json!({"to": bob.id, "message": "x"}), 200),
            ("signout", json!({}), 200),
            ("message", json!({"to": bob.id, "message": "x"}), 403),
        ] {
            fired.push((alee.fire(command, payload).await, command, expected));
        }
    }
    for (id, command, expected) in fired {
        assert_eq!(code(&alee.reply(id).await), expected, "{command}");
    }
}

/// Ten people talk to one: nothing is lost, each one's words keep their order, and the log has the same order.
#[tokio::test]
async fn a_burst_of_five_thousand_messages_reaches_one_client_whole_and_in_order() {
    let server = Server::start().await;
    let mut bob = server.person("bob").await;
    let mut talkers = Vec::new();
    for n in 0..10 {
        talkers.push(server.person(&format!("talker{n}")).await);
    }
    let each = MANY / talkers.len();
    let to = bob.id;
    let talk = futures_util::future::join_all(talkers.iter_mut().map(|talker| talk(talker, to, each)));
    let listen = async {
        let mut heard = HashMap::<i64, usize>::new();
        let mut ids = Vec::new();
        for _ in 0..MANY {
            let message = bob.next("message").await;
            let next = heard.entry(message["from"]["id"].as_i64().unwrap()).or_default();
            assert_eq!(message["message"], next.to_string());
            *next += 1;
            ids.push(message["_id"].as_str().unwrap().parse::<i64>().unwrap());
        }
        assert!(heard.values().all(|count| *count == each), "{heard:?}");
        assert!(ids.is_sorted_by(|one, next| one < next), "the order of arrival is the order of storing");
    };
    tokio::join!(talk, listen);
    assert_eq!(bob.ok("log", json!({"page": 250})).await["lastPage"], 250);
    assert_eq!(bob.pending().count(), 0);
}

async fn talk(talker: &mut Client, to: i64, count: usize) {
    let mut fired = Vec::new();
    for n in 0..count {
        fired.push(talker.feed("message", json!({"to": to, "message": n.to_string()})).await);
    }
    talker.flush().await;
    for id in fired {
        assert_eq!(code(&talker.reply(id).await), 200);
    }
}

/// All members of a room hear its messages in the same order, whoever speaks.
#[tokio::test]
async fn a_room_has_one_order_for_all() {
    let server = Server::start().await;
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(server.person(&format!("p{n}")).await);
    }
    let room = people[0].room("tea").await;
    for person in &mut people[1..] {
        person.ok("room.join", json!({"id": room})).await;
    }
    let each = 100;
    let talk = people.iter_mut().map(|person| async move {
        let mut fired = Vec::new();
        for n in 0..each {
            fired.push(person.feed("room.message", json!({"room": room, "message": n.to_string()})).await);
        }
        person.flush().await;
        for id in fired {
            assert_eq!(code(&person.reply(id).await), 200);
        }
        let mut heard = Vec::new();
        while heard.len() < 5 * each {
            let (name, data) = person.next_event("message").await;
            if name == "message" {
                heard.push(data["_id"].clone());
            }
        }
        heard
    });
    let heard = futures_util::future::join_all(talk).await;
    assert!(heard.windows(2).all(|pair| pair[0] == pair[1]));
}
