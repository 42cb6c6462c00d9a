//! The answers to requests. Whether a page of another origin may read them is settled for all paths in `http`.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::address::{is_index, parameter};

/// Old Internet Explorers took an answer that repeats what was asked for an attack.
const X_XSS_PROTECTION: HeaderName = HeaderName::from_static("x-xss-protection");

const TEXT: &str = "text/plain; charset=UTF-8";
const SCRIPT: &str = "text/javascript; charset=UTF-8";

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, body).into_response()
}

pub(super) fn text(body: impl Into<String>) -> Response {
    answer(StatusCode::OK, TEXT, body.into())
}

pub(super) fn error(status: StatusCode, body: &str) -> Response {
    answer(status, TEXT, body.to_owned())
}

/// A call of the page's function number `index`, which is digits alone, with a text: `io.j[0]("...");`.
///
/// Packets hold no line ends of Unicode's, so JSON is JavaScript here.
pub(super) fn script(index: &str, body: String) -> Response {
    let script = format!("io.j[{index}]({});", Value::from(body));
    let mut headers = HeaderMap::new();
    headers.insert(X_XSS_PROTECTION, HeaderValue::from_static("0"));
    (headers, answer(StatusCode::OK, SCRIPT, script)).into_response()
}

/// The answer to a handshake, as text, or for `jsonp=<n>` as a script. A script is always answered with 200, since it
/// is not run otherwise.
pub(super) fn handshake(query: &str, result: Result<String, (StatusCode, &'static str)>) -> Response {
    const SCRIPT: &str = "application/javascript";
    match (parameter(query, "jsonp").filter(|index| is_index(index)), result) {
        (None, Ok(body)) => answer(StatusCode::OK, "text/plain", body),
        (None, Err((status, body))) => error(status, body),
        (Some(index), Ok(body)) => answer(StatusCode::OK, SCRIPT, format!("io.j[{index}]({});", Value::from(body))),
        (Some(index), Err((_, body))) => {
            answer(StatusCode::OK, SCRIPT, format!("io.j[{index}](new Error({}));", Value::from(body)))
        }
    }
}
