//! What was sent to a session that ends: nothing is lost, and what surely arrived does not come again.

use serde_json::json;

use super::quick;
use crate::support::{Client, Server, TRANSPORTS, until};

/// The server has noticed that there is no session of 0.9 left.
async fn all_gone(server: &Server) {
    until("the end of the sessions", async || {
        let mut left = 0.0;
        for transport in ["websocket09", "xhr09", "jsonp09"] {
            left += server.metric(&format!("nodeim_connections{{transport=\"{transport}\"}}")).await;
        }
        left == 0.0
    })
    .await;
}

async fn say(alee: &mut Client, id: i64, texts: &[&str]) {
    for text in texts {
        alee.say(id, text).await;
    }
}

#[tokio::test]
async fn what_a_client_that_vanished_did_not_fetch_comes_again() {
    let server = quick().await;
    let mut alee = server.person("alee").await;
    for transport in TRANSPORTS {
        let username = format!("bob-{transport}");
        let bob = server.old_person(&username, transport).await;
        let id = bob.id;
        say(&mut alee, id, &["one", "two"]).await;
        bob.vanish();
        all_gone(&server).await;
        let mut bob = server.old_device(&username, transport).await;
        for text in ["one", "two"] {
            bob.hears(text).await;
        }
        bob.heard_nothing(&mut alee).await;
        bob.send("0::").await;
        all_gone(&server).await;
    }
}

/// An answer that was written is none that was read: only the next poll shows that.
#[tokio::test]
async fn what_the_last_poll_brought_comes_again_if_no_other_one_followed() {
    let server = quick().await;
    let mut alee = server.person("alee").await;
    for transport in ["xhr-polling", "jsonp-polling"] {
        let username = format!("bob-{transport}");
        let mut bob = server.old_person(&username, transport).await;
        say(&mut alee, bob.id, &["one"]).await;
        bob.hears("one").await;
        bob.vanish();
        all_gone(&server).await;
        let mut bob = server.old_device(&username, transport).await;
        bob.hears("one").await;
        bob.heard_nothing(&mut alee).await;
        // Even a goodbye proves nothing without a poll.
        bob.send("0::").await;
        all_gone(&server).await;
        let mut bob = server.old_device(&username, transport).await;
        let again = bob.next("message").await;
        assert!(again["message"].as_str().unwrap().starts_with("marker"), "{again}");
        bob.send("0::").await;
        all_gone(&server).await;
    }
}

#[tokio::test]
async fn what_arrived_before_a_goodbye_does_not_come_again() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    for transport in TRANSPORTS {
        let username = format!("bob-{transport}");
        let mut bob = server.old_person(&username, transport).await;
        say(&mut alee, bob.id, &["one", "two"]).await;
        bob.hears("one").await;
        bob.hears("two").await;
        // Over polling this takes another poll.
        bob.ok("friends", json!({})).await;
        bob.ok("friends", json!({})).await;
        let poll = bob.http.clone();
        if transport != "websocket" {
            bob.send("1::").await;
            assert_eq!(poll.get().await, ["1::"]);
            let poll = tokio::spawn(async move { poll.get().await });
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            bob.send("0::").await;
            poll.await.unwrap();
        } else {
            bob.send("0::").await;
            bob.gone().await;
        }
        all_gone(&server).await;
        let mut bob = server.old_device(&username, transport).await;
        bob.heard_nothing(&mut alee).await;
        bob.vanish();
    }
}

/// More than a client may have waiting, and more than a page.
#[tokio::test]
async fn a_large_backlog_comes_whole_and_in_order() {
    let server = Server::with(|config| {
        config.socket_buffer_packets = 16;
        config.outbox_max_frames = 4;
        config.replay_page = 10;
    })
    .await;
    let mut alee = server.person("alee").await;
    for transport in TRANSPORTS {
        let mut bob = server.old_person(&format!("bob-{transport}"), transport).await;
        bob.ok("signout", json!({})).await;
        for n in 0..100 {
            alee.say(bob.id, &n.to_string()).await;
        }
        bob.sign_in().await;
        for n in 0..100 {
            bob.hears(&n.to_string()).await;
        }
        bob.heard_nothing(&mut alee).await;
    }
    assert_eq!(server.metric("nodeim_outbox_overflows_total").await, 0.0);
}

/// Messages age into the store's marks only when every transport would have noticed by then that its client is dead.
#[tokio::test]
async fn marks_do_not_age_before_a_dead_poller_is_noticed() {
    let server = quick().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.old_person("bob", "xhr-polling").await;
    say(&mut alee, bob.id, &["one"]).await;
    // It takes the message as late as it may, and then is gone: longer in all than two heartbeats of newer clients.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    bob.hears("one").await;
    bob.vanish();
    all_gone(&server).await;
    let mut bob = server.old_device("bob", "xhr-polling").await;
    bob.hears("one").await;
    bob.heard_nothing(&mut alee).await;
}
