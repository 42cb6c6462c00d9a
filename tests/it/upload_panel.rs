//! The upload panel of 2013, and who may use it for whom.

use nodeim::config::Switch;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Client, Form, Server, until};

const DONE: &str = "文件上传成功";
const NO_FILE: &str = "未上传文件";
const MISSING: &str = "缺少必要参数";
const OFFLINE: &str = "用户未上线";

/// From where a request comes, as a trusted proxy says.
type From<'a> = Option<&'a str>;

async fn page(server: &Server, path: &str, from: From<'_>) -> String {
    let request = reqwest::Client::new().get(server.url(path));
    text(with(request, from)).await
}

async fn post(server: &Server, path: &str, from: From<'_>, form: Form) -> String {
    let request = reqwest::Client::new().post(server.url(path)).header("content-type", Form::content_type());
    text(with(request.body(form.body()), from)).await
}

fn with(request: reqwest::RequestBuilder, from: From<'_>) -> reqwest::RequestBuilder {
    from.into_iter().fold(request, |request, from| request.header("x-forwarded-for", from))
}

/// The old panel answers 200 whatever happens, and may stand in a frame of any page.
async fn text(request: reqwest::RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(!response.headers().contains_key("x-frame-options"));
    assert!(!response.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors"));
    response.text().await.unwrap()
}

/// Where the form of the panel leads.
fn action(page: &str) -> String {
    let (_, rest) = page.split_once("action=\"").unwrap_or_else(|| panic!("no form: {page}"));
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

async fn proxied(change: impl FnOnce(&mut nodeim::config::Config)) -> Server {
    Server::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        change(config);
    })
    .await
}

/// Somebody with two devices, at 10.0.0.1 and 10.0.0.2.
async fn two_devices(server: &Server) -> (Client, Client) {
    let mut here = Client::connect_with(server.address, &[("x-forwarded-for", "10.0.0.1")]).await;
    here.ok("signup", json!({"username": "alee", "password": "111111"})).await;
    here.username = "alee".to_owned();
    here.sign_in().await;
    let mut there = Client::connect_with(server.address, &[("x-forwarded-for", "10.0.0.2")]).await;
    there.username = "alee".to_owned();
    there.sign_in().await;
    (here, there)
}

