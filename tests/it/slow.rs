//! Clients that do not read, or have much to read.

use serde_json::json;

use crate::support::{Client, Server, until};

const TEXT_BYTES: usize = 60_000;

fn numbered(n: usize) -> String {
    format!("{n} {}", "x".repeat(TEXT_BYTES))
}

/// The numbers in front of the messages that `client` has had so far.
fn numbers(client: &Client) -> Vec<usize> {
    let messages = client.pending().filter(|(name, _)| name == "message");
    let number = |text: &str| text.split(' ').next().unwrap().parse().unwrap();
    messages.map(|(_, data)| number(data["message"].as_str().unwrap())).collect()
}

/// Reads until the connection has nothing new, which the marker after it shows, and returns the numbers.
async fn read_up_to(client: &mut Client, last: usize) -> Vec<usize> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        let (_, data) = client.next_event("message").await;
        heard.extend(data["message"].as_str().and_then(|text| text.split(' ').next()?.parse::<usize>().ok()));
    }
    heard
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_while_others_go_on_and_misses_nothing() {
    let server = Server::with(|config| {
        config.outbox_max_frames = 16;
        config.replay_page = 4;
        config.socket_buffer_packets = 16;
        config.socket_buffer_bytes = 16 * 1024;
    })
    .await;
    let mut alee = server.person("alee").await;
    let mut carol = server.person("carol").await;
    let mut bob = Client::connect_narrow(server.address).await;
    bob.ok("signup", json!({"username": "bob", "password": crate::support::PASSWORD})).await;
    bob.username = "bob".to_owned();
    bob.sign_in().await;
    assert_eq!(server.metric("nodeim_outbox_overflows_total").await, 0.0);

    let mut sent = 0;
    until("the end of a connection that does not read", async || {
        alee.say(bob.id, &numbered(sent)).await;
        sent += 1;
        // Somebody else is served all the while.
        alee.say(carol.id, "x").await;
        carol.hears("x").await;
        assert!(sent < 1000, "the outbox takes everything");
        server.metric("nodeim_outbox_overflows_total").await == 1.0
    })
    .await;
    bob.gone().await;
    let before = numbers(&bob);
    assert!(before.iter().copied().eq(0..before.len()), "in order, up to some point: {before:?}");
    assert!(before.len() < sent);

    let mut bob = server.device("bob").await;
    let again = read_up_to(&mut bob, sent - 1).await;
    assert!(again[0] <= before.len(), "a gap between {} and {}", before.len(), again[0]);
    assert!(again.iter().copied().eq(again[0]..sent), "in order to the end: {again:?}");
    bob.heard_nothing(&mut carol).await;
}

/// More than the outbox may hold, and more than one page of it.
#[tokio::test]
async fn who_reads_gets_a_large_backlog_whole() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    bob.ok("signout", json!({})).await;
    let count = 250;
    for n in 0..count {
        alee.say(bob.id, &numbered(n)).await;
    }
    bob.sign_in().await;
    let heard = read_up_to(&mut bob, count - 1).await;
    assert!(heard.iter().copied().eq(0..count), "{heard:?}");
    assert_eq!(server.metric("nodeim_outbox_overflows_total").await, 0.0);
    bob.heard_nothing(&mut alee).await;
}

/// A reply is not lost because events fill the way to the client.
#[tokio::test]
async fn replies_wait_for_their_turn_behind_events() {
    let server = Server::with(|config| config.socket_buffer_packets = 16).await;
    let mut alee = server.person("alee").await;
    let room = alee.room("tea").await;
    let mut fired = Vec::new();
    for n in 0..1000 {
        fired.push(alee.feed("room.message", json!({"room": room, "message": n.to_string()})).await);
    }
    alee.flush().await;
    for id in fired {
        assert_eq!(alee.reply(id).await, json!({"code": 200}));
    }
    for n in 0..1000 {
        alee.hears(&n.to_string()).await;
    }
}

/// A client that sends nothing for longer than a heartbeat allows is gone, and its friends are told.
#[tokio::test]
async fn who_does_not_answer_the_heartbeat_is_gone() {
    let server = Server::with(|config| (config.ping_interval_ms, config.ping_timeout_ms) = (100, 400)).await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    crate::support::befriend(&mut alee, &mut bob).await;
    // Bob does not read, so he answers no heartbeat; alee waits for the event and answers hers.
    assert_eq!(alee.next("presence").await, json!({"id": bob.id, "presence": "离线"}));
    bob.gone().await;
}
