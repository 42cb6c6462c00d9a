//! Pictures and files in messages.

use image::ImageFormat;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Form, Server, picture, until};

async fn upload(server: &Server, by: &crate::support::Client) -> Value {
    server.upload(by, Form::file("cat.png", picture(8, 4, ImageFormat::Png))).await
}

#[tokio::test]
async fn a_picture_and_a_file_reach_everybody_in_their_words() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.modern("bob").await;
    let mut old = server.newcomer("bob").await;
    old.sign_in().await;
    let image = upload(&server, &alee).await;
    let reply = alee.ok("message", json!({"to": bob.id, "message": "", "file": image["url"], "cid": "1"})).await;
    let heard = bob.next_message().await;
    assert_eq!((&heard["type"], &heard["file"], &heard["seq"]), (&json!("image"), &image, &reply["seq"]));
    assert_eq!((&image["width"], &image["height"]), (&json!(8), &json!(4)));
    let url = image["url"].as_str().unwrap();
    old.hears(&format!(r#"<img src="{url}" alt="cat.png" />"#)).await;

    let file = server.upload(&alee, Form::file("a&b.txt", "x")).await;
    alee.ok("message", json!({"to": bob.id, "message": "read <b>this</b>", "file": file["url"]})).await;
    let heard = bob.next_message().await;
    assert_eq!((&heard["type"], &heard["file"], &heard["text"]), (&json!("file"), &file, &json!("read <b>this</b>")));
    let url = file["url"].as_str().unwrap();
    old.hears(&format!(r#"<a href="{url}">a&amp;b.txt</a> read <b>this</b>"#)).await;

    for _ in 0..2 {
        alee.next_message().await;
    }
    let room = alee.room("tea").await;
    bob.join(room).await;
    old.next("room.join").await;
    alee.next("room.join").await;
    alee.ok("room.message", json!({"room": room, "message": "", "file": image["url"]})).await;
    assert_eq!(bob.next_message().await["file"], image);
    let page = bob.ok("history", json!({"to": alee.id})).await;
    assert_eq!((&page["messages"][0]["file"], &page["messages"][1]["file"]), (&file, &image));
    // What answers a picture quotes its name.
    bob.ok("message", json!({"to": alee.id, "message": "nice", "reply": 1})).await;
    alee.next_message().await;
    assert_eq!(alee.next_message().await["reply"]["text"], "cat.png");
}

#[tokio::test]
async fn only_ones_own_uploads_can_be_sent() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let mut bob = server.modern("bob").await;
    let image = upload(&server, &alee).await;
    let url = image["url"].as_str().unwrap();
    for file in [
        json!(url.replace(".png", ".jpg")),
        json!(format!("{url}x")),
        json!(format!("http://x{url}")),
        json!("/public/files/nodeim-server/../secret"),
        json!("/etc/passwd"),
        json!(1),
    ] {
        let reply = alee.ack("message", json!({"to": bob.id, "message": "x", "file": file})).await;
        assert_eq!((&reply["code"], &reply["reason"]), (&json!(404), &json!("no_such_file")), "{file}");
    }
    let reply = bob.ack("message", json!({"to": alee.id, "message": "x", "file": url})).await;
    assert_eq!(reply["reason"], "no_such_file");
    assert_eq!(alee.ok("history", json!({"to": bob.id})).await["messages"], json!([]));
    // Without a file there must be words.
    let room = alee.room("tea").await;
    assert_eq!(alee.code("room.message", json!({"room": room, "message": ""})).await, 404);
    assert_eq!(alee.code("message", json!({"to": bob.id, "file": ""})).await, 404);
}

#[tokio::test]
async fn messages_keep_what_they_show_until_it_is_taken_back() {
    let server = Server::start().await;
    let mut alee = server.modern("alee").await;
    let bob = server.modern("bob").await;
    let attached = upload(&server, &alee).await;
    let shown = upload(&server, &alee).await;
    let edited = upload(&server, &alee).await;
    let taken_back = upload(&server, &alee).await;
    let unused = upload(&server, &alee).await;
    let image = |card: &Value| format!(r#"<img src="{}" />"#, card["url"].as_str().unwrap());
    alee.ok("message", json!({"to": bob.id, "message": "", "file": attached["url"]})).await;
    alee.says(bob.id, &image(&shown)).await;
    let seq = alee.says(bob.id, "x").await;
    alee.ok("edit", json!({"to": bob.id, "seq": seq, "message": image(&edited)})).await;
    let seq =
        alee.ok("message", json!({"to": bob.id, "message": "", "file": taken_back["url"], "cid": "t"})).await["seq"]
            .clone();
    alee.ok("recall", json!({"to": bob.id, "seq": seq})).await;

    let server = server
        .restart_with(|config| {
            config.cleanup_interval_ms = 20;
            config.unused_file_max_ms = 0;
        })
        .await;
    let is_there = async |card: &Value| server.get(card["url"].as_str().unwrap()).await.status() == StatusCode::OK;
    until("the cleanup", async || !is_there(&unused).await && !is_there(&taken_back).await).await;
    for card in [&attached, &shown, &edited] {
        assert!(is_there(card).await, "{card}");
    }
}
