//! What was sent to a session that ends: nothing is lost, and what surely arrived does not come again.

use std::time::Duration;

use serde_json::json;

use super::quick;
use crate::support::{Old, Server, TRANSPORTS, until};

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

/// Says something as alee, who comes for it and goes: with heartbeats this short, who does not read is soon gone.
async fn say(server: &Server, id: i64, texts: &[&str]) {
    let mut alee = server.device("alee").await;
    for text in texts {
        alee.say(id, text).await;
    }
}

/// Bob gets these and nothing else.
async fn bob_hears(server: &Server, transport: &'static str, texts: &[&str]) -> Old {
    let mut bob = server.old_device("bob", transport).await;
    say(server, bob.id, &["marker"]).await;
    for text in texts {
        bob.hears(text).await;
    }
    bob.hears("marker").await;
    bob
}

#[tokio::test]
async fn what_a_client_that_vanished_did_not_fetch_comes_again() {
    for transport in TRANSPORTS {
        let server = quick().await;
        server.person("alee").await;
        let bob = server.old_person("bob", transport).await;
        say(&server, bob.id, &["one", "two"]).await;
        bob.vanish();
        all_gone(&server).await;
        bob_hears(&server, transport, &["one", "two"]).await;
    }
}

/// An answer that was written is none that was read: only the next poll shows that. Even a goodbye does not.
#[tokio::test]
async fn what_the_last_poll_brought_comes_again_if_no_other_one_followed() {
    for transport in ["xhr-polling", "jsonp-polling"] {
        let server = quick().await;
        server.person("alee").await;
        let mut bob = server.old_person("bob", transport).await;
        say(&server, bob.id, &["one"]).await;
        bob.hears("one").await;
        bob.vanish();
        all_gone(&server).await;
        let mut bob = bob_hears(&server, transport, &["one"]).await;
        bob.send("0::").await;
        all_gone(&server).await;
        let mut bob = server.old_device("bob", transport).await;
        let again = bob.next("message").await;
        assert!(again["message"] == "one" || again["message"] == "marker", "{again}");
    }
}

#[tokio::test]
async fn what_arrived_before_a_goodbye_does_not_come_again() {
    for transport in TRANSPORTS {
        let server = Server::start().await;
        server.person("alee").await;
        let mut bob = server.old_person("bob", transport).await;
        say(&server, bob.id, &["one", "two"]).await;
        bob.hears("one").await;
        bob.hears("two").await;
        if transport == "websocket" {
            bob.send("0::").await;
            bob.gone().await;
        } else {
            // Over polling it is the next poll that shows it.
            let poll = bob.http.poll();
            tokio::time::sleep(Duration::from_millis(200)).await;
            bob.send("0::").await;
            poll.answer().await;
        }
        all_gone(&server).await;
        bob_hears(&server, transport, &[]).await;
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
    server.person("alee").await;
    let mut bob = server.old_person("bob", "xhr-polling").await;
    say(&server, bob.id, &["one"]).await;
    // It takes the message late, and then is gone: longer in all than two heartbeats of newer clients.
    tokio::time::sleep(Duration::from_millis(600)).await;
    bob.hears("one").await;
    bob.vanish();
    all_gone(&server).await;
    bob_hears(&server, "xhr-polling", &["one"]).await;
}
