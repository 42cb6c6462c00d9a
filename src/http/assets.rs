//! The start page and the socket.io client files, from `static/`.
//!
//! A release build carries the files inside the program; a debug build reads them from disk, so a page
//! can be edited while the server runs. The client files come from npm (`npm ci` in `static/`) and may
//! be missing: the server builds and runs without them and says so where they are asked for.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;

#[derive(RustEmbed)]
#[folder = "static/"]
#[include = "index.html"]
#[include = "style.css"]
#[include = "images/*.png"]
#[include = "node_modules/socket.io-client/package.json"]
#[include = "node_modules/socket.io-client/dist/*.js"]
#[include = "node_modules/socket.io-client/dist/*.js.map"]
struct Files;

/// What Node's socket.io 4 server offers beside the protocol itself.
const CLIENT_FILES: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

const CLIENT_MISSING: &str =
    "The socket.io client is not installed. Run `npm ci` in static/, then build the server again.\n";

/// Nothing inline and nothing from elsewhere, except what chat shows: pictures and live connections.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' http: https: data:; connect-src 'self' ws: wss:; frame-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// `GET /`, `GET /style.css`, the two pictures of presence and `GET /socket.io/<client file>`.
///
/// The client files stand below `/socket.io`, which socketioxide's layer claims whole: this router must
/// see a request before that layer does.
pub(super) fn routes() -> Router {
    let routes = Router::new()
        .route("/nodeim-server/public/images/online.png", get(async |headers: HeaderMap| image("online", &headers)))
        .route("/nodeim-server/public/images/offline.png", get(async |headers: HeaderMap| image("offline", &headers)))
        .route("/", get(async |headers: HeaderMap| page("index.html", "text/html; charset=utf-8", &headers)))
        .route("/style.css", get(async |headers: HeaderMap| page("style.css", "text/css; charset=utf-8", &headers)));

    CLIENT_FILES.into_iter().fold(routes, |routes, name| {
        let serve = async move |headers: HeaderMap| client_file(name, &headers);
        routes.route(&format!("/socket.io/{name}"), get(serve))
    })
}

fn page(name: &str, content_type: &'static str, request: &HeaderMap) -> Response {
    let security = [(CONTENT_SECURITY_POLICY, PAGE_POLICY), (REFERRER_POLICY, "same-origin")];
    (security, own_file(name, content_type, request)).into_response()
}

fn image(name: &str, request: &HeaderMap) -> Response {
    own_file(&format!("images/{name}.png"), "image/png", request)
}

fn own_file(name: &str, content_type: &'static str, request: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else {
        return (StatusCode::NOT_FOUND, "This file is missing from static/.\n").into_response();
    };
    let hash = file.metadata.sha256_hash();
    let etag = format!("\"{:016x}\"", hash[..8].iter().fold(0, |id, byte| id << 8 | u64::from(*byte)));
    answer(file, content_type, "no-cache", &etag, request)
}

/// Headers as socket.io 4.8 sends them (`Server.serve` in its `lib/index.ts`): the client's version is
/// the tag of every file, and a cache asks again each time.
fn client_file(name: &str, request: &HeaderMap) -> Response {
    let file = Files::get(&format!("node_modules/socket.io-client/dist/{name}"));
    let (Some(file), Some(version)) = (file, client_version()) else {
        return (StatusCode::NOT_FOUND, CLIENT_MISSING).into_response();
    };
    let content_type = if name.ends_with(".map") {
        "application/json; charset=utf-8"
    } else {
        "application/javascript; charset=utf-8"
    };

    answer(file, content_type, "public, max-age=0", &format!("\"{version}\""), request)
}

fn client_version() -> Option<String> {
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }

    let file = Files::get("node_modules/socket.io-client/package.json")?;
    let package: Package = serde_json::from_slice(&file.data).ok()?;
    Some(package.version)
}

fn answer(
    file: EmbeddedFile,
    content_type: &'static str,
    cache: &'static str,
    etag: &str,
    request: &HeaderMap,
) -> Response {
    let headers = [(ETAG, etag), (CACHE_CONTROL, cache), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    if is_known(etag, request) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, content_type)], file.data).into_response()
}

/// Whether the requester already holds `etag`. Weak and strong tags count alike (RFC 9110, 13.1.2).
pub(super) fn is_known(etag: &str, request: &HeaderMap) -> bool {
    let held = request.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    held.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request};
    use tower::Service;

    const CLIENT: &str = "/socket.io/socket.io.js";

    async fn send(method: Method, path: &str, known: Option<&str>) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let request = request.body(Body::empty()).expect("request is complete");
        routes().call(request).await.expect("a router cannot fail")
    }

    async fn body(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 1024 * 1024).await.expect("body is in memory");
        String::from_utf8(bytes.to_vec()).expect("files are text")
    }

    fn header(response: &Response, name: axum::http::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    #[tokio::test]
    async fn page_runs_under_its_own_policy() {
        let response = send(Method::GET, "/", None).await;
        assert_eq!(header(&response, CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(header(&response, CONTENT_SECURITY_POLICY).contains("script-src 'self';"));

        let html = body(response).await;
        assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains("<script>"));
        assert_eq!(header(&send(Method::GET, "/style.css", None).await, CONTENT_TYPE), "text/css; charset=utf-8");
    }

    #[tokio::test]
    async fn page_is_sent_again_only_when_it_changed() {
        let response = send(Method::GET, "/", None).await;
        let etag = header(&response, ETAG);
        for (known, status) in [
            (etag.to_owned(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{etag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            assert_eq!(send(Method::GET, "/", Some(&known)).await.status(), status, "{known}");
        }
    }

    #[tokio::test]
    async fn client_files_are_served_as_node_does_or_asked_for() {
        let Some(version) = client_version() else {
            let response = send(Method::GET, CLIENT, None).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            assert_eq!(body(response).await, CLIENT_MISSING);
            return;
        };

        for name in CLIENT_FILES {
            let response = send(Method::GET, &format!("/socket.io/{name}"), None).await;
            let kind = if name.ends_with(".map") { "json" } else { "javascript" };
            assert_eq!(header(&response, CONTENT_TYPE), format!("application/{kind}; charset=utf-8"));
            assert_eq!(header(&response, CACHE_CONTROL), "public, max-age=0");
            assert_eq!(header(&response, ETAG), format!("\"{version}\""));
            assert!(!body(response).await.is_empty());
        }
        let known = format!("W/\"{version}\"");
        assert_eq!(send(Method::GET, CLIENT, Some(&known)).await.status(), StatusCode::NOT_MODIFIED);

        let head = send(Method::HEAD, CLIENT, None).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(body(head).await, "");
    }
}
