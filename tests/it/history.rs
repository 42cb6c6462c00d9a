//! Reading back: pages of a conversation, and the list of them.

use serde_json::{Value, json};

use crate::support::{Client, Server, befriend, texts};

async fn page(client: &mut Client, query: Value) -> (Vec<String>, bool) {
    let reply = client.ok("history", query).await;
    (texts(&reply["messages"]).into_iter().map(str::to_owned).collect(), reply["more"].as_bool().unwrap())
}

#[tokio::test]
async fn both_directions_of_a_pair_from_both_ends() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    for n in 1..=5 {
        let (one, other) = if n % 2 == 1 { (&mut alee, bob.id) } else { (&mut bob, alee.id) };
        assert_eq!(one.says(other, &n.to_string()).await, n);
    }
    for (client, peer) in [(&mut alee, bob.id), (&mut bob, 1)] {
        for (query, expected, more) in [
            (json!({"to": peer}), vec!["5", "4", "3", "2", "1"], false),
            (json!({"to": peer, "limit": 2}), vec!["5", "4"], true),
            (json!({"to": peer, "limit": 2, "before": 4}), vec!["3", "2"], true),
            (json!({"to": peer, "limit": 2, "before": 3}), vec!["2", "1"], false),
            (json!({"to": peer, "before": 1}), vec![], false),
            (json!({"to": peer, "after": 0, "limit": 2}), vec!["1", "2"], true),
            (json!({"to": peer, "after": 3}), vec!["4", "5"], false),
            (json!({"to": peer, "after": 5}), vec![], false),
            (json!({"to": peer, "after": 99}), vec![], false),
            (json!({"to": peer, "before": -5}), vec![], false),
            (json!({"to": peer, "limit": 0}), vec!["5"], true),
            (json!({"to": peer, "limit": -3}), vec!["5"], true),
        ] {
            let (found, is_more) = page(client, query.clone()).await;
            assert_eq!((found.iter().map(String::as_str).collect::<Vec<_>>(), is_more), (expected, more), "{query}");
        }
    }
    let reply = alee.ok("history", json!({"to": bob.id, "limit": 1})).await;
    let message = &reply["messages"][0];
    assert_eq!(message["from"], alee.id);
    assert_eq!(message["to"], bob.id);
    assert_eq!((&message["seq"], &message["type"], &message["format"]), (&json!(5), &json!("text"), &json!("html")));
    assert!(message["id"].is_string() && message["time"].is_i64() && message.get("room").is_none());
    assert_eq!(reply["users"][alee.id.to_string()]["username"], "alee");
}

