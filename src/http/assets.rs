//! The chat page and the classic one, their modules and packages, and the socket.io clients' files, all from `static/`.
//!
//! A release build carries the files inside the program; a debug build reads them from disk, so the page
//! can be edited while the server runs. The packages come from npm (`npm ci` in `static/`) and may
//! be missing: the server builds and runs without them and says so where they are asked for.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What may leave `static/`. A `*` stands for folders too.
#[derive(RustEmbed)]
#[folder = "static/"]
#[include = "index.html"]
#[include = "classic.html"]
#[include = "app/*.js"]
#[include = "classic/*.js"]
#[include = "classic/*.css"]
#[include = "app/*.svg"]
#[include = "app/*.webmanifest"]
#[include = "css/*.css"]
#[include = "images/*.png"]
#[include = "node_modules/preact/dist/*.mjs"]
#[include = "node_modules/preact/hooks/dist/*.mjs"]
#[include = "node_modules/@preact/signals/dist/*.mjs"]
#[include = "node_modules/@preact/signals-core/dist/*.mjs"]
#[include = "node_modules/htm/dist/*.mjs"]
#[include = "node_modules/dompurify/dist/purify.es.mjs"]
#[include = "node_modules/linkifyjs/dist/linkify.mjs"]
#[include = "node_modules/emoji-picker-element-data/en/cldr-native/data.json"]
#[include = "node_modules/emoji-picker-element-data/zh/cldr-native/data.json"]
#[include = "node_modules/socket.io-client/package.json"]
#[include = "node_modules/socket.io-client/dist/*.js"]
#[include = "node_modules/socket.io-client/dist/*.js.map"]
#[include = "node_modules/socket.io-client-0.9/package.json"]
#[include = "node_modules/socket.io-client-0.9/dist/*.js"]
struct Files;

/// The pages' addresses, and the folder of `static/` that each of them shows.
const FOLDERS: [(&str, &str); 5] = [
    ("app", "app"),
    ("classic", "classic"),
    ("css", "css"),
    ("npm", "node_modules"),
    ("nodeim-server/public/images", "images"),
];

/// The pages themselves, by their addresses.
const PAGES: [(&str, &str); 2] = [("/", "index.html"), ("/classic.html", "classic.html")];

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

/// Where the clients' files come from: today's, and the one for Socket.IO 0.9, below a folder of that name.
const CLIENT: &str = "socket.io-client";
const OLD_CLIENT: &str = "socket.io-client-0.9";

/// The files of the client for Socket.IO 0.9, below `/socket.io/0.9`.
const OLD_CLIENT_FILES: [&str; 2] = ["socket.io.js", "socket.io.min.js"];

const CLIENT_MISSING: &str =
    "The socket.io client is not installed. Run `npm ci` in static/, then build the server again.\n";

const FILE_MISSING: &str =
    "This file is missing from static/. If it belongs to a package, run `npm ci` there, then build the server again.\n";

/// What may be done in the page, besides running the scripts that `policy` names: nothing inline and nothing from
/// elsewhere. Only the colours and fonts of messages stand in `style` attributes.
const PAGE_POLICY: &str = "style-src 'self'; style-src-attr 'unsafe-inline'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; frame-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// The pages, their files, the two pictures of presence, and `GET /socket.io/<client file>`; those of the old client
/// are below `/socket.io/0.9`.
///
/// The client files stand below `/socket.io`, which socketioxide's layer claims whole: this router must
/// see a request before that layer does.
pub(super) fn routes() -> Router {
    let routes = PAGES.into_iter().fold(Router::new(), |routes, (address, name)| {
        routes.route(address, get(async move |headers: HeaderMap| page(name, &headers)))
    });

    let routes = FOLDERS.into_iter().fold(routes, |routes, (address, folder)| {
        let serve =
            async move |Path(path): Path<String>, headers: HeaderMap| page_file(&format!("{folder}/{path}"), &headers);
        routes.route(&format!("/{address}/{{*path}}"), get(serve))
    });

    let files = CLIENT_FILES.map(|name| (CLIENT, "/socket.io", name)).into_iter();
    let old_files = OLD_CLIENT_FILES.map(|name| (OLD_CLIENT, "/socket.io/0.9", name));
    files.chain(old_files).fold(routes, |routes, (package, folder, name)| {
        let serve = async move |headers: HeaderMap| client_file(package, name, &headers);
        routes.route(&format!("{folder}/{name}"), get(serve))
    })
}

fn page(name: &str, request: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else {
        return (StatusCode::NOT_FOUND, FILE_MISSING).into_response();
    };
    let policy = policy(&String::from_utf8_lossy(&file.data));
    let security = [(CONTENT_SECURITY_POLICY, policy.as_str()), (REFERRER_POLICY, "same-origin")];

    (security, page_file(name, request)).into_response()
}

/// Browsers take an import map from within the page only. So the policy names it, by its hash.
fn policy(html: &str) -> String {
    let map = html.split_once("<script type=\"importmap\">").and_then(|(_, rest)| rest.split_once("</script>"));
    let map = map.map_or(String::new(), |(map, _)| {
        format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(map.as_bytes())))
    });
    format!("default-src 'none'; script-src 'self'{map}; {PAGE_POLICY}")
}

