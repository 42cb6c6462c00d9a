//! What came while somebody was away: all of it, in order, once.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Client, Server, befriend};

/// The texts of the next messages.
async fn texts(client: &mut Client, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(client.next("message").await["message"].as_str().unwrap().to_owned());
    }
    texts
}

#[tokio::test]
async fn missed_messages_come_oldest_first_over_all_conversations() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    let room = bob.room("tea").await;
    alee.join(room).await;
    bob.next("room.join").await;
    bob.ok("signout", json!({})).await;

    alee.say(bob.id, "1 from alee").await;
    carol.say(bob.id, "2 from carol").await;
    alee.ok("room.message", json!({"room": room, "message": "3 in the room"})).await;
    carol.ok("subscribe", json!({"to": bob.id, "message": "4 please"})).await;
    alee.say(bob.id, "5 from alee").await;
    carol.say(bob.id, "6 from carol").await;
    alee.ok("room.message", json!({"room": room, "message": "7 in the room"})).await;

    bob.sign_in().await;
    assert_eq!(bob.next("room.join").await["user"]["id"], bob.id);
    let first = bob.hears("1 from alee").await;
    assert_eq!(first["from"], json!({"id": alee.id, "username": "alee", "presence": "在线"}));
    assert_eq!(first["to"], bob.id);
    bob.hears("2 from carol").await;
    let third = bob.hears("3 in the room").await;
    assert_eq!((&third["room"], &third["to"]), (&json!(room), &json!(bob.id)));
    assert_eq!(bob.hears("4 please").await["type"], "request-subscription");
    assert_eq!(texts(&mut bob, 3).await, ["5 from alee", "6 from carol", "7 in the room"]);
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn they_come_once() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    alee.say(bob.id, "missed").await;
    bob.sign_in().await;
    bob.hears("missed").await;
    // Signed out and in again on the same connection, and on another one after a goodbye.
    bob.ok("signout", json!({})).await;
    bob.sign_in().await;
    bob.heard_nothing(&mut alee).await;
    bob.close().await;
    let mut bob = server.device("bob").await;
    bob.heard_nothing(&mut alee).await;
    // Nor after a restart of the server.
    bob.close().await;
    alee.close().await;
    let server = server.restart().await;
    let mut alee = server.device("alee").await;
    let mut bob = server.device("bob").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn what_was_heard_live_is_not_repeated() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for n in 0..5 {
        alee.say(bob.id, &format!("live {n}")).await;
        bob.hears(&format!("live {n}")).await;
    }
    let id = bob.id;
    bob.close().await;
    alee.say(id, "missed").await;
    let mut bob = server.device("bob").await;
    bob.hears("missed").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn more_than_a_page_comes_whole_and_live_ones_come_after_it() {
    let server = Server::with(|config| config.replay_page = 7).await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    bob.ok("signout", json!({})).await;
    let count = 60;
    for n in 0..count {
        let sender = if n % 3 == 0 { &mut carol } else { &mut alee };
        sender.say(bob.id, &n.to_string()).await;
    }
    // While bob catches up, alee goes on.
    let id = bob.id;
    let talk = async {
        for n in count..2 * count {
            alee.say(id, &n.to_string()).await;
        }
    };
    let listen = async {
        bob.sign_in().await;
        texts(&mut bob, 2 * count).await
    };
    let ((), heard) = tokio::join!(talk, listen);
    let expected: Vec<_> = (0..2 * count).map(|n| n.to_string()).collect();
    assert_eq!(heard, expected);
    bob.heard_nothing(&mut carol).await;
}

/// More comes live, while bob catches up, than is kept in memory for that.
#[tokio::test]
async fn a_flood_during_the_catching_up_is_neither_lost_nor_repeated() {
    let server = Server::with(|config| config.replay_page = 5).await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    let mut talkers = Vec::new();
    for n in 0..5 {
        talkers.push(server.person(&format!("talker{n}")).await);
    }
    let (each, to) = (600, bob.id);
    let talk = talkers.iter_mut().map(|talker| async move {
        let mut fired = Vec::new();
        for n in 0..each {
            fired.push(talker.feed("message", json!({"to": to, "message": n.to_string()})).await);
        }
        talker.flush().await;
        for id in fired {
            assert_eq!(talker.reply(id).await, json!({"code": 200}));
        }
    });
    let listen = async {
        // In the middle of it.
        while server.metric("nodeim_messages_stored_total").await < 200.0 {}
        bob.sign_in().await;
        let mut last = 0;
        for n in 0..5 * each {
            let id = bob.next("message").await["_id"].as_str().unwrap().parse::<i64>().unwrap();
            assert!(id > last, "{n}: {id} after {last}");
            last = id;
        }
    };
    tokio::join!(futures_util::future::join_all(talk), listen);
    bob.heard_nothing(&mut talkers[0]).await;
}