#[tokio::test]
async fn a_page_has_at_most_two_hundred() {
    let server = Server::start().await;
    let (mut alee, bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut last = 0;
    for n in 0..230 {
        last = alee.feed("message", json!({"to": bob.id, "message": n})).await;
    }
    alee.flush().await;
    alee.reply(last).await;
    let (all, more) = page(&mut alee, json!({"to": bob.id, "limit": 1000})).await;
    assert_eq!((all.len(), more), (200, true));
    let (default, more) = page(&mut alee, json!({"to": bob.id})).await;
    assert_eq!((default.len(), more), (50, true));
}

/// SQLite keeps the index over the newest thousand messages apart.
#[tokio::test]
async fn a_long_conversation_is_whole_in_both_directions() {
    const MANY: i64 = 2500;
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut last = 0;
    for n in 1..=MANY {
        last = alee.feed("message", json!({"to": bob.id, "message": n})).await;
    }
    alee.flush().await;
    alee.reply(last).await;
    let all: Vec<_> = (1..=MANY).map(|n| n.to_string()).collect();
    let mut forward = Vec::new();
    let mut backward = Vec::new();
    for pages in 1.. {
        assert!(pages < MANY);
        let (found, more) = page(&mut bob, json!({"to": alee.id, "after": forward.len(), "limit": 200})).await;
        forward.extend(found);
        let before = MANY + 1 - backward.len() as i64;
        let (found, is_more) = page(&mut bob, json!({"to": alee.id, "before": before, "limit": 200})).await;
        backward.extend(found);
        assert_eq!(more, is_more);
        if !more {
            break;
        }
    }
    backward.reverse();
    assert!(forward == all && backward == all, "{} {}", forward.len(), backward.len());
    assert_eq!(bob.ok("log", json!({})).await["lastPage"], MANY / 20);
}

#[tokio::test]
async fn a_page_of_long_messages_is_shorter() {
    let server = Server::start().await;
    let (mut alee, bob) = (server.modern("alee").await, server.modern("bob").await);
    let long = "x".repeat(65_000);
    for _ in 0..40 {
        alee.ok("message", json!({"to": bob.id, "message": long, "format": "plain"})).await;
    }
    let (mut seen, mut before) = (0, 41);
    while before > 1 {
        let reply = alee.ok("history", json!({"to": bob.id, "before": before, "limit": 200})).await;
        let messages = reply["messages"].as_array().unwrap();
        assert!(!messages.is_empty() && messages.len() < 40, "{}", messages.len());
        seen += messages.len();
        before = messages.last().unwrap()["seq"].as_i64().unwrap();
        assert_eq!(reply["more"], before > 1);
    }
    assert_eq!(seen, 40);
    let resumed = alee.ok("resume", json!({"marks": [{"to": bob.id, "seq": 0}]})).await;
    let resumed = &resumed["conversations"][0];
    assert!(resumed["messages"].as_array().unwrap().len() < 40);
    assert_eq!(resumed["more"], true);
}

#[tokio::test]
async fn in_a_room_one_sees_the_time_one_was_there() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    let room = alee.room("tea").await;
    let mut say = async |text: &str| drop(alee.ok("room.message", json!({"room": room, "message": text})).await);
    say("1").await;
    bob.join(room).await;
    say("2").await;
    say("3").await;
    bob.ok("room.leave", json!({"id": room})).await;
    say("4").await;
    bob.ok("room.join", json!({"id": room})).await;
    say("5").await;
    assert_eq!(page(&mut bob, json!({"room": room})).await.0, ["5", "3", "2"]);
    assert_eq!(page(&mut bob, json!({"room": room, "after": 0})).await.0, ["2", "3", "5"]);
    assert_eq!(page(&mut bob, json!({"room": room, "limit": 2})).await, (vec!["5".to_owned(), "3".to_owned()], true));
    assert_eq!(page(&mut bob, json!({"room": room, "before": 5})).await.0, ["3", "2"]);
    assert_eq!(page(&mut alee, json!({"room": room})).await.0, ["5", "4", "3", "2", "1"]);
    assert_eq!(carol.ack("history", json!({"room": room})).await["reason"], "not_a_member");
    bob.ok("room.leave", json!({"id": room})).await;
    assert_eq!(page(&mut bob, json!({"room": room})).await.0, ["5", "3", "2"]);
}

