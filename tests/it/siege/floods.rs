//! More commands than one may send: a code at first, and the end for who goes on. Neighbours get through all the while.

use futures_util::SinkExt;
use nodeim::config::Config;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{Siege, from};
use crate::support::{Form, Old, Polling, Revision, Server, TRANSPORTS, until, within};

fn limited(config: &mut Config) {
    (config.rate_commands_per_second, config.rate_commands_burst) = (200, 300);
    config.rate_refusals_burst = 300;
}

async fn ended(server: &Server) -> f64 {
    server.metric("nodeim_floods_ended_total").await
}

/// How often each of two codes stands in what a client heard.
fn codes(transcript: &[String]) -> [usize; 2] {
    ["\"code\":403", "\"code\":429"].map(|code| transcript.iter().filter(|frame| frame.contains(code)).count())
}

#[tokio::test]
async fn over_a_websocket_of_today() {
    let mut siege = Siege::with(limited).await;
    let mut client = siege.server.connect().await;
    let flood = async {
        loop {
            for _ in 0..200 {
                client.feed("friends", json!({})).await;
            }
            if client.flushes().await.is_err() || client.receive().await.is_err() {
                break;
            }
        }
        client.gone().await;
    };
    // It hangs up after what it was sent; the client may hear less than that.
    siege.during(flood).await;
    let [done, refused] = codes(&client.transcript);
    assert!(done >= 1 && refused <= 400, "{done} {refused}");
    until("it is counted", async || ended(&siege.server).await == 1.0).await;
    drop(client);
    siege.over().await;
}

/// A client that is told, and then waits, may stay.
#[tokio::test]
async fn who_stops_when_told_so_may_stay() {
    let mut siege = Siege::with(limited).await;
    let mut client = siege.server.connect().await;
    let mut fired = Vec::new();
    for _ in 0..500 {
        fired.push(client.feed("friends", json!({})).await);
    }
    client.flush().await;
    for id in fired {
        client.reply(id).await;
    }
    let [done, refused] = codes(&client.transcript);
    assert!(done >= 250 && refused >= 1, "{done} {refused}");
    until("it may go on", async || client.code("friends", json!({})).await == 403).await;
    assert_eq!(ended(&siege.server).await, 0.0);
    drop(client);
    siege.over().await;
}

#[tokio::test]
async fn over_polling_of_today() {
    let mut siege = Siege::with(|config| {
        limited(config);
        // It is ended as a flood long before it is missed.
        (config.ping_interval_ms, config.ping_timeout_ms) = (300, 20_000);
    })
    .await;
    for revision in [Revision::V4, Revision::V3] {
        let mut session = Polling::connect(siege.server.address, revision).await;
        let body = match revision {
            Revision::V4 => vec!["420[\"friends\",{}]"; 200].join("\u{1e}"),
            Revision::V3 => "17:420[\"friends\",{}]".repeat(200),
        };
        let flood = async {
            while session.try_post_as_it_is(&body).await == Some(reqwest::StatusCode::OK)
                && session.try_poll().await.is_some()
            {}
        };
        siege.during(flood).await;
        // What it was told last may have been on its way when it was ended.
        let [done, _] = codes(&session.bodies);
        assert!(done >= 1, "{done}");
    }
    until("they are counted", async || ended(&siege.server).await == 2.0).await;
    siege.over().await;
}

#[tokio::test]
async fn over_each_transport_of_2013() {
    let mut siege = Siege::with(limited).await;
    for transport in TRANSPORTS {
        let mut old: Old = siege.server.old(transport).await;
        let packet = r#"5:1+::{"name":"friends"}"#;
        let flood = async {
            match old.websocket_of_it() {
                Some(socket) => while socket.send(Message::text(packet)).await.is_ok() {},
                None => {
                    let body = crate::support::frame(&vec![packet; 200]);
                    while let Ok(response) = old.http.try_post(&body).await
                        && response.status() == 200
                    {
                        if old.http.get().await == ["7:::1+0"] {
                            break;
                        }
                    }
                }
            }
        };
        siege.during(flood).await;
    }
    until("they are counted", async || ended(&siege.server).await == 3.0).await;
    siege.over().await;
}

#[tokio::test]
async fn on_mumichat() {
    let mut siege = Siege::with(limited).await;
    let mut mumi = siege.server.mumi().await;
    let frame = r#"{"type":"message","data":{"recipient":"1","content":"x"}}"#;
    let flood = async { while mumi.socket.send(Message::text(frame)).await.is_ok() {} };
    siege.during(flood).await;
    until("it is counted", async || ended(&siege.server).await >= 1.0).await;
    drop(mumi);
    siege.over().await;
}

/// Uploads have no connection of their own to end: one address may try so often, whoever it says it is.
#[tokio::test]
async fn of_uploads() {
    let mut siege = Siege::with(|config| (config.rate_uploads_per_minute, config.rate_address_factor) = (2, 5)).await;
    let send = async |source: &str, path: &str, token: &str| {
        let client = reqwest::Client::builder().local_address(Some(source.parse().unwrap())).build().unwrap();
        let request = client.post(siege.server.url(path)).bearer_auth(token);
        let request = request.header("content-type", Form::content_type()).body(Form::file("a", "x").body());
        let response = within("an answer", request.send()).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for n in 0..10 {
        let path = if n % 2 == 0 { "/api/files" } else { "/nodeim-server/upload:submit?user=1" };
        let (status, text) = send("127.0.0.66", path, "invented").await;
        assert!(status == 401 || text.contains("用户未上线"), "{status} {text}");
    }
    assert_eq!(send("127.0.0.66", "/api/files", "invented").await.0, 429);
    assert_eq!(send("127.0.0.66", "/api/files", &siege.alee.token).await.0, 429);
    assert!(send("127.0.0.66", "/nodeim-server/upload:submit?user=1", "").await.1.contains("操作过于频繁"));
    // Others are not concerned.
    assert_eq!(send("127.0.0.67", "/api/files", &siege.alee.token).await.0, 200);
    let panel = from("127.0.0.66", siege.server.address).await;
    drop(panel);
    siege.over().await;
}
