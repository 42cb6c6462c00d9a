//! `log`: what was addressed to me, by pages.

use serde_json::{Value, json};

use crate::support::{Client, Server, each, keys};

/// The texts of a page, after a look at its shape.
async fn page(client: &mut Client, query: Value) -> (i64, i64, Vec<String>) {
    let reply = client.ok("log", query).await;
    assert_eq!(keys(&reply), ["code", "currentPage", "docs", "lastPage"]);
    let texts = each(&reply["docs"], "message").iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    (reply["currentPage"].as_i64().unwrap(), reply["lastPage"].as_i64().unwrap(), texts)
}

async fn texts(client: &mut Client, query: Value) -> Vec<String> {
    page(client, query).await.2
}

fn numbers(range: std::ops::Range<i32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[tokio::test]
async fn twenty_a_page_oldest_first() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    assert_eq!(page(&mut bob, json!({})).await, (1, 0, vec![]));
    for n in 0..41 {
        alee.say(bob.id, &n.to_string()).await;
    }
    for (query, current, texts) in [
        (json!({}), 1, numbers(0..20)),
        (json!({"page": 1}), 1, numbers(0..20)),
        (json!({"page": 2}), 2, numbers(20..40)),
        (json!({"page": "2"}), 2, numbers(20..40)),
        (json!({"page": 3}), 3, numbers(40..41)),
        (json!({"page": 4}), 4, vec![]),
        (json!({"page": 1_000_000_000}), 1_000_000_000, vec![]),
        (json!({"page": 0}), 1, numbers(0..20)),
        (json!({"page": -1}), 1, numbers(0..20)),
        (json!({"page": "abc"}), 1, numbers(0..20)),
        (json!({"page": ""}), 1, numbers(0..20)),
        (json!({"page": null}), 1, numbers(0..20)),
        (json!({"page": {"$gt": 0}}), 1, numbers(0..20)),
        (json!({"page": [2]}), 1, numbers(0..20)),
    ] {
        assert_eq!(page(&mut bob, query.clone()).await, (current, 3, texts), "{query}");
    }
    // A page that no number can count.
    for beyond in [json!(9_007_199_254_740_991_i64), json!(u64::MAX), json!(1e300)] {
        bob.ok("log", json!({"page": beyond})).await;
    }
}

#[tokio::test]
async fn full_pages_do_not_promise_another_one() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    for n in 0..40 {
        alee.say(bob.id, &n.to_string()).await;
    }
    assert_eq!(page(&mut bob, json!({"page": 2})).await, (2, 2, numbers(20..40)));
}

#[tokio::test]
async fn a_record_has_numbers_for_people() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    alee.ok("message", json!({"to": bob.id, "message": "a", "time": 1_371_110_400_000_i64})).await;
    alee.ok("room.message", json!({"room": room, "message": "b", "time": 5})).await;
    alee.ok("subscribe", json!({"to": bob.id, "message": "c"})).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bob.next("message").await["_id"].clone());
    }
    let docs = bob.ok("log", json!({})).await["docs"].take();
    for doc in docs.as_array().unwrap() {
        assert_eq!((&doc["from"], &doc["to"]), (&json!(alee.id), &json!(bob.id)));
        assert!(doc["time"].is_i64() && matches!(doc["readed"].as_i64(), Some(0 | 1)), "{doc}");
    }
    assert_eq!(each(&docs, "_id"), ids.iter().collect::<Vec<_>>());
    assert_eq!((&docs[0]["time"], &docs[1]["time"]), (&json!(1_371_110_400_000_i64), &json!(5)));
    assert_eq!(keys(&docs[0]), ["_id", "from", "message", "readed", "time", "to"]);
    assert_eq!(keys(&docs[1]), ["_id", "from", "message", "readed", "room", "time", "to"]);
    assert_eq!(docs[1]["room"], room);
    assert_eq!(keys(&docs[2]), ["_id", "from", "message", "readed", "time", "to", "type"]);
    assert_eq!(docs[2]["type"], "request-subscription");
}

/// Everything that is addressed to bob, and some that is not.
async fn a_colourful_log() -> (Server, [Client; 3], [i64; 2]) {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    let tea = alee.room("tea").await;
    let mah = carol.room("mah-jong").await;
    bob.join(tea).await;
    bob.join(mah).await;

    alee.say(bob.id, "alee to bob").await;
    carol.say(bob.id, "carol to bob").await;
    bob.say(alee.id, "bob to alee").await;
    alee.say(carol.id, "alee to carol").await;
    alee.ok("room.message", json!({"room": tea, "message": "alee in tea"})).await;
    bob.ok("room.message", json!({"room": tea, "message": "bob in tea"})).await;
    carol.ok("room.message", json!({"room": mah, "message": "carol in mah"})).await;
    alee.ok("subscribe", json!({"to": bob.id, "message": "alee asks"})).await;
    bob.ok("reply", json!({"to": alee.id, "message": "bob agrees"})).await;
    bob.ok("subscribe", json!({"to": carol.id, "message": "bob asks"})).await;
    carol.ok("reply", json!({"to": bob.id, "refuse": 1, "message": "carol refuses"})).await;
    (server, [alee, bob, carol], [tea, mah])
}

