//! Files that were uploaded, for everybody who knows their address.
//!
//! They come from strangers and stand on this server's origin, so nothing in them may ever run: types are our own,
//! browsers may not guess others, what could hold a script is only handed out, and should a browser show it all the
//! same, it does so in a sandbox.

use std::path::PathBuf;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tower_http::services::ServeFile;

use super::super::Parts;
use super::super::assets::is_known;
use crate::blobs::Kind;
use crate::chat::files::split_stored;

const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// A name never stands for other bytes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// What RFC 5987 lets stand as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Deserialize)]
pub(super) struct Wish {
    download: Option<String>,
}

/// `GET /public/files/nodeim-server/<name>`; with `?download` always as an attachment.
pub(super) async fn serve(
    State(parts): State<Parts>,
    stored: Result<Path<String>, PathRejection>,
    wish: Result<Query<Wish>, QueryRejection>,
    request: Request,
) -> Response {
    let found = stored.ok().and_then(|Path(stored)| {
        let (name, extension) = split_stored(&stored)?;
        Some((name.to_owned(), Kind::by_extension(extension)?, parts.disk.path(&stored)?, stored))
    });
    let Some((name, kind, path, stored)) = found else {
        return secured(StatusCode::NOT_FOUND.into_response());
    };
    let is_wanted = wish.is_ok_and(|Query(wish)| wish.download.is_some());
    let original = if kind.is_inline && !is_wanted {
        None
    } else {
        match parts.chat.original_name(&name).await {
            Ok(original) => Some(original.unwrap_or(stored.clone())),
            Err(error) => {
                tracing::warn!(cause = error.cause(), "the name of a file could not be read");
                Some(stored.clone())
            }
        }
    };
    let mut response = secured(send(path, &stored, request).await);
    let is_sent = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    headers.remove(LAST_MODIFIED);
    headers.remove(ETAG);
    if !is_sent {
        return response;
    }
    if let Ok(etag) = HeaderValue::from_str(&etag(&stored)) {
        headers.insert(ETAG, etag);
    }
    headers.insert(CACHE_CONTROL, FOR_EVER);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(kind)));
    if let Some(original) = original {
        headers.insert(CONTENT_DISPOSITION, attachment(&original));
    }
    response
}

/// The bytes, or those that were asked for. The library looks after ranges, but its tags and times are of the file
/// on this disk, which is another one on another node: conditions are answered here.
async fn send(path: PathBuf, stored: &str, mut request: Request) -> Response {
    let etag = etag(stored);
    let headers = request.headers_mut();
    if !matches_any(&etag, headers) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    let is_unchanged = headers.contains_key(IF_NONE_MATCH) && is_known(&etag, headers);
    if !wants_range(&etag, headers) {
        headers.remove(RANGE);
    }
    if is_unchanged {
        // Only of a file that is there.
        let is_there = tokio::fs::try_exists(&path).await.unwrap_or(false);
        return if is_there { StatusCode::NOT_MODIFIED } else { StatusCode::NOT_FOUND }.into_response();
    }
    for condition in [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE] {
        headers.remove(condition);
    }
    match ServeFile::new(path).ignore_multi_range_requests(true).try_call(request).await {
        Ok(response) => response.into_response(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "a file could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn etag(stored: &str) -> String {
    format!("\"{stored}\"")
}

/// Whether `If-Match`, if it is there, is met.
fn matches_any(etag: &str, headers: &HeaderMap) -> bool {
    let mut wanted = headers.get_all(IF_MATCH).iter().peekable();
    wanted.peek().is_none()
        || wanted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag == etag
        })
}

/// Whether the range that is asked for counts: it is in bytes, and of these bytes (RFC 9110, 13.1.5 and 14.2).
fn wants_range(etag: &str, headers: &HeaderMap) -> bool {
    let in_bytes = headers
        .get(RANGE)
        .is_some_and(|range| range.as_bytes().get(..6).is_some_and(|unit| unit.eq_ignore_ascii_case(b"bytes=")));
    in_bytes && headers.get(IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes())
}

fn content_type(kind: &Kind) -> &'static str {
    match kind.media_type {
        _ if !kind.is_inline => "application/octet-stream",
        "text/plain" => "text/plain; charset=utf-8",
        other => other,
    }
}

fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.entry(ACCEPT_RANGES).or_insert(HeaderValue::from_static("bytes"));
    response
}

/// `attachment; filename="____.pdf"; filename*=UTF-8''...`: the first for programs that do not know the second.
fn attachment(original: &str) -> HeaderValue {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .-_()+,=@".contains(c);
    let plain: String = original.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let encoded = utf8_percent_encode(original, PLAIN);
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(name: HeaderName, value: &str, rest: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = std::iter::once((name, value)).chain(rest.iter().cloned());
        pairs.map(|(name, value)| (name, value.parse().unwrap())).collect()
    }

    #[test]
    fn a_range_counts_if_it_is_of_the_same_bytes() {
        assert!(wants_range("\"a\"", &with(RANGE, "bytes=0-1", &[])));
        assert!(wants_range("\"a\"", &with(RANGE, "Bytes=-5", &[(IF_RANGE, "\"a\"")])));
        for (range, tag) in [("bytes=0-1", "\"b\""), ("bytes=0-1", "W/\"a\""), ("lines=0-1", "\"a\""), ("x", "\"a\"")] {
            assert!(!wants_range("\"a\"", &with(RANGE, range, &[(IF_RANGE, tag)])), "{range} {tag}");
        }
        assert!(!wants_range("\"a\"", &HeaderMap::new()));
    }

    #[test]
    fn a_name_stands_in_both_forms() {
        assert_eq!(
            attachment("猫 \"1\".pdf"),
            "attachment; filename=\"_ _1_.pdf\"; filename*=UTF-8''%E7%8C%AB%20%221%22.pdf"
        );
    }

    proptest! {
        #[test]
        fn no_condition_is_too_strange(
            value in prop::collection::vec(any::<u8>(), 0..40),
            near in "(bytes|Bytes|lines)?=?(-?[0-9]{0,20},?){0,4}|(W/)?\"?[a-z]{0,3}\"?(, ?\\*)?",
        ) {
            for value in [value.as_slice(), near.as_bytes()] {
                let Ok(value) = HeaderValue::from_bytes(value) else {
                    continue;
                };
                for name in [RANGE, IF_RANGE, IF_MATCH, IF_NONE_MATCH] {
                    let headers: HeaderMap = [(RANGE, value.clone()), (name, value.clone())].into_iter().collect();
                    let _read = (matches_any("\"a\"", &headers), wants_range("\"a\"", &headers), is_known("\"a\"", &headers));
                }
            }
        }

        #[test]
        fn no_name_breaks_out_of_its_header(original in any::<String>()) {
            let value = attachment(&original);
            let text = value.to_str().unwrap();
            prop_assert!(text.starts_with("attachment; filename=\"") && text.matches('"').count() == 2);
            prop_assert!(!text.contains(['\r', '\n']));
        }
    }
}