fn page_file(name: &str, request: &HeaderMap) -> Response {
    let (Some(file), Some(content_type)) = (Files::get(name), content_type(name)) else {
        return (StatusCode::NOT_FOUND, FILE_MISSING).into_response();
    };
    let hash = file.metadata.sha256_hash();
    let etag = format!("\"{:016x}\"", hash[..8].iter().fold(0, |id, byte| id << 8 | u64::from(*byte)));

    answer(file, content_type, "no-cache", &etag, request)
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

/// Headers as socket.io 4.8 sends them (`Server.serve` in its `lib/index.ts`): the client's version is
/// the tag of every file, and a cache asks again each time.
fn client_file(package: &str, name: &str, request: &HeaderMap) -> Response {
    let file = Files::get(&format!("node_modules/{package}/dist/{name}"));
    let (Some(file), Some(version)) = (file, client_version(package)) else {
        return (StatusCode::NOT_FOUND, CLIENT_MISSING).into_response();
    };
    let content_type = if name.ends_with(".map") {
        "application/json; charset=utf-8"
    } else {
        "application/javascript; charset=utf-8"
    };

    answer(file, content_type, "public, max-age=0", &format!("\"{version}\""), request)
}

fn client_version(package: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }

    let file = Files::get(&format!("node_modules/{package}/package.json"))?;
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

    const CLIENT_FILE: &str = "/socket.io/socket.io.js";

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
    async fn pages_run_under_their_own_policies() {
        for (address, scripts) in [("/", "script-src 'self' 'sha256-"), ("/classic.html", "script-src 'self';")] {
            let response = send(Method::GET, address, None).await;
            assert_eq!(header(&response, CONTENT_TYPE), "text/html; charset=utf-8");
            assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
            let policy = header(&response, CONTENT_SECURITY_POLICY).to_owned();
            assert!(policy.contains(scripts) && policy.contains("style-src 'self';"), "{policy}");

            let html = body(response).await;
            assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains("<script>"));
        }
    }

    #[test]
    fn policy_names_the_import_map_by_its_hash() {
        let policy = policy("<script type=\"importmap\">{\"imports\":{}}</script><script>x</script>");
        // printf '{"imports":{}}' | openssl dgst -sha256 -binary | base64
        assert!(
            policy.contains("script-src 'self' 'sha256-URrTy+Il/Nz0lHojVUx275hWqAWhkSF0VsHbUM4/6Hw=';"),
            "{policy}"
        );
        assert!(super::policy("<p>no map</p>").contains("script-src 'self';"));
    }

    #[tokio::test]
    async fn what_the_pages_name_is_there() {
        let html = body(send(Method::GET, "/", None).await).await;
        let (_, rest) = html.split_once("<script type=\"importmap\">").expect("the page has an import map");
        let (map, _) = rest.split_once("</script>").expect("the import map ends");
        let map: serde_json::Value = serde_json::from_str(map).expect("the import map is JSON");
        let packages = map["imports"].as_object().expect("it has imports").values();
        let packages = packages.filter_map(|address| address.as_str());
        // The packages are tried if they are installed; the page's own files must be there.
        let packages = packages.filter(|_| Files::get("node_modules/preact/dist/preact.mjs").is_some());
        let classic = body(send(Method::GET, "/classic.html", None).await).await;
        let own = [html.as_str(), &classic].into_iter().flat_map(|html| html.split('"'));
        let own = own.filter(|text| ["/app/", "/css/", "/classic/"].iter().any(|folder| text.starts_with(folder)));

        for address in own.chain(packages) {
            let response = send(Method::GET, address, None).await;
            assert_eq!(response.status(), StatusCode::OK, "{address}");
            assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
    }

    #[tokio::test]
    async fn nothing_else_leaves_the_folder() {
        for address in [
            "/app/README.md",
            "/app/../package.json",
            "/app/%2e%2e/package.json",
            "/css/..%2findex.html",
            "/npm/.package-lock.json",
            "/npm/preact/package.json",
            "/app/nothing.js",
        ] {
            assert_eq!(send(Method::GET, address, None).await.status(), StatusCode::NOT_FOUND, "{address}");
        }
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
        let Some(version) = client_version(CLIENT) else {
            let response = send(Method::GET, CLIENT_FILE, None).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            assert_eq!(body(response).await, CLIENT_MISSING);
            return;
        };

        for name in OLD_CLIENT_FILES {
            let response = send(Method::GET, &format!("/socket.io/0.9/{name}"), None).await;
            let expected = client_version(OLD_CLIENT).map_or(StatusCode::NOT_FOUND, |_| StatusCode::OK);
            assert_eq!(response.status(), expected, "{name}");
        }
        for name in CLIENT_FILES {
            let response = send(Method::GET, &format!("/socket.io/{name}"), None).await;
            let kind = if name.ends_with(".map") { "json" } else { "javascript" };
            assert_eq!(header(&response, CONTENT_TYPE), format!("application/{kind}; charset=utf-8"));
            assert_eq!(header(&response, CACHE_CONTROL), "public, max-age=0");
            assert_eq!(header(&response, ETAG), format!("\"{version}\""));
            assert!(!body(response).await.is_empty());
        }
        let known = format!("W/\"{version}\"");
        assert_eq!(send(Method::GET, CLIENT_FILE, Some(&known)).await.status(), StatusCode::NOT_MODIFIED);

        let head = send(Method::HEAD, CLIENT_FILE, None).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(body(head).await, "");
    }
}
