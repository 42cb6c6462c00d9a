//! What the server answers over plain HTTP.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Client, Polling, Revision, Server, until};

const ORIGIN: &str = "access-control-allow-origin";
const CREDENTIALS: &str = "access-control-allow-credentials";

#[tokio::test]
async fn healthz_says_ok() {
    let server = Server::start().await;
    let response = server.get("/healthz").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), "ok\n");
}

#[tokio::test]
async fn metrics_count_commands_by_name_and_code() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    // From the first word on bob has caught up, and what comes is live.
    bob.heard_nothing(&mut alee).await;
    let delivered = server.metric("nodeim_events_delivered_total").await;
    for _ in 0..2 {
        alee.say(bob.id, "x").await;
        bob.hears("x").await;
    }
    alee.code("message", json!({"to": 4711, "message": "x"})).await;
    alee.emit("friends", json!({})).await;
    alee.next("rspn").await;
    alee.code("no such command", json!({})).await;
    for (series, expected) in [
        ("nodeim_commands_total{command=\"signup\",code=\"200\"}", 2.0),
        ("nodeim_commands_total{command=\"signin\",code=\"200\"}", 2.0),
        ("nodeim_commands_total{command=\"message\",code=\"200\"}", 3.0),
        ("nodeim_commands_total{command=\"message\",code=\"404\"}", 1.0),
        ("nodeim_command_seconds_count{command=\"message\"}", 4.0),
        ("nodeim_messages_stored_total", 3.0),
        ("nodeim_commit_batch_size_sum", 3.0),
        ("nodeim_events_delivered_total", delivered + 2.0),
        ("nodeim_outbox_overflows_total", 0.0),
        ("nodeim_commit_failures_total", 0.0),
    ] {
        // A command is counted after it is answered.
        until(series, async || server.metric(series).await == expected).await;
    }
    until("friends", async || server.metric("nodeim_commands_total{command=\"friends\",code=\"200\"}").await == 1.0)
        .await;
    let text = server.get("/metrics").await.text().await.unwrap();
    for series in ["nodeim_command_seconds_bucket{", "nodeim_commit_batch_size_bucket{", "nodeim_commit_seconds_count"]
    {
        assert!(text.lines().any(|line| line.starts_with(series)), "{series} in {text}");
    }
    assert!(!text.contains("no such command"), "names that anybody may make up are not kept");
}

#[tokio::test]
async fn metrics_count_connections_by_transport() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let _bob = server.person("bob").await;
    let _polling = Polling::connect(server.address, Revision::V4).await;
    let open = async |transport: &str| server.metric(&format!("nodeim_connections{{transport=\"{transport}\"}}")).await;
    until("three connections", async || open("websocket").await == 2.0 && open("polling").await == 1.0).await;
    alee.close().await;
    until("two connections", async || open("websocket").await == 1.0).await;
}

#[tokio::test]
async fn pages_of_any_origin_may_use_it() {
    let server = Server::start().await;
    let http = reqwest::Client::new();
    for origin in ["http://a.example", "https://b.example:8443", "null"] {
        for path in ["/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3&transport=polling", "/healthz", "/none"]
        {
            let response = http.get(server.url(path)).header("origin", origin).send().await.unwrap();
            assert_eq!(response.headers()[ORIGIN], origin, "{path}");
            assert_eq!(response.headers()[CREDENTIALS], "true", "{path}");
            let vary = response.headers().get_all("vary").iter();
            assert!(
                vary.flat_map(|value| value.to_str()).any(|value| value.to_lowercase().contains("origin")),
                "{path}"
            );
        }
        let preflight = http
            .request(Method::OPTIONS, server.url("/socket.io/?EIO=3&transport=polling"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .send()
            .await
            .unwrap();
        assert!(preflight.status().is_success(), "{}", preflight.status());
        assert_eq!(
            (&preflight.headers()[ORIGIN], &preflight.headers()[CREDENTIALS]),
            (&origin.parse().unwrap(), &"true".parse().unwrap())
        );
        assert!(preflight.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
        let headers = preflight.headers()["access-control-allow-headers"].to_str().unwrap().to_lowercase();
        assert!(headers.contains("content-type"), "{headers}");
        Client::connect_with(server.address, &[("origin", origin)]).await;
    }
}

#[tokio::test]
async fn every_response_has_a_request_id() {
    let server = Server::start().await;
    let http = reqwest::Client::new();
    let mut ids = Vec::new();
    for path in ["/healthz", "/none", "/socket.io/?EIO=4&transport=polling"] {
        let response = http.get(server.url(path)).send().await.unwrap();
        ids.push(response.headers()["x-request-id"].to_str().unwrap().to_owned());
        let response = http.get(server.url(path)).header("x-request-id", "mine-1").send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "mine-1", "{path}");
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn there_is_nothing_at_other_paths() {
    let server = Server::start().await;
    let http = reqwest::Client::new();
    for path in
        ["/none", "/healthz/x", "/metricsx", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/.git/config", "//healthz"]
    {
        assert_eq!(server.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let response = http.request(method.clone(), server.url("/healthz")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    // Without a query it is a client of Socket.IO 0.9 that asks, and is welcome.
    for query in ["?EIO=4", "?EIO=9&transport=polling", "?EIO=4&transport=pigeon", "?EIO=4&transport=polling&sid=x"] {
        assert!(server.get(&format!("/socket.io/{query}")).await.status().is_client_error(), "{query}");
    }
}

#[tokio::test]
async fn a_polling_body_of_more_than_a_mebibyte_is_refused() {
    let server = Server::start().await;
    let session = Polling::connect(server.address, Revision::V4).await;
    let status = session.try_post(&format!("42[\"friends\",\"{}\"]", "x".repeat(2 << 20))).await;
    assert!(status.is_none_or(|status| status.is_client_error()), "{status:?}");
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_database_that_does_not_answer_shows_in_healthz_or_not_at_all() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    // A command waits until its user has arrived, for which the table is read.
    alee.ok("friends", json!({})).await;
    server.database.execute("alter table friendships rename to hidden").await;
    assert_eq!(alee.code("friends", json!({})).await, 500);
    // The database answers, though it lacks a table.
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
    server.database.execute("alter table hidden rename to friendships").await;
    alee.ok("friends", json!({})).await;
}
