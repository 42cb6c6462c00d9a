//! Messages to one person and to everybody.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn a_message_is_pushed_before_it_is_answered() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let mut bob = server.mumi_person("bob@example.com").await;
    alee.write_to(&bob.id, "hello").await;
    let reply = alee.reply().await;
    assert_eq!(reply, json!({"code": 201, "msg": "訊息發送成功", "data": null}));
    let push = bob.hears("hello").await;
    assert_eq!((&push["sender"], &push["recipient"]), (&json!(alee.id), &json!(bob.id)));
    let time = push["created_at"].as_str().unwrap();
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{time}");
    assert!(push["id"].is_string());
    // The sender gets no copy, but to oneself one can write: the push comes first there, too.
    alee.heard_nothing().await;
    alee.write_to(&alee.id.clone(), "note").await;
    alee.hears("note").await;
    assert_eq!(alee.reply().await["code"], 201);
}

#[tokio::test]
async fn what_one_writes_to_oneself_right_after_the_login_comes_before_its_answer() {
    let server = Server::start().await;
    let alee = server.mumi_person("alee@example.com").await;
    let id = alee.id.clone();
    alee.close().await;
    let mut alee = server.mumi_again("alee@example.com").await;
    alee.write_to(&id, "note").await;
    alee.hears("note").await;
    assert_eq!(alee.reply().await["code"], 201);
}

#[tokio::test]
async fn messages_need_a_login_a_recipient_and_a_text() {
    let server = Server::with(|config| config.mumichat_message_max_bytes = 100).await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let id = alee.id.clone();
    let mut stranger = server.mumi().await;
    stranger.write_to(&id, "x").await;
    assert_eq!(stranger.reply().await, json!({"code": 10007, "msg": "please login first", "data": null}));
    for recipient in ["", "100000999", "1", "x", "999999999", "12345678901234567890"] {
        alee.write_to(recipient, "x").await;
        let reply = alee.reply().await;
        assert_eq!(reply, json!({"code": 10008, "msg": "user is not online", "data": null}), "{recipient}");
    }
    alee.raw(r#"{"type":"message","data":{"content":"x"}}"#).await;
    assert_eq!(alee.reply().await["code"], 10008);
    alee.raw(
        &json!({"type": "message", "data": {"recipient": id.parse::<i64>().unwrap(), "content": "by number"}})
            .to_string(),
    )
    .await;
    alee.hears("by number").await;
    assert_eq!(alee.reply().await["code"], 201);
    for content in [String::new(), "x".repeat(101)] {
        alee.write_to(&id, &content).await;
        assert_eq!(alee.reply().await, json!({"code": 500, "msg": "failed", "data": null}));
    }
    alee.raw(&json!({"type": "message", "data": {"recipient": id, "content": 7}}).to_string()).await;
    assert_eq!(alee.reply().await["code"], 500);
    // Silence was kept about nothing.
    alee.heard_nothing().await;
}

/// Old server: the text was lost, and after a disconnect the sender was told the opposite.
#[tokio::test]
async fn who_was_away_gets_what_they_missed_in_order() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let bob = server.mumi_person("bob@example.com").await;
    let id = bob.id.clone();
    bob.close().await;
    alee.sees_going(&id).await;
    for n in 0..50 {
        assert_eq!(alee.say(&id, &format!("missed {n}")).await, 10008);
    }
    let mut bob = server.mumi_again("bob@example.com").await;
    assert_eq!(alee.say(&id, "live").await, 201);
    for n in 0..50 {
        bob.hears(&format!("missed {n}")).await;
    }
    bob.hears("live").await;
    // Once is enough: bob's connection ended well.
    bob.close().await;
    let mut bob = server.mumi_again("bob@example.com").await;
    bob.heard_nothing().await;
}

#[tokio::test]
async fn missed_messages_outlive_a_restart() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let bob = server.mumi_person("bob@example.com").await;
    let id = bob.id.clone();
    bob.close().await;
    alee.say(&id, "kept").await;
    let server = server.restart().await;
    server.mumi_again("bob@example.com").await.hears("kept").await;
}

#[tokio::test]
async fn texts_arrive_as_they_were() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let mut bob = server.mumi_person("bob@example.com").await;
    for text in ["你好，世界", "😀👨‍👩‍👧", "one\ntwo\r\n\tthree", "<b>&amp;</b>", "it's \"quoted\" \\n", " ", "a"]
    {
        assert_eq!(alee.say(&bob.id, text).await, 201);
        bob.hears(text).await;
    }
}

#[tokio::test]
async fn a_broadcast_reaches_all_others() {
    let server = Server::start().await;
    let mut stranger = server.mumi().await;
    assert_eq!(stranger.broadcast("x").await, 10007);
    let mut alee = server.mumi_person("alee@example.com").await;
    assert_eq!(alee.broadcast("to nobody").await, 204);
    let mut bob = server.mumi_person("bob@example.com").await;
    let mut carol = server.mumi_person("carol@example.com").await;
    alee.raw(r#"{"type":"broadcast","data":{"content":"to all"}}"#).await;
    assert_eq!(alee.reply().await, json!({"code": 204, "msg": "broadcast success", "data": null}));
    for other in [&mut bob, &mut carol] {
        let push = other.hears("to all").await;
        assert_eq!((&push["sender"], &push["recipient"]), (&json!(alee.id), &json!("")));
        assert!(push["created_at"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(alee.broadcast("").await, 500);
    for silent in [&mut alee, &mut stranger] {
        silent.heard_nothing().await;
    }
}

#[tokio::test]
async fn broadcasts_are_limited() {
    let server = Server::with(|config| config.rate_broadcasts_per_minute = 2).await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let codes = [alee.broadcast("1").await, alee.broadcast("2").await, alee.broadcast("3").await];
    assert_eq!(codes, [204, 204, 500]);
}

#[tokio::test]
async fn after_a_disconnect_one_is_away_at_once() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let bob = server.mumi_person("bob@example.com").await;
    let id = bob.id.clone();
    // Without a goodbye.
    drop(bob);
    alee.sees_going(&id).await;
    assert_eq!(alee.say(&id, "later").await, 10008);
    server.mumi_again("bob@example.com").await.hears("later").await;
}

/// Senders of one conversation are heard in the order in which they were answered.
#[tokio::test]
async fn order_is_that_of_acceptance() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let mut bob = server.mumi_person("bob@example.com").await;
    for n in 0..500 {
        alee.write_to(&bob.id, &n.to_string()).await;
    }
    for n in 0..500 {
        bob.hears(&n.to_string()).await;
        assert_eq!(alee.reply().await["code"], 201);
    }
}
