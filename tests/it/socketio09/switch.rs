//! One session, several transports: the newest one wins.

use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::quick;
use crate::support::{Http, Server, TRANSPORTS, within};

#[tokio::test]
async fn a_session_goes_on_over_another_transport() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for first in TRANSPORTS {
        for second in TRANSPORTS.into_iter().filter(|second| *second != first) {
            let mut bob = server.old_person(&format!("bob {first} {second}"), first).await;
            // Somebody signed in stays so, and hears what was said in between.
            let before = bob.switch(second).await;
            bob.ok("friends", json!({})).await;
            alee.say(bob.id, "over the new one").await;
            bob.hears("over the new one").await;
            bob.heard_nothing(&mut alee).await;
            drop(before);
            // The end of the old transport is none of the session.
            alee.say(bob.id, "after the old one").await;
            bob.hears("after the old one").await;
        }
    }
}

#[tokio::test]
async fn an_open_poll_is_ended_when_the_session_moves() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for second in ["websocket", "jsonp-polling"] {
        let mut bob = server.old_person(&format!("bob {second}"), "xhr-polling").await;
        let poll = bob.http.poll();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        bob.switch(second).await;
        assert_eq!(poll.answer().await, ["8::"]);
        alee.say(bob.id, "hi").await;
        bob.hears("hi").await;
    }
}

/// Closing it would make a client that has moved on start again.
#[tokio::test]
async fn a_websocket_that_was_replaced_stays_and_is_not_listened_to() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.old_person("bob", "websocket").await;
    let mut replaced = bob.switch("xhr-polling").await.unwrap();
    let packet = format!("5:::{}", json!({"name": "message", "args": [{"data": {"to": alee.id, "message": "lost"}}]}));
    futures_util::SinkExt::send(&mut replaced, Message::text(packet)).await.unwrap();
    bob.ok("message", json!({"to": alee.id, "message": "heard"})).await;
    alee.hears("heard").await;
    alee.say(bob.id, "hi").await;
    bob.hears("hi").await;
    // There is one at most: the next one that is replaced ends it.
    let before = bob.switch("websocket").await;
    assert!(before.is_none());
    let newer = bob.switch("xhr-polling").await.unwrap();
    assert!(matches!(within("its end", replaced.next()).await, None | Some(Err(_) | Ok(Message::Close(_)))));
    drop(newer);
    bob.ok("friends", json!({})).await;
    // The session's end is the end of what is left.
    let mut left = {
        bob.switch("websocket").await;
        bob.switch("xhr-polling").await.unwrap()
    };
    bob.send("0::").await;
    while let Some(Ok(message)) = within("the end", left.next()).await {
        assert!(!matches!(message, Message::Text(_)), "{message:?}");
    }
}

/// A promised session may be asked for by several requests at once.
#[tokio::test]
async fn all_first_requests_reach_one_session() {
    let server = quick().await;
    for _ in 0..20 {
        let http = Http::handshake(server.address, "xhr-polling").await;
        let (one, two, three, four) = tokio::join!(http.get(), http.get(), http.get(), http.get());
        let answers = [one, two, three, four].concat();
        assert_eq!(answers.iter().filter(|packet| *packet == "1::").count(), 1, "{answers:?}");
        assert!(!answers.iter().any(|packet| packet == "7:::1+0"), "{answers:?}");
    }
}
