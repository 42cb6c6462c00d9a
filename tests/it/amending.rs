//! Changing what one has said, taking it back, answering it.

use serde_json::{Value, json};

use crate::support::{Client, Server, texts};

async fn history(client: &mut Client, of: Value) -> Value {
    client.ok("history", of).await["messages"].take()
}

#[tokio::test]
async fn an_edit_reaches_everybody_and_history() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut phone = server.modern_device(&alee).await;
    let seq = alee.says(bob.id, "helo").await;
    for device in [&mut alee, &mut phone, &mut bob] {
        assert_eq!(device.next_message().await["text"], "helo");
    }
    let edit = json!({"to": bob.id, "seq": seq, "message": "<b>hello</b><script>x()</script>"});
    let reply = alee.ok("edit", edit).await;
    for device in [&mut alee, &mut phone, &mut bob] {
        let change = device.next_message().await;
        assert_eq!(change["type"], "edit");
        assert_eq!(
            (&change["target"], &change["seq"], &change["text"]),
            (&json!(seq), &reply["seq"], &json!("<b>hello</b>"))
        );
        assert!(change.get("reply").is_none(), "{change}");
    }
    let page = history(&mut bob, json!({"to": alee.id})).await;
    assert_eq!(texts(&page), ["<b>hello</b>"]);
    assert_eq!(page[0]["edited"], reply["at"]);

    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": "a < b", "format": "plain"})).await;
    let page = history(&mut alee, json!({"to": bob.id})).await;
    assert_eq!((&page[0]["text"], &page[0]["format"]), (&json!("a < b"), &json!("plain")));
}

#[tokio::test]
async fn a_recall_leaves_nothing_behind() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let seq = alee.says(bob.id, "secret plan").await;
    bob.next_message().await;
    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": "secret plan 2"})).await;
    bob.next_message().await;
    bob.ok("message", json!({"to": alee.id, "message": "really?", "reply": seq})).await;
    assert_eq!(bob.next_message().await["reply"], json!({"seq": seq, "from": alee.id, "text": "secret plan 2"}));
    alee.ok("recall", json!({"to": bob.id, "seq": seq})).await;
    let recall = bob.next_message().await;
    assert_eq!((&recall["type"], &recall["target"], &recall["text"]), (&json!("recall"), &json!(seq), &json!("")));

    let page = history(&mut bob, json!({"to": alee.id, "after": 0})).await;
    assert_eq!(page[0]["type"], "recalled");
    assert!(page[0].get("edited").is_none(), "{page}");
    assert_eq!(page[1]["reply"], json!({"seq": seq}));
    let everything = bob.ok("resume", json!({"marks": [{"to": alee.id, "seq": 0}]})).await;
    assert!(!everything.to_string().contains("secret"), "{everything}");
    // Clients of 2013 read a word for it.
    let log = bob.ok("log", json!({})).await;
    assert_eq!(log["docs"].as_array().unwrap().len(), 1);
    assert_eq!(log["docs"][0]["message"], "此消息已撤回");

    for command in ["recall", "edit"] {
        let again = json!({"to": bob.id, "seq": seq, "message": "x"});
        assert_eq!(alee.ack(command, again).await["reason"], "no_such_message", "{command}");
    }
}

#[tokio::test]
async fn only_ones_own_words_can_be_changed() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    let seq = alee.says(bob.id, "mine").await;
    alee.ok("subscribe", json!({"to": bob.id})).await;
    let room = alee.ok("room.create", json!({"name": "tea"})).await["room"]["id"].clone();
    for command in ["edit", "recall"] {
        for (data, code) in [
            (json!({"to": bob.id, "seq": 99}), 404),
            (json!({"to": bob.id, "seq": seq + 1}), 404),
            (json!({"to": carol.id, "seq": 1}), 404),
            (json!({"to": 4711, "seq": 1}), 404),
            (json!({"room": room, "seq": 1}), 404),
            (json!({"room": 4711, "seq": 1}), 404),
            (json!({"to": bob.id}), 400),
            (json!({"to": bob.id, "seq": -1}), 400),
            (json!({"seq": seq}), 400),
        ] {
            let mut data = data;
            data["message"] = json!("x");
            assert_eq!(alee.code(command, data.clone()).await, code, "{command} {data}");
        }
        let theirs = json!({"to": alee.id, "seq": seq, "message": "x"});
        assert_eq!(bob.code(command, theirs).await, 404);
        let outside = json!({"room": room, "seq": 1, "message": "x"});
        assert_eq!(carol.ack(command, outside).await["reason"], "not_a_member");
    }
    assert_eq!(alee.code("edit", json!({"to": bob.id, "seq": seq})).await, 400);
    assert_eq!(alee.code("edit", json!({"to": bob.id, "seq": seq, "message": "x", "format": "rtf"})).await, 400);
    assert_eq!(texts(&history(&mut bob, json!({"to": alee.id, "after": 0, "limit": 1})).await), ["mine"]);
}