#[tokio::test]
async fn the_form_leads_to_a_file_and_an_event() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let page = page(&server, &format!("/nodeim-server/upload?user={}", alee.id), None).await;
    for part in [
        "method=\"post\"",
        "enctype=\"multipart/form-data\"",
        "type=\"file\" name=\"file\"",
        "id=\"btnSendFile\"",
        "value=\"传文件\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let action = action(&page);
    assert!(action.starts_with(&format!("/nodeim-server/upload:submit?user={}", alee.id)), "{action}");
    for path in [action.clone(), action.replace(':', "%3A"), action.replace(':', "%3a")] {
        let form = Form::file("C:\\Users\\alee\\hello 你好.txt", "hello");
        assert!(post(&server, &path, None, form).await.contains(DONE));
        let event = alee.next("upload").await;
        assert_eq!(event["filename"], "hello 你好.txt");
        let url = event["url"].as_str().unwrap();
        let name = url.strip_prefix("/public/files/nodeim-server/").unwrap();
        assert!(
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && name.ends_with(".txt"),
            "{url}"
        );
        let file = server.get(url).await;
        assert_eq!(file.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(file.text().await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    for query in ["", "?user=", "?user=abc", "?user=0", "?user=-1", "?user=1.5", "?user=1&user=2", "?user=%00"] {
        assert!(page(&server, &format!("/nodeim-server/upload{query}"), None).await.contains(MISSING), "{query}");
        let path = format!("/nodeim-server/upload:submit{query}");
        assert!(post(&server, &path, None, Form::file("a", "x")).await.contains(MISSING), "{query}");
    }
    let submit = format!("/nodeim-server/upload:submit?user={}", alee.id);
    for form in [
        Form::default(),
        Form::default().field("other", "x"),
        Form::file("", ""),
        Form::file("empty.txt", ""),
        Form::file("a", "x").and_file("b", "y"),
    ] {
        assert!(post(&server, &submit, None, form).await.contains(NO_FILE));
    }
    let request = reqwest::Client::new().post(server.url(&submit)).body("no form at all");
    assert!(text(request).await.contains(NO_FILE));
    assert_eq!(server.files_on_disk().len(), 0);
}

#[tokio::test]
async fn there_is_no_panel_for_who_is_not_here() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    alee.ok("signout", json!({})).await;
    for user in [alee.id, 4711] {
        assert!(page(&server, &format!("/nodeim-server/upload?user={user}"), None).await.contains(OFFLINE));
        let path = format!("/nodeim-server/upload:submit?user={user}");
        assert!(post(&server, &path, None, Form::file("a", "x")).await.contains(OFFLINE));
    }
    assert_eq!(server.files_on_disk().len(), 0);
}

#[tokio::test]
async fn the_address_lets_one_in_and_tells_whom_to_tell() {
    let server = proxied(|_| {}).await;
    let (mut here, mut there) = two_devices(&server).await;
    let form = format!("/nodeim-server/upload?user={}", here.id);
    let submit = format!("/nodeim-server/upload:submit?user={}", here.id);
    for from in [Some("10.0.0.3"), Some("10.0.0.1, 10.0.0.3"), None] {
        assert!(page(&server, &form, from).await.contains(OFFLINE), "{from:?}");
        assert!(post(&server, &submit, from, Form::file("a", "x")).await.contains(OFFLINE), "{from:?}");
    }
    // Without a token: those at the same address hear of it.
    assert!(post(&server, &submit, Some("10.0.0.1"), Form::file("one", "x")).await.contains(DONE));
    assert_eq!(here.next("upload").await["filename"], "one");
    // With one, wherever it is used: all of the user's connections.
    let action = action(&page(&server, &form, Some("10.0.0.2")).await);
    assert!(post(&server, &action, Some("10.0.0.3"), Form::file("two", "x")).await.contains(DONE));
    assert_eq!(here.next("upload").await["filename"], "two");
    assert_eq!(there.next("upload").await["filename"], "two");
}

#[tokio::test]
async fn a_token_holds_for_one_user_and_as_it_was_given() {
    let server = proxied(|_| {}).await;
    let (alee, _there) = two_devices(&server).await;
    let bob = server.person("bob").await;
    let form = format!("/nodeim-server/upload?user={}", alee.id);
    let action = action(&page(&server, &form, Some("10.0.0.1")).await);
    let elsewhere = Some("10.0.0.3");
    let (start, token) = action.split_once("token=").unwrap();
    let (until_ms, signature) = token.split_once('.').unwrap();
    let later = until_ms.parse::<i64>().unwrap() + 1;
    for forged in [
        action.replace(&format!("user={}", alee.id), &format!("user={}", bob.id)),
        format!("{start}token={later}.{signature}"),
        format!("{start}token={until_ms}."),
        format!("{start}token={until_ms}"),
        format!("{start}token="),
        format!("{start}token=0.{signature}"),
        format!("{start}token=%00"),
    ] {
        assert!(post(&server, &forged, elsewhere, Form::file("a", "x")).await.contains(OFFLINE), "{forged}");
    }
    assert!(post(&server, &action, elsewhere, Form::file("a", "x")).await.contains(DONE));
}

#[tokio::test]
async fn without_tokens_the_address_decides() {
    let server = proxied(|config| config.upload_token = Switch::Off).await;
    let (alee, _there) = two_devices(&server).await;
    let form = format!("/nodeim-server/upload?user={}", alee.id);
    let action = action(&page(&server, &form, Some("10.0.0.1")).await);
    assert_eq!(action, format!("/nodeim-server/upload:submit?user={}", alee.id));
    assert!(post(&server, &action, Some("10.0.0.3"), Form::file("a", "x")).await.contains(OFFLINE));
    assert!(post(&server, &action, Some("10.0.0.1"), Form::file("a", "x")).await.contains(DONE));
}

#[tokio::test]
async fn without_the_check_the_token_decides() {
    let server = proxied(|config| config.upload_check_address = Switch::Off).await;
    let (mut here, mut there) = two_devices(&server).await;
    let form = format!("/nodeim-server/upload?user={}", here.id);
    let submit = format!("/nodeim-server/upload:submit?user={}", here.id);
    assert!(post(&server, &submit, Some("10.0.0.1"), Form::file("a", "x")).await.contains(OFFLINE));
    let action = action(&page(&server, &form, Some("10.0.0.3")).await);
    assert!(post(&server, &action, Some("10.0.0.3"), Form::file("a", "x")).await.contains(DONE));
    here.next("upload").await;
    there.next("upload").await;
}

#[tokio::test]
async fn without_either_it_is_as_in_2013() {
    let server = proxied(|config| {
        config.upload_check_address = Switch::Off;
        config.upload_token = Switch::Off;
    })
    .await;
    let (mut here, mut there) = two_devices(&server).await;
    let submit = format!("/nodeim-server/upload:submit?user={}", here.id);
    assert!(post(&server, &submit, Some("10.0.0.3"), Form::file("a", "x")).await.contains(DONE));
    here.next("upload").await;
    there.next("upload").await;
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_read_the_token_nor_do_without() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let form = format!("/nodeim-server/upload?user={}", alee.id);
    let http = reqwest::Client::new();
    let response = http.get(server.url(&form)).header("origin", "http://evil.example").send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let submit = format!("/nodeim-server/upload:submit?user={}", alee.id);
    for (name, value, expected) in [
        ("origin", "http://evil.example", OFFLINE),
        ("origin", "null", OFFLINE),
        ("sec-fetch-site", "cross-site", OFFLINE),
        ("sec-fetch-site", "same-origin", DONE),
        ("origin", &server.url(""), DONE),
    ] {
        let request = http.post(server.url(&submit)).header("content-type", Form::content_type());
        let request = request.header(name, value).body(Form::file("a", "x").body());
        assert!(text(request).await.contains(expected), "{name}: {value}");
    }
}

#[tokio::test]
async fn limits_are_told_in_words() {
    let server = Server::with(|config| {
        config.upload_max_bytes = 1000;
        config.rate_uploads_per_minute = 3;
    })
    .await;
    let alee = server.person("alee").await;
    let submit = format!("/nodeim-server/upload:submit?user={}", alee.id);
    assert!(post(&server, &submit, None, Form::file("a", "x".repeat(1001))).await.contains("文件过大"));
    assert!(post(&server, &submit, None, Form::file("a", "x".repeat(500_000))).await.contains("文件过大"));
    assert!(post(&server, &submit, None, Form::file("a", "x".repeat(1000))).await.contains(DONE));
    assert!(post(&server, &submit, None, Form::file("a", "x")).await.contains(DONE));
    assert!(post(&server, &submit, None, Form::file("a", "x")).await.contains("过于频繁"));
    until("the failures", async || {
        server.metric("nodeim_upload_failures_total{reason=\"too_large\"}").await == 2.0
            && server.metric("nodeim_upload_failures_total{reason=\"too_many\"}").await == 1.0
    })
    .await;
}

#[tokio::test]
async fn what_was_uploaded_can_become_ones_picture() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let submit = format!("/nodeim-server/upload:submit?user={}", alee.id);
    assert!(post(&server, &submit, None, Form::file("a.txt", "x")).await.contains(DONE));
    let url = alee.next("upload").await["url"].as_str().unwrap().to_owned();
    // The desktop client puts server and path together and posts its whole document.
    alee.ok("profile", json!({"doc": {"facePath": server.url(&url)}})).await;
    assert_eq!(server.database.number("select count(*) from file_uses where kind = 'profile'").await, 1);
}

#[tokio::test]
async fn status_shows_who_is_here() {
    let server = Server::start().await;
    let mut alee = server.person("alee").await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let status = async |query: String| {
        let response = http.get(server.url(&format!("/nodeim-server/Status{query}"))).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND, "{query}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let image = server.get(&location).await;
        assert_eq!((image.status(), image.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "image/png"));
        image::load_from_memory(&image.bytes().await.unwrap()).unwrap();
        location.strip_prefix("/nodeim-server/public/images/").unwrap().to_owned()
    };
    let mine = format!("?id={}", alee.id);
    assert_eq!(status(mine.clone()).await, "online.png");
    alee.ok("presence", json!({"presence": "忙碌"})).await;
    assert_eq!(status(mine.clone()).await, "online.png");
    alee.ok("presence", json!({"presence": "隐身"})).await;
    assert_eq!(status(mine.clone()).await, "offline.png");
    alee.ok("presence", json!({"presence": "在线"})).await;
    assert_eq!(status(mine.clone()).await, "online.png");
    alee.ok("signout", json!({})).await;
    assert_eq!(status(mine).await, "offline.png");
    for query in ["", "?id=", "?id=abc", "?id=4711", "?id=-1", "?id=99999999999999999999", "?id=1&id=2"] {
        assert_eq!(status(query.to_owned()).await, "offline.png", "{query}");
    }
}
