//! Reading files, what keeps them, and what removes them.

use std::time::Duration;

use image::ImageFormat;
use nodeim::config::Config;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Form, Server, picture, until};

async fn ask(server: &Server, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Response {
    let request = reqwest::Client::new().request(method, server.url(path));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

async fn get(server: &Server, path: &str, headers: &[(&'static str, &str)]) -> Response {
    ask(server, Method::GET, path, headers).await
}

fn url(card: &Value) -> &str {
    card["url"].as_str().unwrap()
}

#[track_caller]
fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[track_caller]
fn is_safe(response: &Response) {
    assert_eq!(header(response, "x-content-type-options"), "nosniff");
    assert_eq!(header(response, "content-security-policy"), "sandbox; default-src 'none'");
}

#[tokio::test]
async fn files_are_for_pages_of_any_origin_and_for_ever() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("a.png", picture(4, 4, ImageFormat::Png))).await;
    let response = get(&server, url(&card), &[("origin", "null")]).await;
    is_safe(&response);
    assert_eq!(header(&response, "content-type"), "image/png");
    assert_eq!(header(&response, "access-control-allow-origin"), "null");
    assert_eq!(header(&response, "cross-origin-resource-policy"), "cross-origin");
    assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&response, "accept-ranges"), "bytes");
    assert_eq!(header(&response, "content-disposition"), "");
    assert_eq!(header(&response, "content-length"), card["size"].to_string());
    let head = ask(&server, Method::HEAD, url(&card), &[]).await;
    assert_eq!(header(&head, "content-length"), card["size"].to_string());
    assert_eq!(header(&head, "etag"), header(&response, "etag"));
    is_safe(&head);
    assert_eq!(head.text().await.unwrap(), "");
}

#[tokio::test]
async fn what_could_hold_a_script_is_only_handed_out() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let mut png_with_tail = picture(4, 4, ImageFormat::Png);
    png_with_tail.extend_from_slice(b"<script>alert(1)</script>");
    for (name, bytes, handed_out) in [
        ("a.html", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), true),
        ("b.png", b"<html><script>alert(1)</script>".to_vec(), true),
        ("c.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec(), true),
        ("d.xml", b"<?xml version=\"1.0\"?><x/>".to_vec(), true),
        ("e.txt", b"some words, then <img src=x onerror=alert(1)>".to_vec(), true),
        ("f.gif", b"GIF89a/*<script>alert(1)</script>*/=1;".to_vec(), true),
        ("g.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj".to_vec(), true),
        ("h.js", b"alert(1)".to_vec(), false),
        ("i.exe", b"MZ\x90\0\x03\0".to_vec(), true),
        ("j.utf16", b"\xff\xfe<\0s\0c\0r\0i\0p\0t\0>\0".to_vec(), true),
        ("k.utf7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-".to_vec(), false),
        ("l.png", png_with_tail, false),
        ("m.swf", b"FWS\x09\0\0\0\0".to_vec(), true),
    ] {
        let card = server.upload(&alee, Form::file(name, bytes)).await;
        let response = get(&server, url(&card), &[]).await;
        is_safe(&response);
        let content_type = header(&response, "content-type").to_owned();
        if handed_out {
            assert_eq!(content_type, "application/octet-stream", "{name}");
            let expected = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}");
            assert_eq!(header(&response, "content-disposition"), expected);
        } else {
            assert!(
                ["text/plain; charset=utf-8", "image/png"].contains(&content_type.as_str()),
                "{name} {content_type}"
            );
        }
    }
    let card = server.upload(&alee, Form::file("发票 1.pdf", "%PDF-1.4")).await;
    assert_eq!(card["type"], "application/pdf");
    let response = get(&server, url(&card), &[]).await;
    assert_eq!(
        header(&response, "content-disposition"),
        "attachment; filename=\"__ 1.pdf\"; filename*=UTF-8''%E5%8F%91%E7%A5%A8%201.pdf"
    );
}

#[tokio::test]
async fn a_picture_can_be_downloaded_under_its_name() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("cat.png", picture(900, 900, ImageFormat::Png))).await;
    for path in [url(&card), card["thumb"].as_str().unwrap()] {
        let response = get(&server, &format!("{path}?download"), &[]).await;
        assert!(header(&response, "content-disposition").starts_with("attachment; filename=\"cat.png\""));
        assert_eq!(header(&get(&server, path, &[]).await, "content-disposition"), "");
    }
}