#[tokio::test]
async fn all_that_was_addressed_to_me_and_my_own_in_rooms() {
    let (_server, [mut alee, mut bob, _], _) = a_colourful_log().await;
    let all =
        ["alee to bob", "carol to bob", "alee in tea", "bob in tea", "carol in mah", "alee asks", "carol refuses"];
    assert_eq!(texts(&mut bob, json!({})).await, all);
    assert_eq!(texts(&mut alee, json!({})).await, ["bob to alee", "alee in tea", "bob in tea", "bob agrees"]);
}

#[tokio::test]
async fn it_may_be_narrowed_to_a_sender_or_a_room() {
    let (_server, [alee, mut bob, carol], [tea, mah]) = a_colourful_log().await;
    for (query, expected) in [
        (json!({"from": alee.id}), vec!["alee to bob", "alee in tea", "alee asks"]),
        (json!({"from": alee.id.to_string()}), vec!["alee to bob", "alee in tea", "alee asks"]),
        (json!({"from": carol.id}), vec!["carol to bob", "carol in mah", "carol refuses"]),
        (json!({"from": bob.id}), vec!["bob in tea"]),
        (json!({"room": tea}), vec!["alee in tea", "bob in tea"]),
        (json!({"room": tea.to_string()}), vec!["alee in tea", "bob in tea"]),
        (json!({"room": mah}), vec!["carol in mah"]),
        (json!({"room": tea, "from": alee.id}), vec!["alee in tea"]),
        (json!({"room": mah, "from": alee.id}), vec![]),
        (json!({"from": 4711}), vec![]),
        (json!({"room": 4711}), vec![]),
    ] {
        assert_eq!(texts(&mut bob, query.clone()).await, expected, "{query}");
    }
    for nobody in [json!("abc"), json!(0), json!(-1), json!(1.5), json!({"$gt": 0}), json!([1]), json!(true)] {
        for query in [json!({"from": nobody}), json!({"room": nobody}), json!({"from": alee.id, "room": nobody})] {
            assert_eq!(page(&mut bob, query.clone()).await, (1, 0, vec![]), "{query}");
        }
    }
    for absent in [json!(null), json!("")] {
        assert_eq!(texts(&mut bob, json!({"from": absent, "room": absent})).await.len(), 7, "{absent}");
    }
}

#[tokio::test]
async fn pages_are_counted_after_the_filter() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    for n in 0..21 {
        alee.say(carol.id, &format!("a{n}")).await;
        bob.say(carol.id, &format!("b{n}")).await;
    }
    let expected = (2, 2, vec!["b20".to_owned()]);
    assert_eq!(page(&mut carol, json!({"from": bob.id, "page": 2})).await, expected);
    assert_eq!(page(&mut carol, json!({"page": 3})).await.1, 3);
}

#[tokio::test]
async fn what_was_said_in_a_room_before_or_after_ones_time_is_not_ones_own() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let mut carol = server.person("carol").await;
    let room = alee.room("tea").await;
    let said = async |client: &mut Client, text: &str| {
        client.ok("room.message", json!({"room": room, "message": text})).await;
    };
    said(&mut alee, "1 before").await;
    bob.ok("room.join", json!({"id": room})).await;
    said(&mut alee, "2 first stay").await;
    said(&mut bob, "3 first stay").await;
    bob.ok("room.leave", json!({"id": room})).await;
    said(&mut alee, "4 between").await;
    bob.ok("room.join", json!({"id": room})).await;
    // Joining again while in it begins no new time.
    bob.ok("room.join", json!({"id": room})).await;
    said(&mut alee, "5 second stay").await;
    bob.ok("room.leave", json!({"id": room})).await;
    said(&mut alee, "6 after").await;

    let expected = ["2 first stay", "3 first stay", "5 second stay"];
    for query in [json!({}), json!({"room": room})] {
        assert_eq!(texts(&mut bob, query).await, expected);
    }
    assert_eq!(texts(&mut bob, json!({"room": room, "from": alee.id})).await, ["2 first stay", "5 second stay"]);
    assert_eq!(texts(&mut carol, json!({"room": room})).await, Vec::<String>::new());
    assert_eq!(texts(&mut alee, json!({"room": room})).await.len(), 6);
}

#[tokio::test]
async fn it_outlives_the_server() {
    let (server, people, _) = a_colourful_log().await;
    drop(people);
    let server = server.restart().await;
    let mut bob = server.newcomer("bob").await;
    bob.sign_in().await;
    assert_eq!(texts(&mut bob, json!({})).await.len(), 7);
}