#[tokio::test]
async fn nobody_else_sees_a_pair() {
    let server = Server::start().await;
    let (mut alee, bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    alee.says(bob.id, "private").await;
    for peer in [alee.id, bob.id] {
        let reply = carol.ok("history", json!({"to": peer})).await;
        assert_eq!((&reply["messages"], &reply["users"]), (&json!([]), &json!({})));
    }
    for (data, code) in [
        (json!({}), 400),
        (json!({"to": 4711}), 404),
        (json!({"to": "x"}), 404),
        (json!({"room": 4711}), 404),
        (json!({"to": alee.id, "room": "x"}), 404),
    ] {
        assert_eq!(carol.code("history", data.clone()).await, code, "{data}");
    }
    let mut nobody = server.connect().await;
    assert_eq!(nobody.code("history", json!({"to": 1})).await, 403);
    assert_eq!(nobody.code("conversations", json!({})).await, 403);
}

#[tokio::test]
async fn the_list_has_what_a_client_shows() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    befriend_modern(&mut alee, &mut bob).await;
    let tea = alee.room("tea").await;
    let empty = alee.room("empty").await;
    carol.join(tea).await;
    bob.says(alee.id, "one").await;
    carol.ok("room.message", json!({"room": tea, "message": "two", "format": "plain"})).await;
    bob.says(alee.id, "three").await;

    let list = alee.ok("conversations", json!({})).await["conversations"].clone();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3);
    let with_bob = &list[0];
    assert_eq!((&with_bob["to"], &with_bob["user"]["username"]), (&json!(bob.id), &json!("bob")));
    assert_eq!(with_bob["user"]["presence"], "在线");
    assert_eq!((&with_bob["last"]["text"], &with_bob["lastSeq"]), (&json!("three"), &json!(4)));
    // The answer to the request, and two messages.
    assert_eq!((&with_bob["unread"], &with_bob["read"]), (&json!(3), &json!(0)));
    let in_tea = &list[1];
    assert_eq!(
        (&in_tea["room"], &in_tea["info"]["name"], &in_tea["role"]),
        (&json!(tea), &json!("tea"), &json!("creator"))
    );
    assert_eq!((&in_tea["last"]["text"], &in_tea["unread"]), (&json!("two"), &json!(1)));
    let in_empty = &list[2];
    assert_eq!((&in_empty["room"], &in_empty["last"], &in_empty["unread"]), (&json!(empty), &json!(null), &json!(0)));

    let of_carol = carol.ok("conversations", json!({})).await["conversations"].clone();
    assert_eq!((&of_carol[0]["role"], &of_carol[0]["unread"]), (&json!("member"), &json!(0)));

    // A change is not shown, and moves nothing up.
    let seq = carol.ok("room.message", json!({"room": tea, "message": "four", "cid": "4"})).await["seq"].clone();
    bob.says(alee.id, "five").await;
    carol.ok("edit", json!({"room": tea, "seq": seq, "message": "fore"})).await;
    let list = alee.ok("conversations", json!({})).await["conversations"].clone();
    assert_eq!((&list[0]["last"]["text"], &list[1]["last"]["text"]), (&json!("five"), &json!("fore")));
    assert_eq!(list[1]["unread"], 2);
}

async fn befriend_modern(one: &mut Client, other: &mut Client) {
    one.ok("subscribe", json!({"to": other.id, "message": "please"})).await;
    assert_eq!(other.next_message().await["type"], "friend-request");
    other.ok("reply", json!({"to": one.id})).await;
    for _ in 0..2 {
        one.next_message().await;
    }
}

#[tokio::test]
async fn one_of_them_can_be_asked_for() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let room = bob.room("tea").await;
    let reply = alee.ok("conversations", json!({"to": bob.id})).await;
    let entry = &reply["conversations"][0];
    assert_eq!((&entry["to"], &entry["last"], &entry["lastSeq"]), (&json!(bob.id), &json!(null), &json!(0)));
    assert_eq!(alee.ok("conversations", json!({})).await["conversations"], json!([]));
    assert_eq!(alee.code("conversations", json!({"to": 4711})).await, 404);
    assert_eq!(alee.ack("conversations", json!({"room": room})).await["reason"], "not_a_member");
    assert_eq!(bob.ok("conversations", json!({"room": room})).await["conversations"][0]["room"], room);
    // With oneself, too.
    alee.says(alee.id, "note").await;
    let own = alee.ok("conversations", json!({})).await["conversations"].clone();
    assert_eq!((&own[0]["to"], &own[0]["unread"]), (&json!(alee.id), &json!(0)));
}

#[tokio::test]
async fn unread_messages_are_counted_to_a_hundred() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut last = 0;
    for n in 0..130 {
        last = alee.feed("message", json!({"to": bob.id, "message": n})).await;
    }
    alee.flush().await;
    alee.reply(last).await;
    assert_eq!(bob.ok("conversations", json!({})).await["conversations"][0]["unread"], 100);
    bob.ok("read", json!({"to": alee.id, "seq": 127})).await;
    assert_eq!(bob.ok("conversations", json!({})).await["conversations"][0]["unread"], 3);
    assert_eq!(alee.ok("conversations", json!({})).await["conversations"][0]["unread"], 0);
}

#[tokio::test]
async fn modern_and_old_clients_share_friends_and_messages() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    befriend(&mut alee, &mut bob).await;
    let mut modern = server.modern_device(&alee).await;
    alee.say(bob.id, "from the old one").await;
    assert_eq!(modern.next_message().await["text"], "from the old one");
    modern.says(bob.id, "from the new one").await;
    bob.hears("from the old one").await;
    bob.hears("from the new one").await;
    bob.say(alee.id, "to both").await;
    alee.hears("to both").await;
}
