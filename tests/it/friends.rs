//! `subscribe`, `reply`, `unsubscribe`, `friends`, `group`.

use serde_json::{Value, json};

use crate::support::{Client, Server, befriend, each, keys};

/// The ids in somebody's list.
async fn list(client: &mut Client) -> Vec<Value> {
    let reply = client.ok("friends", json!({})).await;
    each(&reply["list"], "id").into_iter().cloned().collect()
}

async fn two() -> (Server, Client, Client) {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let bob = server.person("bob").await;
    (server, alee, bob)
}

#[tokio::test]
async fn a_request_is_told_to_its_target_alone() {
    let (_server, mut alee, mut bob) = two().await;
    assert_eq!(alee.ok("subscribe", json!({"to": bob.id, "message": "<b>hi</b>"})).await, json!({"code": 200}));
    let request = bob.next("message").await;
    assert_eq!(keys(&request), ["_id", "from", "message", "readed", "time", "to", "type"]);
    assert_eq!(request["type"], "request-subscription");
    assert_eq!((&request["message"], &request["to"]), (&json!("<b>hi</b>"), &json!(bob.id)));
    assert_eq!(request["from"], json!({"id": alee.id, "username": "alee", "presence": "在线"}));
    alee.heard_nothing(&mut bob).await;
    assert_eq!(list(&mut alee).await, [Value::Null; 0]);
    assert_eq!(list(&mut bob).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_request_without_words_carries_an_empty_text() {
    let (server, mut alee, mut bob) = two().await;
    let mut carol = server.person("carol").await;
    let mut dave = server.person("dave").await;
    for (client, payload) in [
        (&mut alee, json!({"to": bob.id})),
        (&mut carol, json!({"to": bob.id.to_string(), "message": ""})),
        (&mut dave, json!({"to": bob.id, "message": null})),
    ] {
        client.ok("subscribe", payload).await;
        assert_eq!(bob.next("message").await["message"], "");
    }
}

#[tokio::test]
async fn a_request_needs_a_target_who_exists_and_is_somebody_else() {
    let (_server, mut alee, _bob) = two().await;
    for (to, expected) in [
        (json!(null), 403),
        (json!(""), 403),
        (json!(4711), 404),
        (json!("4711"), 404),
        (json!("abc"), 404),
        (json!(0), 404),
        (json!(-1), 404),
        (json!(1.5), 404),
        (json!({"$gt": 0}), 404),
        (json!([2]), 404),
        (json!(alee.id), 404),
        (json!(alee.id.to_string()), 404),
    ] {
        assert_eq!(alee.code("subscribe", json!({"to": to})).await, expected, "{to}");
    }
    assert_eq!(alee.code("subscribe", json!({})).await, 403);
}

#[tokio::test]
async fn a_second_request_in_the_same_direction_is_306() {
    let (_server, mut alee, mut bob) = two().await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    assert_eq!(alee.code("subscribe", json!({"to": bob.id})).await, 306);
    bob.ok("reply", json!({"to": alee.id})).await;
    assert_eq!(alee.code("subscribe", json!({"to": bob.id})).await, 306);
    assert_eq!(bob.code("subscribe", json!({"to": alee.id})).await, 306, "both are friends of each other");
    bob.next("message").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn accepting_makes_both_friends_of_each_other() {
    for refuse in [json!(null), json!(0), json!("0"), json!(false), json!("")] {
        let (_server, mut alee, mut bob) = two().await;
        alee.ok("subscribe", json!({"to": bob.id})).await;
        bob.next("message").await;
        let answer = json!({"to": alee.id.to_string(), "refuse": refuse});
        assert_eq!(bob.ok("reply", answer).await, json!({"code": 200}));
        let agree = alee.next("message").await;
        assert_eq!(keys(&agree), ["_id", "from", "message", "readed", "time", "to", "type"]);
        assert_eq!((&agree["type"], &agree["message"]), (&json!("agree"), &json!("同意了你的好友请求")), "{refuse}");
        assert_eq!(agree["from"], json!({"id": bob.id, "username": "bob", "presence": "在线"}));
        assert_eq!(list(&mut alee).await, [bob.id]);
        assert_eq!(list(&mut bob).await, [alee.id]);
        bob.heard_nothing(&mut alee).await;
    }
}

#[tokio::test]
async fn refusing_deletes_the_request() {
    for refuse in [json!(1), json!("1"), json!(true), json!("yes"), json!(2)] {
        let (_server, mut alee, mut bob) = two().await;
        alee.ok("subscribe", json!({"to": bob.id})).await;
        bob.next("message").await;
        bob.ok("reply", json!({"to": alee.id, "refuse": refuse})).await;
        let refused = alee.next("message").await;
        assert_eq!(
            (&refused["type"], &refused["message"]),
            (&json!("refuse"), &json!("拒绝了你的好友请求")),
            "{refuse}"
        );
        assert_eq!(list(&mut alee).await, [Value::Null; 0]);
        assert_eq!(list(&mut bob).await, [Value::Null; 0]);
        // There is nothing left to answer, and one may ask again.
        assert_eq!(bob.code("reply", json!({"to": alee.id})).await, 404);
        assert_eq!(bob.code("reply", json!({"to": alee.id, "refuse": 1})).await, 404);
        alee.ok("subscribe", json!({"to": bob.id})).await;
        assert_eq!(bob.next("message").await["type"], "request-subscription");
    }
}

#[tokio::test]
async fn an_answer_may_have_words_of_its_own() {
    let (server, mut alee, mut bob) = two().await;
    let mut carol = server.person("carol").await;
    for client in [&mut alee, &mut carol] {
        client.ok("subscribe", json!({"to": bob.id})).await;
    }
    bob.ok("reply", json!({"to": alee.id, "message": "gladly"})).await;
    bob.ok("reply", json!({"to": carol.id, "refuse": 1, "message": "sorry"})).await;
    assert_eq!(alee.hears("gladly").await["type"], "agree");
    assert_eq!(carol.hears("sorry").await["type"], "refuse");
}

#[tokio::test]
async fn an_answer_needs_a_request() {
    let (_server, mut alee, mut bob) = two().await;
    for (to, expected) in [
        (json!(null), 403),
        (json!(""), 403),
        (json!(bob.id), 404),
        (json!(alee.id), 404),
        (json!(4711), 404),
        (json!("abc"), 404),
        (json!({"$gt": 0}), 404),
    ] {
        for refuse in [0, 1] {
            assert_eq!(alee.code("reply", json!({"to": to, "refuse": refuse})).await, expected, "{to} {refuse}");
        }
    }
    assert_eq!(alee.code("reply", json!({})).await, 403);
    // One's own request is not one to answer.
    alee.ok("subscribe", json!({"to": bob.id})).await;
    assert_eq!(alee.code("reply", json!({"to": bob.id})).await, 404);
    assert_eq!(list(&mut alee).await, [Value::Null; 0]);
    bob.next("message").await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn accepting_again_tells_nobody_and_refusing_after_it_is_404() {
    let (_server, mut alee, mut bob) = two().await;
    befriend(&mut alee, &mut bob).await;
    bob.ok("reply", json!({"to": alee.id})).await;
    assert_eq!(bob.code("reply", json!({"to": alee.id, "refuse": 1})).await, 404);
    alee.heard_nothing(&mut bob).await;
    assert_eq!(list(&mut alee).await, [bob.id]);
    assert_eq!(list(&mut bob).await, [alee.id]);
}

#[tokio::test]
async fn crossing_requests_are_settled_by_one_answer() {
    let (_server, mut alee, mut bob) = two().await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    bob.ok("subscribe", json!({"to": alee.id})).await;
    alee.next("message").await;
    bob.next("message").await;
    bob.ok("reply", json!({"to": alee.id})).await;
    assert_eq!(alee.next("message").await["type"], "agree");
    assert_eq!(list(&mut alee).await, [bob.id]);
    assert_eq!(list(&mut bob).await, [alee.id]);
    // The other answer comes late and is fine.
    alee.ok("reply", json!({"to": bob.id})).await;
    bob.heard_nothing(&mut alee).await;
}

#[tokio::test]
async fn the_same_request_answered_twice_at_once_is_answered_once() {
    let (server, mut alee, mut bob) = two().await;
    let mut phone = server.device("bob").await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    let (yes, no) = tokio::join!(
        bob.code("reply", json!({"to": alee.id})),
        phone.code("reply", json!({"to": alee.id, "refuse": 1}))
    );
    let answer = alee.next("message").await;
    assert_eq!((yes, no), if answer["type"] == "agree" { (200, 404) } else { (404, 200) });
    let expected = if yes == 200 { vec![bob.id] } else { vec![] };
    assert_eq!(list(&mut alee).await, expected);
}

#[tokio::test]
async fn unsubscribe_removes_ones_own_side_alone() {
    let (_server, mut alee, mut bob) = two().await;
    for payload in [json!({"to": bob.id.to_string()}), json!({"id": bob.id}), json!({"to": bob.id, "id": 4711})] {
        alee.code("subscribe", json!({"to": bob.id})).await;
        bob.code("reply", json!({"to": alee.id})).await;
        assert_eq!(list(&mut alee).await, [bob.id], "{payload}");
        assert_eq!(alee.ok("unsubscribe", payload.clone()).await, json!({"code": 200}));
        assert_eq!(list(&mut alee).await, [Value::Null; 0], "{payload}");
        assert_eq!(list(&mut bob).await, [alee.id], "{payload}");
    }
}

#[tokio::test]
async fn unsubscribe_has_no_event() {
    let (_server, mut alee, mut bob) = two().await;
    befriend(&mut alee, &mut bob).await;
    alee.ok("unsubscribe", json!({"to": bob.id})).await;
    bob.heard_nothing(&mut alee).await;
    alee.heard_nothing(&mut bob).await;
}

#[tokio::test]
async fn unsubscribe_of_nobody_is_200_and_of_nothing_403() {
    let (_server, mut alee, bob) = two().await;
    for to in [json!(bob.id), json!(4711), json!("abc"), json!(-1), json!({"$gt": 0})] {
        alee.ok("unsubscribe", json!({"to": to})).await;
    }
    for payload in [json!({}), json!({"to": null}), json!({"to": "", "id": null})] {
        assert_eq!(alee.code("unsubscribe", payload.clone()).await, 403, "{payload}");
    }
}

#[tokio::test]
async fn who_unsubscribed_may_ask_again() {
    let (_server, mut alee, mut bob) = two().await;
    befriend(&mut alee, &mut bob).await;
    alee.ok("unsubscribe", json!({"to": bob.id})).await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    assert_eq!(bob.next("message").await["type"], "request-subscription");
    bob.ok("reply", json!({"to": alee.id})).await;
    assert_eq!(alee.next("message").await["type"], "agree");
    assert_eq!(list(&mut alee).await, [bob.id]);
}

#[tokio::test]
async fn the_list_shows_people_with_presence_and_group() {
    let (server, mut alee, mut bob) = two().await;
    let mut carol = server.person("carol").await;
    befriend(&mut alee, &mut bob).await;
    befriend(&mut carol, &mut alee).await;
    bob.ok("profile", json!({"doc": {"nick": "B", "groups": [{"name": "mine"}]}})).await;
    carol.ok("presence", json!({"presence": "隐身"})).await;
    alee.ok("group", json!({"to": bob.id, "group": "家人"})).await;
    let bob_item = json!({"id": bob.id, "username": "bob", "nick": "B", "group": "家人", "presence": "在线"});
    let carol_item = json!({"id": carol.id, "username": "carol", "presence": "离线"});
    let reply = alee.ok("friends", json!({})).await;
    assert_eq!(reply, json!({"code": 200, "list": [bob_item, carol_item]}));
}

#[tokio::test]
async fn the_list_may_be_narrowed_to_one() {
    let (server, mut alee, mut bob) = two().await;
    let carol = server.person("carol").await;
    befriend(&mut alee, &mut bob).await;
    for (id, expected) in [
        (json!(bob.id), vec![bob.id]),
        (json!(bob.id.to_string()), vec![bob.id]),
        (json!(null), vec![bob.id]),
        (json!(carol.id), vec![]),
        (json!(alee.id), vec![]),
        (json!(4711), vec![]),
        (json!("abc"), vec![]),
        (json!(-1), vec![]),
        (json!(1.5), vec![]),
        (json!({"$gt": 0}), vec![]),
    ] {
        let reply = alee.ok("friends", json!({"id": id})).await;
        assert_eq!(each(&reply["list"], "id"), expected, "{id}");
    }
}

#[tokio::test]
async fn a_group_is_ones_own_name_for_a_friend() {
    let (_server, mut alee, mut bob) = two().await;
    befriend(&mut alee, &mut bob).await;
    assert_eq!(alee.ok("group", json!({"to": bob.id.to_string(), "group": "a"})).await, json!({"code": 200}));
    alee.ok("group", json!({"to": bob.id, "group": "b"})).await;
    assert_eq!(alee.ok("friends", json!({})).await["list"][0]["group"], "b");
    assert_eq!(bob.ok("friends", json!({})).await["list"][0].get("group"), None);
    // Nobody else sees it, not even in what that friend says.
    bob.say(alee.id, "x").await;
    assert_eq!(alee.hears("x").await["from"].get("group"), None);
    assert_eq!(alee.ok("find", json!({"id": bob.id})).await["users"][0].get("group"), None);
}

#[tokio::test]
async fn a_group_needs_a_friend_and_a_name() {
    let (server, mut alee, mut bob) = two().await;
    let carol = server.person("carol").await;
    befriend(&mut alee, &mut bob).await;
    for (payload, expected) in [
        (json!({}), 403),
        (json!({"group": "g"}), 403),
        (json!({"to": null, "group": "g"}), 403),
        (json!({"to": "", "group": "g"}), 403),
        (json!({"to": bob.id}), 403),
        (json!({"to": bob.id, "group": ""}), 403),
        (json!({"to": bob.id, "group": null}), 403),
        (json!({"to": bob.id, "group": {"$gt": ""}}), 403),
        (json!({"to": bob.id, "group": "<b>"}), 403),
        (json!({"to": bob.id, "group": "字".repeat(65)}), 403),
        (json!({"to": carol.id, "group": "g"}), 404),
        (json!({"to": 4711, "group": "g"}), 404),
        (json!({"to": "abc", "group": "g"}), 404),
        (json!({"to": {"$gt": 0}, "group": "g"}), 404),
    ] {
        assert_eq!(alee.code("group", payload.clone()).await, expected, "{payload}");
    }
    // Who has only asked is in nobody's list.
    alee.ok("subscribe", json!({"to": carol.id})).await;
    assert_eq!(alee.code("group", json!({"to": carol.id, "group": "g"})).await, 404);
    assert_eq!(alee.ok("friends", json!({})).await["list"][0].get("group"), None);
}

#[tokio::test]
async fn a_list_has_an_end() {
    let server = Server::with(|config| config.friends_max = 2).await;
    let mut alee = server.person("alee").await;
    for name in ["bob", "carol", "dave"] {
        server.person(name).await;
    }
    for (name, expected) in [("bob", 200), ("carol", 200), ("dave", 403)] {
        let to = alee.ok("find", json!({"username": name})).await["users"][0]["id"].clone();
        assert_eq!(alee.code("subscribe", json!({"to": to})).await, expected, "{name}");
    }
}

#[tokio::test]
async fn friendships_and_groups_outlive_the_server() {
    let (server, mut alee, mut bob) = two().await;
    befriend(&mut alee, &mut bob).await;
    alee.ok("group", json!({"to": bob.id, "group": "g"})).await;
    let (alee_id, bob_id) = (alee.id, bob.id);
    alee.close().await;
    bob.close().await;
    let server = server.restart().await;
    let mut alee = server.device("alee").await;
    let friends = alee.ok("friends", json!({})).await;
    assert_eq!(friends["list"], json!([{"id": bob_id, "username": "bob", "group": "g", "presence": "离线"}]));
    let _bob = server.device("bob").await;
    assert_eq!(alee.next("presence").await, json!({"id": bob_id, "presence": "在线"}));
    assert_ne!(alee_id, bob_id);
}
