//! `GET /socket.io/1/`: the promise of a session.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Http, Server, until};

async fn text(server: &Server, path: &str) -> (StatusCode, String) {
    let response = server.get(path).await;
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn it_promises_a_session_and_tells_times_and_transports() {
    let server = Server::start().await;
    for path in ["/socket.io/1/?t=1371110400000", "/socket.io/1?t=1", "/socket.io/1", "/socket.io/1/?more=%20&t=1"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body = response.text().await.unwrap();
        let (sid, rest) = body.split_once(':').unwrap();
        assert_eq!(rest, "60:60:websocket,xhr-polling,jsonp-polling");
        assert!(sid.len() >= 20 && sid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{sid}");
    }
}

#[tokio::test]
async fn over_jsonp_it_is_a_script_for_an_index_of_digits_alone() {
    let server = Server::start().await;
    let response = server.get("/socket.io/1/?t=1&jsonp=12").await;
    assert_eq!(response.headers()["content-type"], "application/javascript");
    let body = response.text().await.unwrap();
    let json = body.strip_prefix("io.j[12](").and_then(|rest| rest.strip_suffix(");")).unwrap();
    let handshake: Value = serde_json::from_str(json).unwrap();
    assert!(handshake.as_str().unwrap().ends_with(":60:60:websocket,xhr-polling,jsonp-polling"));
    for index in ["", "x", "-1", "1;alert(1)", "1%3Balert(1)", "0]%28"] {
        let (_, body) = text(&server, &format!("/socket.io/1/?jsonp={index}")).await;
        assert!(body.ends_with("jsonp-polling") && !body.contains("io.j"), "{index}: {body}");
    }
}

/// Also on errors: a page could not tell them from a server that is away.
#[tokio::test]
async fn any_origin_may_read_every_answer() {
    let server = Server::with(|config| config.frame_max_bytes = 65_536).await;
    let http = Http::handshake(server.address, "xhr-polling").await;
    let large = "x".repeat(70_000);
    for origin in ["null", "http://example.com:8080"] {
        for (method, path, body, status) in [
            (Method::GET, "/socket.io/1/?t=1".to_owned(), "", 200),
            (Method::GET, "/socket.io/1/?t=1&jsonp=0".to_owned(), "", 200),
            (Method::GET, format!("/socket.io/1/xhr-polling/{}", http.sid), "", 200),
            (Method::POST, format!("/socket.io/1/xhr-polling/{}", http.sid), "2::", 200),
            (Method::POST, format!("/socket.io/1/jsonp-polling/{}", http.sid), "d=%222::%22", 200),
            (Method::GET, "/socket.io/1/xhr-polling/unknown".to_owned(), "", 200),
            (Method::POST, "/socket.io/1/xhr-polling/unknown".to_owned(), "2::", 200),
            (Method::GET, "/socket.io/1/flashsocket/unknown".to_owned(), "", 400),
            (Method::PUT, format!("/socket.io/1/xhr-polling/{}", http.sid), "", 405),
            (Method::GET, "/socket.io/2/".to_owned(), "", 500),
            (Method::POST, format!("/socket.io/1/xhr-polling/{}", http.sid), large.as_str(), 413),
        ] {
            if status == 413 && origin == "null" {
                // It ends the session, which the other origin needs.
                continue;
            }
            let request = http.client.request(method.clone(), server.url(&path)).header("origin", origin);
            let response = request.body(body.to_owned()).send().await.unwrap();
            assert_eq!(response.status(), status, "{method} {path}");
            let headers = response.headers();
            assert_eq!(headers["access-control-allow-origin"], origin, "{method} {path}");
            assert_eq!(headers["access-control-allow-credentials"], "true", "{method} {path}");
            assert!(headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("rigin")));
        }
        let request = http.client.request(Method::OPTIONS, server.url("/socket.io/1/")).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let response = request.header("access-control-request-headers", "content-type").send().await.unwrap();
        assert!(response.status().is_success());
        assert_eq!(response.headers()["access-control-allow-headers"], "content-type");
    }
}

#[tokio::test]
async fn other_protocols_and_the_root_are_answered_and_engine_io_keeps_its_own() {
    let server = Server::start().await;
    assert_eq!(text(&server, "/socket.io/").await, (StatusCode::OK, "Welcome to socket.io.".to_owned()));
    assert_eq!(text(&server, "/socket.io").await, (StatusCode::OK, "Welcome to socket.io.".to_owned()));
    for path in ["/socket.io/2/", "/socket.io/0/websocket/x", "/socket.io/10/?t=1"] {
        let (status, body) = text(&server, path).await;
        assert_eq!((status.as_u16(), body.as_str()), (500, "Protocol version not supported."), "{path}");
    }
    for path in ["/socket.io/1/flashsocket/x", "/socket.io/1/htmlfile/x", "/socket.io/1/websocket/x", "/socket.io/1/x"]
    {
        assert_eq!(text(&server, path).await.0, 400, "{path}");
    }
    for path in ["/socket.io/?EIO=4&transport=polling", "/socket.io/?transport=polling&EIO=3&b64=1"] {
        let (status, body) = text(&server, path).await;
        assert!(status == 200 && body.contains("pingInterval"), "{path}: {body}");
    }
}

#[tokio::test]
async fn promises_are_limited_and_kept_for_their_time_only() {
    let server = Server::with(|config| {
        config.sio09_handshakes_per_address = 3;
        config.connect_timeout_ms = 300;
    })
    .await;
    for _ in 0..2 {
        let http = Http::handshake(server.address, "xhr-polling").await;
        assert_eq!(http.get().await, ["1::"], "an opened one does not count");
    }
    let forgotten = Http::handshake(server.address, "xhr-polling").await;
    for _ in 0..2 {
        Http::handshake(server.address, "xhr-polling").await;
    }
    let (status, body) = text(&server, "/socket.io/1/").await;
    assert_eq!((status.as_u16(), body.as_str()), (503, "Too many connections, try again later."));
    let (status, body) = text(&server, "/socket.io/1/?jsonp=0").await;
    assert_eq!(
        (status.as_u16(), body.as_str()),
        (200, r#"io.j[0](new Error("Too many connections, try again later."));"#)
    );

    until("room", async || text(&server, "/socket.io/1/").await.0 == 200).await;
    assert_eq!(forgotten.get().await, ["7:::1+0"]);
}

#[tokio::test]
async fn open_sessions_are_limited_too() {
    let server = Server::with(|config| config.sio09_sessions_max = 2).await;
    let mut one = server.old("websocket").await;
    let _other = server.old("xhr-polling").await;
    assert_eq!(text(&server, "/socket.io/1/").await.0, 503);
    one.send("0::").await;
    one.gone().await;
    until("room", async || text(&server, "/socket.io/1/").await.0 == 200).await;
}