#[tokio::test]
async fn both_have_an_end() {
    let server = Server::with(|config| {
        config.recall_max_ms = 0;
        config.edit_max_ms = 60_000;
    })
    .await;
    let (mut alee, bob) = (server.modern("alee").await, server.modern("bob").await);
    let seq = alee.says(bob.id, "said").await;
    server.database.execute("update messages set stored_ms = stored_ms - 1000").await;
    let reply = alee.ack("recall", json!({"to": bob.id, "seq": seq})).await;
    assert_eq!((&reply["code"], &reply["reason"]), (&json!(403), &json!("too_late")));
    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": "written"})).await;
    server.database.execute("update messages set stored_ms = stored_ms - 60000").await;
    assert_eq!(alee.code("edit", json!({"to": bob.id, "seq": seq, "message": "x"})).await, 403);
}

#[tokio::test]
async fn old_clients_hear_nothing_of_it_and_lose_nothing() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.person("bob").await;
    let seq = alee.says(bob.id, "one").await;
    bob.hears("one").await;
    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": "uno"})).await;
    alee.ok("recall", json!({"to": bob.id, "seq": seq})).await;
    alee.says(bob.id, "two").await;
    bob.hears("two").await;
    bob.ok("signout", json!({})).await;
    let seq = alee.says(bob.id, "three").await;
    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": "drei"})).await;
    alee.says(bob.id, "four").await;
    bob.sign_in().await;
    bob.hears("drei").await;
    bob.hears("four").await;
    let log = bob.ok("log", json!({})).await["docs"].clone();
    let log: Vec<_> = log.as_array().unwrap().iter().map(|doc| doc["message"].as_str().unwrap()).collect();
    assert_eq!(log, ["此消息已撤回", "two", "drei", "four"]);
}

#[tokio::test]
async fn answers_quote() {
    let server = Server::start().await;
    let (mut alee, mut bob) = (server.modern("alee").await, server.modern("bob").await);
    let mut carol = server.modern("carol").await;
    let long = format!("<div>{}</div>", "字".repeat(300));
    let seq = alee.says(bob.id, &long).await;
    bob.ok("message", json!({"to": alee.id, "message": "yes", "reply": seq, "cid": "1"})).await;
    let page = history(&mut alee, json!({"to": bob.id})).await;
    assert_eq!(page[0]["reply"], json!({"seq": seq, "from": alee.id, "text": "字".repeat(200)}));
    assert!(page[1].get("reply").is_none());

    let room = alee.ok("room.create", json!({"name": "tea"})).await["room"]["id"].clone();
    alee.ok("room.message", json!({"room": room, "message": "before carol"})).await;
    carol.ok("room.join", json!({"id": room})).await;
    for (command, data) in [
        ("message", json!({"to": bob.id, "message": "x", "reply": 99})),
        ("message", json!({"to": bob.id, "message": "x", "reply": 0})),
        ("room.message", json!({"room": room, "message": "x", "reply": 1})),
    ] {
        assert_eq!(carol.ack(command, data.clone()).await["reason"], "no_such_message", "{data}");
    }
    alee.ok("room.message", json!({"room": room, "message": "y", "reply": 1})).await;
}

#[tokio::test]
async fn formats_are_html_or_plain() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.person("bob").await;
    alee.ok("message", json!({"to": bob.id, "message": "<i>1</i> < 2", "format": "plain"})).await;
    bob.hears("&lt;i&gt;1&lt;/i&gt; &lt; 2").await;
    let plain = history(&mut alee, json!({"to": bob.id})).await;
    assert_eq!((&plain[0]["text"], &plain[0]["format"]), (&json!("<i>1</i> < 2"), &json!("plain")));
    let reply = alee.ack("message", json!({"to": bob.id, "message": "x", "format": "markdown"})).await;
    assert_eq!(reply["code"], 404);
}
