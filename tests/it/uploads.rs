//! `POST /api/files`: what is taken, what is refused, and that what is refused leaves nothing behind.

use nodeim::config::Config;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::{Client, Form, Process, Server, answer, keys, send_chunk, until, within};

const TOO_LARGE: (u16, &str) = (413, "too_large");

fn is(refusal: &(u16, String), expected: (u16, &str)) -> bool {
    (refusal.0, refusal.1.as_str()) == expected
}

async fn rows(server: &Server) -> i64 {
    server.database.number("select count(*) from files").await
}

async fn nothing_is_left(server: &Server) {
    until("an empty disk", async || server.files_on_disk().is_empty()).await;
    assert_eq!(rows(server).await, 0);
    assert_eq!(server.database.number("select cast(sum(file_bytes) as bigint) from users").await, 0);
}

#[tokio::test]
async fn any_other_file_is_kept_as_it_is() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("notes.pdf", "plain words")).await;
    assert_eq!(keys(&card), ["name", "size", "type", "url"]);
    assert_eq!((&card["name"], &card["size"], &card["type"]), (&json!("notes.pdf"), &json!(11), &json!("text/plain")));
    let path = server.on_disk(card["url"].as_str().unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), b"plain words");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    until("the count", async || server.metric("nodeim_uploads_total").await == 1.0).await;
    assert_eq!(server.metric("nodeim_upload_bytes_total").await, 11.0);
}

#[tokio::test]
async fn only_who_is_signed_in_may_upload() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let http = reqwest::Client::new();
    for authorization in [None, Some(""), Some("Bearer"), Some("Bearer x"), Some("Basic eDp5"), Some("Bearer \u{e9}")] {
        let mut request = http.post(server.url("/api/files")).header("content-type", Form::content_type());
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization.as_bytes());
        }
        let response = request.body(Form::file("a", "x").body()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{authorization:?}");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], 401);
    }
    alee.ok("signout", json!({})).await;
    assert!(is(&server.refused(&alee, Form::file("a", "x")).await, (401, "wrong_token")));
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn one_must_be_allowed_to_send_there() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let mut bob = server.person("bob").await;
    let (mine, theirs) = (alee.room("茶馆").await, bob.room("酒馆").await);
    let to = |name: &str, id: i64| Form::default().field(name, id).and_file("a", "x");
    server.upload(&alee, to("to", bob.id)).await;
    server.upload(&alee, to("room", mine)).await;
    for form in [to("to", 4711), to("room", 4711), to("room", theirs), to("to", bob.id).field("x", 1)] {
        let (status, _) = server.try_upload(&alee, form.clone()).await;
        assert!(status == StatusCode::FORBIDDEN || form.body().ends_with(&to("to", bob.id).field("x", 1).body()));
    }
    assert!(is(&server.refused(&alee, to("room", theirs)).await, (403, "not_a_member")));
    assert!(is(&server.refused(&alee, to("to", -1)).await, (403, "no_such_user")));
}

