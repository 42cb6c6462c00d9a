//! Frames: the greeting, what is taken, what is answered by silence, and the order of replies.

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::{Mumi, PASSWORD, Server, within};

#[tokio::test]
async fn any_origin_is_greeted_first() {
    let server = Server::start().await;
    for (path, origin) in
        [("/", None), ("/", Some("null")), ("/mumichat/", Some("https://a.example")), ("/mumichat", None)]
    {
        let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let (mut socket, response) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        // Asked before it was greeted.
        socket.send(Message::text(json!({"type": "message"}).to_string())).await.unwrap();
        let first: Value = serde_json::from_str(&within("a greeting", next_text(&mut socket)).await).unwrap();
        assert_eq!(first, json!({"key": "24AB50C2"}));
        let second: Value = serde_json::from_str(&within("a reply", next_text(&mut socket)).await).unwrap();
        assert_eq!(second["code"], 10007);
    }
}

async fn next_text<S>(socket: &mut tokio_tungstenite::WebSocketStream<S>) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return text.to_string();
        }
    }
}

/// `GET /` is the page for a browser, also beside the websocket.
#[tokio::test]
async fn http_is_answered_beside_the_websocket() {
    let server = Server::start().await;
    let response = server.get("/").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().contains("<html"));
    for path in ["/test", "/mumichat/test"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"message": "test"}));
    }
    assert_eq!(server.get("/mumichat/").await.status(), StatusCode::UPGRADE_REQUIRED);
    let request = reqwest::Client::new().get(server.url("/")).header("upgrade", "websocket");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pretty_compact_and_binary_frames_are_taken() {
    let server = Server::start().await;
    let mut alee = server.mumi().await;
    alee.raw(
        "{\n    \"action\": \"register\",\n    \"data\": {\n        \"email\": \"alee@example.com\",\n        \
         \"firstName\": \"Alee\",\n        \"lastName\": \"Li\",\n        \"password\": \"111111\"\n    },\n    \
         \"type\": \"action\"\n}\n",
    )
    .await;
    assert_eq!(alee.reply().await["code"], 203);
    let login =
        json!({"type": "action", "action": "login", "data": {"email": "alee@example.com", "password": PASSWORD}});
    alee.socket.send(Message::binary(login.to_string().into_bytes())).await.unwrap();
    assert_eq!(alee.reply().await["code"], 202);
    alee.raw(r#"{"type":"action","action":"query","data":{},"more":[1]}"#).await;
    assert_eq!(alee.reply().await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn replies_come_in_the_order_of_the_requests() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    let mut expected = Vec::new();
    for n in 0..100 {
        match n % 4 {
            0 => alee.act("login", json!({"email": "alee@example.com", "password": "x"})).await,
            1 => alee.act("query", json!({"email": format!("{n}@example.com")})).await,
            2 => alee.write_to("999999999", "x").await,
            _ => alee.act("register", json!({})).await,
        }
        expected.push([10005, 200, 10008, 10002][n % 4]);
    }
    for code in expected {
        assert_eq!(alee.reply().await["code"], code);
    }
}

#[tokio::test]
async fn what_nobody_knows_is_answered_by_silence() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    for frame in ["", "x", "{", "[]", "null", "1", r#"{"type":1}"#, r#"{"type":"message","data":"x"}"#] {
        alee.raw(frame).await;
    }
    alee.heard_nothing().await;
    // What is well formed and unknown may come for ever.
    for _ in 0..10 {
        for frame in [
            r#"{}"#,
            r#"{"type":"fly"}"#,
            r#"{"type":"action"}"#,
            r#"{"type":"action","action":"fly","data":{}}"#,
            r#"{"type":"action","action":"logout","data":null}"#,
        ] {
            alee.raw(frame).await;
        }
    }
    alee.heard_nothing().await;
}

#[tokio::test]
async fn delete_does_nothing_and_says_nothing() {
    let server = Server::start().await;
    let mut alee = server.mumi_person("alee@example.com").await;
    alee.act("delete", json!({"id": alee.id.clone(), "email": "alee@example.com"})).await;
    alee.heard_nothing().await;
    assert_eq!(alee.find(json!({})).await.len(), 1);
}

#[tokio::test]
async fn repeated_malformed_frames_end_the_connection() {
    let server = Server::start().await;
    let mut alee = server.mumi().await;
    for _ in 0..9 {
        alee.raw("junk").await;
    }
    // A request in between makes up for them.
    alee.heard_nothing().await;
    for _ in 0..10 {
        alee.raw("junk").await;
    }
    alee.gone().await;
    Mumi::connect(server.address).await.heard_nothing().await;
}

#[tokio::test]
async fn words_can_be_chosen() {
    let server = Server::with(|config| config.mumichat_texts = nodeim::config::Texts::Chinese).await;
    let mut alee = server.mumi().await;
    assert_eq!(alee.ask("query", json!({})).await["msg"], "請先進行登入");
    let server = Server::start().await;
    let mut alee = server.mumi().await;
    assert_eq!(alee.ask("query", json!({})).await["msg"], "please login first");
    assert_eq!(alee.ask("query", json!({"email": "x"})).await["msg"], "操作成功");
}