#[tokio::test]
async fn ranges_are_served() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("a.txt", "0123456789")).await;
    for (range, status, content, content_range) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=4-", 206, "456789", "bytes 4-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=9-9", 206, "9", "bytes 9-9/10"),
        ("bytes=5-100", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", 416, "", "bytes */10"),
        ("bytes=100-200", 416, "", "bytes */10"),
        // Several at once, and other units, are answered with everything.
        ("bytes=0-1,4-5", 200, "0123456789", ""),
        ("lines=0-1", 200, "0123456789", ""),
        ("nonsense", 200, "0123456789", ""),
    ] {
        let response = get(&server, url(&card), &[("range", range)]).await;
        assert_eq!(response.status(), status, "{range}");
        assert_eq!(header(&response, "content-range"), content_range, "{range}");
        is_safe(&response);
        if status != 416 {
            assert_eq!(header(&response, "content-type"), "text/plain; charset=utf-8");
            assert_eq!(response.text().await.unwrap(), content, "{range}");
        }
    }
    let head = ask(&server, Method::HEAD, url(&card), &[("range", "bytes=0-3")]).await;
    assert!(head.status().is_success());
}

#[tokio::test]
async fn conditions_are_about_the_name() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("a.txt", "0123456789")).await;
    let path = url(&card);
    let etag = header(&get(&server, path, &[]).await, "etag").to_owned();
    assert!(path.ends_with(etag.trim_matches('"')), "{etag}");
    let (weak, both) = (format!("W/{etag}"), format!("\"other\", {etag}"));
    for (headers, status) in [
        (vec![("if-none-match", etag.as_str())], 304),
        (vec![("if-none-match", &weak)], 304),
        (vec![("if-none-match", &both)], 304),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", &etag), ("range", "bytes=0-1")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-none-match", "\"other\""), ("range", "bytes=0-1")], 206),
        (vec![("if-match", &etag)], 200),
        (vec![("if-match", "*")], 200),
        (vec![("if-match", "\"other\"")], 412),
        (vec![("if-range", &etag), ("range", "bytes=0-1")], 206),
        (vec![("if-range", "\"other\""), ("range", "bytes=0-1")], 200),
        (vec![("if-range", &weak), ("range", "bytes=0-1")], 200),
        (vec![("if-range", "Sun, 06 Nov 1994 08:49:37 GMT"), ("range", "bytes=0-1")], 200),
        (vec![("if-modified-since", "Sun, 06 Nov 2094 08:49:37 GMT")], 200),
        (vec![("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")], 200),
    ] {
        let response = get(&server, path, &headers).await;
        assert_eq!(response.status(), status, "{headers:?}");
        is_safe(&response);
        if status != 412 {
            assert_eq!(header(&response, "etag"), etag);
        }
        if status == 304 {
            assert_eq!(response.text().await.unwrap(), "");
        }
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("a.txt", "x")).await;
    let name = url(&card).strip_prefix("/public/files/nodeim-server/").unwrap();
    let stem = name.strip_suffix(".txt").unwrap();
    for path in [
        "",
        "x",
        "..",
        "..%2f..%2fnodeim.sqlite",
        "%2e%2e/%2e%2e/nodeim.sqlite",
        "..%5c..%5cnodeim.sqlite",
        "incoming",
        "incoming/x",
        stem,
        &format!("{stem}.html"),
        &format!("{stem}.png"),
        &format!("{stem}.thumb.png"),
        &format!("{stem}.txt%00"),
        &format!("{stem}.txt/"),
        &format!("{stem}.TXT"),
        &format!("{}/{name}", &stem[..2]),
        "AAAAAAAAAAAAAAAAAAAAAA.txt",
    ] {
        let response = get(&server, &format!("/public/files/nodeim-server/{path}"), &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let gone = get(&server, "/public/files/nodeim-server/AAAAAAAAAAAAAAAAAAAAAA.txt", &[("if-none-match", "*")]).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        assert_eq!(ask(&server, method, url(&card), &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

/// A cleanup all the time, which removes what is as old as a moment.
fn tidy(config: &mut Config) {
    config.cleanup_interval_ms = 20;
    config.unused_file_max_ms = 0;
}

async fn is_there(server: &Server, card: &Value) -> bool {
    let is_served = server.get(url(card)).await.status() == StatusCode::OK;
    // On disk and in the table, or in neither: but the row goes first.
    is_served && server.on_disk(url(card)).exists()
}

#[tokio::test]
async fn what_nothing_refers_to_is_removed_and_the_rest_stays() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let bob = server.person("bob").await;
    let room = alee.room("茶馆").await;
    let mut cards = Vec::new();
    for n in 0..6 {
        let form =
            if n == 0 { Form::file("a.png", picture(900, 300, ImageFormat::Png)) } else { Form::file("a.txt", "x") };
        cards.push(server.upload(&alee, form).await);
    }
    let [thumbed, face, deep, said, pictured, unused] = &cards[..] else { unreachable!() };
    alee.ok("profile", json!({"doc": {"facePath": server.url(url(face)), "album": [{"src": url(deep)}]}})).await;
    let stem = |card: &Value| url(card).rsplit('/').next().unwrap().split('.').next().unwrap().to_owned();
    for (card, kind, by) in [(said, "message", 1), (pictured, "room", room)] {
        let name = stem(card);
        server.database.execute(&format!("insert into file_uses values ('{name}', '{kind}', {by})")).await;
    }
    // Not old enough: everything is there after many a cleanup.
    let server = server.restart_with(|config| config.cleanup_interval_ms = 10).await;
    until("some cleanups", async || is_there(&server, unused).await).await;
    let server = server.restart_with(tidy).await;
    until("the cleanup", async || !is_there(&server, unused).await && !is_there(&server, thumbed).await).await;
    until("an empty place", async || {
        !server.on_disk(url(unused)).exists() && !server.on_disk(thumbed["thumb"].as_str().unwrap()).exists()
    })
    .await;
    for card in [face, deep, said, pictured] {
        assert!(is_there(&server, card).await, "{card}");
    }
    assert_eq!(server.database.number("select count(*) from files").await, 4);
    let bytes = format!("select file_bytes from users where id = {}", alee.id);
    assert_eq!(server.database.number(&bytes).await, 4 * 4096);
    // A new picture sets the old one free; the other reference stays.
    let mut alee = server.device("alee").await;
    alee.ok("profile", json!({"doc": {"facePath": ""}})).await;
    until("the old picture", async || !is_there(&server, face).await).await;
    assert!(is_there(&server, deep).await);
    until("the count", async || server.metric("nodeim_files_removed_total").await == 3.0).await;
    drop(bob);
}

#[tokio::test]
async fn an_account_may_be_made_with_a_picture() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let card = server.upload(&alee, Form::file("a.txt", "x")).await;
    let mut bob = server.connect().await;
    bob.ok("signup", json!({"username": "bob", "password": "111111", "facePath": url(&card)})).await;
    assert_eq!(server.database.number("select count(*) from file_uses where kind = 'profile'").await, 1);
}

#[tokio::test]
async fn strays_on_disk_are_removed() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let mut owner = server.device("alee").await;
    let card = server.upload(&alee, Form::file("a.png", picture(900, 300, ImageFormat::Png))).await;
    owner.ok("profile", json!({"doc": {"facePath": url(&card)}})).await;
    let kept = server.on_disk(url(&card));
    let stray = server.on_disk("/AAAAAAAAAAAAAAAAAAAAAA.txt");
    let foreign = kept.with_file_name("README");
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    for path in [&stray, &foreign] {
        std::fs::write(path, "x").unwrap();
    }
    let server = server.restart_with(tidy).await;
    until("the cleanup", async || !stray.exists()).await;
    assert!(kept.exists() && server.on_disk(card["thumb"].as_str().unwrap()).exists());
    assert!(foreign.exists(), "what is not ours is left alone");
}

#[tokio::test]
async fn old_sessions_end_with_the_cleanup() {
    let server = Server::with(tidy).await;
    let alee = server.person("alee").await;
    let _device = server.device("alee").await;
    server.database.execute("update sessions set used_ms = 0 where id = (select min(id) from sessions)").await;
    until("the cleanup", async || server.database.number("select count(*) from sessions").await == 1).await;
    drop(alee);
}

#[tokio::test]
async fn cleanups_and_uploads_get_along() {
    let server = Server::with(|config| {
        tidy(config);
        config.unused_file_max_ms = 200;
        config.rate_limit = nodeim::config::Switch::Off;
    })
    .await;
    let mut alee = server.person("alee").await;
    for _ in 0..30 {
        let card = server.upload(&alee, Form::file("a.txt", "x")).await;
        alee.ok("profile", json!({"doc": {"facePath": url(&card)}})).await;
        assert!(is_there(&server, &card).await);
    }
    until("one left", async || server.database.number("select count(*) from files").await == 1).await;
    until("one on disk", async || server.files_on_disk().len() == 1).await;
    tokio::time::timeout(Duration::from_secs(1), alee.ok("friends", json!({}))).await.unwrap();
}
