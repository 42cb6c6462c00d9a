//! Coming back without a loss, and saying a thing once.

use serde_json::{Value, json};

use crate::support::{Client, Server, texts};

async fn resume(client: &mut Client, marks: Value) -> Value {
    client.ok("resume", json!({"marks": marks})).await["conversations"].take()
}

#[tokio::test]
async fn each_conversation_goes_on_where_it_was() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    let room = alee.room("tea").await;
    bob.join(room).await;
    for n in 1..=3 {
        alee.says(bob.id, &format!("b{n}")).await;
        alee.ok("room.message", json!({"room": room, "message": format!("r{n}")})).await;
    }
    alee.ok("recall", json!({"to": bob.id, "seq": 1})).await;
    let private = alee.says(carol.id, "c1").await;
    assert_eq!(private, 1);

    let found = resume(
        &mut bob,
        json!([{"to": alee.id, "seq": 2}, {"room": room, "seq": 1}, {"to": carol.id, "seq": 0}, {"room": 4711, "seq": 0},
               {"to": 4711, "seq": 0}, {"to": alee.id}, {"seq": 5}, {}]),
    )
    .await;
    let of = |key: &str, id: i64| found.as_array().unwrap().iter().find(|entry| entry[key] == id).cloned();
    let pair = of("to", alee.id).unwrap();
    assert_eq!(texts(&pair["messages"]), ["b3", ""]);
    assert_eq!((&pair["messages"][1]["type"], &pair["messages"][1]["target"]), (&json!("recall"), &json!(1)));
    assert_eq!((&pair["last"], &pair["more"]), (&json!(4), &json!(false)));
    let tea = of("room", room).unwrap();
    assert_eq!(texts(&tea["messages"]), ["r2", "r3"]);
    assert_eq!(tea["messages"][0]["room"], room);
    assert_eq!(found.as_array().unwrap().len(), 2);

    let nothing = resume(&mut bob, json!([{"to": alee.id, "seq": 4}, {"to": alee.id, "seq": 99}])).await;
    assert!(nothing.as_array().unwrap().iter().all(|entry| entry["messages"] == json!([]) && entry["more"] == false));
    // Who was not there gets nothing of it.
    assert_eq!(resume(&mut carol, json!([{"room": room, "seq": 0}])).await, json!([]));
}

#[tokio::test]
async fn much_comes_in_pages() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut last = 0;
    for n in 1..=450 {
        last = alee.feed("message", json!({"to": bob.id, "message": n.to_string()})).await;
    }
    alee.flush().await;
    alee.reply(last).await;
    let (mut seen, mut mark, mut pages) = (Vec::new(), json!(0), 0);
    loop {
        let found = resume(&mut bob, json!([{"to": alee.id, "seq": mark}])).await;
        seen.extend(texts(&found[0]["messages"]).into_iter().map(|text| text.parse::<i64>().unwrap()));
        mark = found[0]["last"].clone();
        pages += 1;
        if found[0]["more"] == false {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(seen, (1..=450).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_modern_client_is_not_handed_what_it_missed() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.modern("bob").await;
    bob.ok("signout", json!({})).await;
    alee.says(bob.id, "missed").await;
    bob.sign_in_modern().await;
    bob.noticed_nothing(&mut alee).await;
    assert_eq!(bob.ok("conversations", json!({})).await["conversations"][0]["unread"], 2);
    // An old client of the same user, later, is not handed what the modern one has seen.
    bob.ok("signout", json!({})).await;
    alee.says(bob.id, "later").await;
    let mut old = server.newcomer("bob").await;
    old.sign_in().await;
    old.hears("later").await;
}

#[tokio::test]
async fn nothing_is_missed_between_resume_and_live() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    for round in 0..10 {
        bob.ok("signout", json!({})).await;
        let mut sent = Vec::new();
        for n in 0..40 {
            sent.push(alee.feed("message", json!({"to": bob.id, "message": format!("{round}-{n}")})).await);
        }
        alee.flush().await;
        bob.sign_in_modern().await;
        let found = resume(&mut bob, json!([{"to": alee.id, "seq": round * 40}])).await;
        let mut seen: Vec<i64> = Vec::new();
        if let Some(entry) = found.get(0) {
            seen.extend(entry["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_i64().unwrap()));
        }
        for id in sent {
            alee.reply(id).await;
        }
        while seen.iter().max().copied().unwrap_or(0) < (round + 1) * 40 {
            seen.push(bob.next_message().await["seq"].as_i64().unwrap());
        }
        // What `resume` told of may come as an event too.
        bob.ok("sessions", json!({})).await;
        while bob.pending().next().is_some() {
            seen.push(bob.next_message().await["seq"].as_i64().unwrap());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (round * 40 + 1..=(round + 1) * 40).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_message_sent_again_is_stored_once() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let first = alee.ok("message", json!({"to": bob.id, "message": "once", "cid": "k1"})).await;
    assert_eq!(alee.next_message().await["cid"], "k1");
    let mut again = server.modern_device(&alee).await;
    assert_eq!(again.ok("message", json!({"to": bob.id, "message": "once", "cid": "k1"})).await, first);
    bob.next_message().await;
    bob.noticed_nothing(&mut alee).await;
    let page = alee.ok("history", json!({"to": bob.id})).await;
    assert_eq!(texts(&page["messages"]), ["marker", "once"]);
}

#[tokio::test]
async fn too_many_marks_are_refused() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let marks: Vec<_> = (0..501).map(|n| json!({"to": n + 1, "seq": 0})).collect();
    assert_eq!(alee.code("resume", json!({"marks": marks})).await, 400);
    for marks in [json!(null), json!(5), json!("x"), json!({"to": 1})] {
        assert_eq!(alee.code("resume", json!({"marks": marks})).await, 400, "{marks}");
    }
    assert_eq!(resume(&mut alee, json!([])).await, json!([]));
}