#[tokio::test]
async fn forms_that_are_none_are_400_and_leave_nothing() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let whole = Form::file("a", "hello").body();
    let huge = |bytes: usize| Form::default().part(format!("X: {}", "x".repeat(bytes)), "x").and_file("a", "x").body();
    let many: String = (0..100).map(|n| format!("X{n}: x\r\n")).collect();
    let bodies = [
        Vec::new(),
        b"hello".to_vec(),
        Form::default().body(),
        Form::default().field("purpose", "message").body(),
        Form::file("", "").body(),
        Form::file("empty.txt", "").body(),
        Form::default().field("purpose", "other").and_file("a", "x").body(),
        Form::default().field("purpose", "x".repeat(1000)).and_file("a", "x").body(),
        Form::default().field("to", "bob").and_file("a", "x").body(),
        Form::file("a", "x").field("purpose", "avatar").body(),
        Form::file("a", "x").and_file("b", "y").body(),
        Form::default().part("no header", "x").body(),
        Form::default().part("Content-Disposition: form-data; name=\"file\"; filename=\"a\0b\"", "x").body(),
        Form::default().part(format!("{many}Content-Disposition: form-data; name=\"file\""), "x").body(),
        huge(100_000),
        huge(10_000_000),
        // Ends in the middle, at different places.
        whole[..10].to_vec(),
        whole[..whole.len() - 60].to_vec(),
        whole[..whole.len() - 8].to_vec(),
        whole[..whole.len() - 4].to_vec(),
    ];
    for body in bodies {
        let start = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let response = within("an answer", server.uploading(&alee, body).send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{start}");
        assert_eq!(response.json::<Value>().await.unwrap()["code"], 400);
    }
    for content_type in
        ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x", "multipart/form-data; boundary="]
    {
        let request = reqwest::Client::new().post(server.url("/api/files")).bearer_auth(&alee.token);
        let response = request.header("content-type", content_type).body(whole.clone()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{content_type}");
    }
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn the_limit_holds_while_the_file_comes() {
    let server = Server::with(|config| config.upload_max_bytes = 100_000).await;
    let alee = server.person("alee").await;
    server.upload(&alee, Form::file("a", vec![7; 100_000])).await;
    assert!(is(&server.refused(&alee, Form::file("a", vec![7; 100_001])).await, TOO_LARGE));
    assert!(is(&server.refused(&alee, Form::file("a", vec![7; 3_000_000])).await, TOO_LARGE));
    // A body without a length and without an end: the answer comes all the same.
    let form = Form::file("a", vec![7; 200_000]).body();
    let mut stream = server.begin_upload(&alee, &form[..150_000]).await;
    let answer = within("an answer", async {
        // The server reads on for a while; what is sent meanwhile is nobody's.
        while send_chunk(&mut stream, &[7; 64 * 1024]).await.is_ok() {
            if server.metric("nodeim_upload_failures_total{reason=\"too_large\"}").await == 3.0 {
                break;
            }
        }
        send_chunk(&mut stream, b"").await.unwrap();
        answer(&mut stream).await
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!((rows(&server).await, server.files_on_disk().len()), (1, 1));
}

#[tokio::test]
async fn a_client_that_asks_first_is_answered_at_once() {
    let server = Server::with(|config| config.upload_max_bytes = 1000).await;
    let alee = server.person("alee").await;
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\n\
         Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n",
        alee.token,
        Form::content_type()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn who_goes_away_in_the_middle_leaves_nothing() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let form = Form::file("a", vec![7; 1_000_000]).body();
    for length in [200, 500_000, form.len() - 8] {
        let stream = server.begin_upload(&alee, &form[..length]).await;
        until("the file coming in", async || !server.files_on_disk().is_empty()).await;
        drop(stream);
        nothing_is_left(&server).await;
    }
    until("the count", async || server.metric("nodeim_upload_failures_total{reason=\"aborted\"}").await == 3.0).await;
    server.upload(&alee, Form::file("a", "x")).await;
}

#[tokio::test]
async fn who_sends_too_slowly_is_told_so() {
    let server = Server::with(|config| config.upload_idle_timeout_ms = 50).await;
    let alee = server.person("alee").await;
    let form = Form::file("a", vec![7; 1000]).body();
    for length in [10, 100, 500] {
        let mut stream = server.begin_upload(&alee, &form[..length]).await;
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    nothing_is_left(&server).await;
    let server = Server::with(|config| config.upload_timeout_ms = 50).await;
    let alee = server.person("alee").await;
    let mut stream = server.begin_upload(&alee, &form[..500]).await;
    until("the end of patience", async || {
        server.metric("nodeim_upload_failures_total{reason=\"too_slow\"}").await == 1.0
    })
    .await;
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 408"));
    nothing_is_left(&server).await;
}

#[tokio::test]
async fn uploads_at_once_do_not_disturb_each_other_and_are_counted() {
    let server = Server::with(|config| config.uploads_max_per_user = 4).await;
    let alee = server.person("alee").await;
    let bob = server.person("bob").await;
    let files: Vec<_> = (0..4_u8).map(|n| Form::file("a", vec![n; 300_000]).body()).collect();
    let mut streams = Vec::new();
    for body in &files {
        streams.push(server.begin_upload(&alee, &body[..100_000]).await);
    }
    until("all of them", async || server.files_on_disk().len() == 4).await;
    assert!(is(&server.refused(&alee, Form::file("a", "x")).await, (429, "too_many")));
    server.upload(&bob, Form::file("a", "x")).await;
    for (stream, body) in streams.iter_mut().zip(&files).rev() {
        for piece in body[100_000..].chunks(30_000) {
            send_chunk(stream, piece).await.unwrap();
        }
        send_chunk(stream, b"").await.unwrap();
    }
    for (mut stream, n) in streams.into_iter().zip(0_u8..) {
        let answer = answer(&mut stream).await;
        let card: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let bytes = server.get(card["url"].as_str().unwrap()).await.bytes().await.unwrap();
        assert!(bytes.len() == 300_000 && bytes.iter().all(|byte| *byte == n));
    }
    server.upload(&alee, Form::file("a", "x")).await;
}

#[tokio::test]
async fn all_together_there_are_only_so_many() {
    let server = Server::with(|config| config.uploads_max = 1).await;
    let alee = server.person("alee").await;
    let bob = server.person("bob").await;
    let form = Form::file("a", vec![7; 1000]).body();
    let stream = server.begin_upload(&alee, &form[..500]).await;
    until("the first", async || server.files_on_disk().len() == 1).await;
    assert!(is(&server.refused(&bob, Form::file("a", "x")).await, (503, "unavailable")));
    drop(stream);
    until("room", async || server.try_upload(&bob, Form::file("a", "x")).await.0 == StatusCode::OK).await;
}

#[tokio::test]
async fn a_quota_cannot_be_passed_by_many_at_once() {
    let server = Server::with(|config| {
        config.upload_quota_bytes = 250_000;
        config.uploads_max_per_user = 20;
    })
    .await;
    let alee = server.person("alee").await;
    let uploads = (0..10).map(|_| server.try_upload(&alee, Form::file("a", vec![7; 100_000])));
    let results = futures_util::future::join_all(uploads).await;
    let taken = results.iter().filter(|(status, _)| *status == StatusCode::OK).count();
    assert_eq!(taken, 2);
    for (_, fault) in results.iter().filter(|(status, _)| *status != StatusCode::OK) {
        assert_eq!((&fault["code"], &fault["reason"]), (&json!(413), &json!("quota_used_up")));
    }
    assert!(is(&server.refused(&alee, Form::file("a", vec![7; 50_001])).await, (413, "quota_used_up")));
    // The smallest file takes a block of the disk.
    for _ in 0..12 {
        server.upload(&alee, Form::file("a", "x")).await;
    }
    assert!(is(&server.refused(&alee, Form::file("a", "x")).await, (413, "quota_used_up")));
    assert_eq!(server.files_on_disk().len(), 14);
    let bob = server.person("bob").await;
    server.upload(&bob, Form::file("a", "x")).await;
}

#[tokio::test]
async fn a_rate_holds_for_each_user() {
    let server = Server::with(|config| config.rate_uploads_per_minute = 3).await;
    let alee = server.person("alee").await;
    let bob = server.person("bob").await;
    for _ in 0..3 {
        server.upload(&alee, Form::file("a", "x")).await;
    }
    assert!(is(&server.refused(&alee, Form::file("a", "x")).await, (429, "too_many")));
    server.upload(&bob, Form::file("a", "x")).await;
}

#[tokio::test]
async fn hostile_names_become_harmless() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let long = format!("{}.txt", "长".repeat(3000));
    for (name, expected) in [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("say \\\"hi\\\".txt", "say _hi_.txt"),
        ("%22onload=x.txt", "_onload=x.txt"),
        ("\u{202e}gnp.exe", "gnp.exe"),
        ("a.html", "a.html"),
        ("a.php.jpg", "a.php.jpg"),
        ("\u{1f600}.txt", "\u{1f600}.txt"),
        ("..", "file"),
        ("", "file"),
        ("<script>alert(1)</script>", "script_"),
    ] {
        let card = server.upload(&alee, Form::file(name, "x")).await;
        assert_eq!(card["name"], expected, "{name}");
        assert!(card["url"].as_str().unwrap().ends_with(".txt"), "the name decides nothing: {card}");
    }
    let card = server.upload(&alee, Form::file(&long, "x")).await;
    let name = card["name"].as_str().unwrap();
    assert!(name.len() <= 200 && name.ends_with("长.txt"), "{name}");
}

#[tokio::test]
async fn a_crash_leaves_nothing_half_done() {
    let database = crate::support::Database::new().await;
    let server = Process::start(&database);
    let mut alee = server.connect().await;
    alee.username = "alee".to_owned();
    alee.ok("signup", json!({"username": "alee", "password": "111111"})).await;
    alee.sign_in().await;
    let incoming = database.data_dir().join("files/incoming");
    let count = || std::fs::read_dir(&incoming).unwrap().count();
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\nContent-Length: 100000\r\n\r\n",
        alee.token,
        Form::content_type()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&Form::file("a", vec![7; 50_000]).body()[..40_000]).await.unwrap();
    until("the file coming in", async || count() == 1).await;
    server.kill();
    assert_eq!(count(), 1);
    let server = Process::start(&database);
    assert_eq!(count(), 0);
    drop(server);
}

#[tokio::test]
async fn a_full_disk_is_said_and_does_not_stay_full() {
    let database = crate::support::Database::new().await;
    let Some(server) = Process::start_on_small_disk(&database) else {
        eprintln!("no folder with a limit can be made here: not tried");
        return;
    };
    let mut alee = server.connect().await;
    alee.username = "alee".to_owned();
    alee.ok("signup", json!({"username": "alee", "password": "111111"})).await;
    alee.sign_in().await;
    let upload = async |alee: &Client, bytes: usize| {
        let request = reqwest::Client::new().post(format!("http://{}/api/files", server.address));
        let request = request.bearer_auth(&alee.token).header("content-type", Form::content_type());
        let response = request.body(Form::file("a", vec![7; bytes]).body()).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    for _ in 0..5 {
        let (status, fault) = upload(&alee, 3_000_000).await;
        assert_eq!((status, &fault["reason"]), (507, &json!("disk_full")));
        // What did not fit has left its room to others.
        assert_eq!(upload(&alee, 50_000).await.0, 200);
    }
    let request = reqwest::Client::new()
        .post(format!("http://{}/nodeim-server/upload:submit?user={}", server.address, alee.id))
        .header("content-type", Form::content_type())
        .body(Form::file("a", vec![7; 3_000_000]).body());
    assert!(request.send().await.unwrap().text().await.unwrap().contains("服务器磁盘空间不足"));
}

#[test]
fn the_limits_have_ranges() {
    let load = |name: &str, value: &str| Config::load(None, [(format!("NODEIM_{name}"), value.to_owned())], []);
    assert!(load("UPLOAD_CHECK_ADDRESS", "off").is_ok());
    for (name, value) in
        [("UPLOAD_MAX_BYTES", "0"), ("UPLOADS_MAX", "0"), ("UPLOAD_TOKEN", "maybe"), ("PICTURES_PARALLEL", "0")]
    {
        assert!(load(name, value).is_err(), "{name}");
    }
}
