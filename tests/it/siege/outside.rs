//! Connections that are used, but by nobody who is signed in.

use futures_util::future::join_all;
use serde_json::json;

use super::Siege;
use crate::support::{Old, Polling, Revision, TRANSPORTS};

/// Polls and answers heartbeats as long as it may.
async fn stays(session: &mut Polling) {
    while session.try_poll().await.is_some() && session.try_post("3").await == Some(reqwest::StatusCode::OK) {}
}

#[tokio::test]
async fn who_never_signs_in_is_let_go_and_who_has_may_be_silent() {
    let mut siege = Siege::with(|config| {
        (config.ping_interval_ms, config.ping_timeout_ms) = (300, 5000);
        config.signin_timeout_ms = 2000;
    })
    .await;
    let mut silent = siege.server.person("silent").await;
    let mut out = siege.server.person("out").await;
    out.ok("signout", json!({})).await;
    let mut stranger = siege.server.connect().await;
    // A command that is none of theirs is not a way to stay.
    assert_eq!(stranger.code("friends", json!({})).await, 403);
    let mut polling = Polling::connect(siege.server.address, Revision::V4).await;
    let mut olds = Vec::new();
    for transport in TRANSPORTS {
        olds.push(siege.server.old(transport).await);
    }
    let all_gone = async {
        let olds = join_all(olds.iter_mut().map(Old::gone));
        tokio::join!(stranger.gone(), out.gone(), stays(&mut polling), olds);
    };
    tokio::select! {
        () = siege.during(all_gone) => {}
        () = silent.gone() => panic!("who is signed in may be silent"),
    }
    drop((polling, olds));
    silent.ok("friends", json!({})).await;
    silent.close().await;
    siege.over().await;
}

/// The client has left the namespace and keeps its session alive with heartbeats.
#[tokio::test]
async fn who_leaves_the_namespace_and_stays_is_let_go() {
    let mut siege = Siege::with(|config| {
        (config.ping_interval_ms, config.ping_timeout_ms) = (200, 2000);
        config.connect_timeout_ms = 1000;
    })
    .await;
    let mut leaver = siege.server.person("leaver").await;
    leaver.raw("41").await;
    siege.during(leaver.gone()).await;

    let mut polling = Polling::connect(siege.server.address, Revision::V4).await;
    polling.post("41").await;
    siege.during(stays(&mut polling)).await;
    // And with it the connections that it keeps.
    drop(polling);
    siege.over().await;
}