/// Bob signs in and out again and again while others talk, until he has heard everything. Returns the ids of the
/// messages as he heard them, and how many were said.
async fn come_and_go_in_a_flood() -> (Vec<i64>, usize) {
    let server = Server::start().await;
    let mut bob = server.person("bob").await;
    let mut talkers = Vec::new();
    for n in 0..5 {
        talkers.push(server.person(&format!("talker{n}")).await);
    }
    let (each, to) = (300, bob.id);
    let talk = talkers.iter_mut().map(|talker| async move {
        for n in 0..each {
            talker.say(to, &n.to_string()).await;
        }
    });
    let come_and_go = async {
        let mut heard = Vec::new();
        while heard.iter().collect::<HashSet<_>>().len() < 5 * each {
            bob.ok("signout", json!({})).await;
            bob.sign_in().await;
            // At least one, if there are any left, and whatever came with it.
            for _ in 0..bob.pending().count().max(1) {
                let message = bob.next("message").await;
                heard.push(message["_id"].as_str().unwrap().parse::<i64>().unwrap());
            }
        }
        heard
    };
    let (_, mut heard) = tokio::join!(futures_util::future::join_all(talk), come_and_go);
    talkers[0].say(to, "end").await;
    loop {
        let message = bob.next("message").await;
        if message["message"] == "end" {
            return (heard, 5 * each);
        }
        heard.push(message["_id"].as_str().unwrap().parse().unwrap());
    }
}

#[tokio::test]
async fn coming_and_going_in_a_flood_loses_nothing() {
    let (mut heard, said) = come_and_go_in_a_flood().await;
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard.len(), said);
}

#[tokio::test]
async fn coming_and_going_in_a_flood_repeats_nothing() {
    let (heard, _) = come_and_go_in_a_flood().await;
    let back = heard.windows(2).find(|pair| pair[0] >= pair[1]);
    assert_eq!(back, None);
}

#[tokio::test]
async fn answers_to_requests_wait_too_with_the_presence_of_their_delivery() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    alee.ok("signout", json!({})).await;
    bob.next("message").await;
    bob.ok("reply", json!({"to": alee.id})).await;
    bob.ok("presence", json!({"presence": "忙碌"})).await;
    alee.sign_in().await;
    let agree = alee.next("message").await;
    assert_eq!((&agree["type"], &agree["from"]["presence"]), (&json!("agree"), &json!("忙碌")));
    // The friendship is there at once.
    assert_eq!(bob.next("presence").await, json!({"id": alee.id, "presence": "在线"}));
    bob.ok("presence", json!({"presence": "在线"})).await;
    assert_eq!(alee.next("presence").await, json!({"id": bob.id, "presence": "在线"}));
}

#[tokio::test]
async fn an_unfinished_reading_is_repeated_and_nothing_is_lost() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    let expected: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    for text in &expected {
        alee.say(bob.id, text).await;
    }
    bob.sign_in().await;
    assert_eq!(texts(&mut bob, 5).await, expected[..5]);
    // The connection breaks without a goodbye; what bob had may come again, the rest must.
    drop(bob);
    let mut bob = server.device("bob").await;
    let mut heard = Vec::new();
    while heard.last() != expected.last() {
        heard.extend(texts(&mut bob, 1).await);
    }
    assert!(expected.ends_with(&heard), "in order and without a gap: {heard:?}");
    assert!(heard.len() >= 15);
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn nothing_missed_is_nothing_heard() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    befriend(&mut alee, &mut bob).await;
    // What one said oneself is not missed.
    alee.say(bob.id, "x").await;
    bob.hears("x").await;
    alee.close().await;
    assert_eq!(bob.next("presence").await["presence"], "离线");
    let mut alee = server.device("alee").await;
    assert_eq!(bob.next("presence").await["presence"], "在线");
    alee.heard_nothing(&mut bob).await;
    assert_eq!(bob.pending().count(), 0);
    assert_eq!(alee.ok("log", json!({"from": alee.id})).await["docs"], Value::Array(Vec::new()));
}
