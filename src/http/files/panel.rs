//! The upload panel of 2013: a form in a frame of the client's page, which knows who is meant but no password.
//!
//! Old server: status 200 whatever happened, the outcome as a text; the client hears of the file by the event
//! `upload`. No header here forbids framing, since the client's page is a local file or of another origin.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::Parts;
use super::fault::{Attempt, Fault};
use super::form::Sender;
use crate::chat::error::{Error, Result};
use crate::chat::files::Purpose;
use crate::chat::ids::UserId;
use crate::chat::message::FileCard;
use crate::transport::tcp::ClientAddress;

const MISSING: &str = "缺少必要参数";
const OFFLINE: &str = "用户未上线";
const DONE: &str = "文件上传成功";
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[derive(Deserialize)]
pub(super) struct Asked {
    user: Option<String>,
    token: Option<String>,
}

type Parameters = std::result::Result<Query<Asked>, QueryRejection>;

/// Whom it is about, and the token.
fn asked(parameters: Parameters) -> Option<(UserId, Option<String>)> {
    let Query(asked) = parameters.ok()?;
    let id = asked.user?.trim().parse().ok().filter(|id| *id > 0)?;
    Some((UserId(id), asked.token))
}

/// `GET /nodeim-server/upload?user=ID`
pub(super) async fn form(
    State(parts): State<Parts>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    parameters: Parameters,
) -> Response {
    let Some((user, _)) = asked(parameters) else {
        return page(MISSING);
    };
    if let Err(error) = parts.chat.may_try_upload(address) {
        return page(Fault::of(&error).message);
    }
    let Some(token) = parts.chat.panel(user, address) else {
        return page(OFFLINE);
    };
    // Nothing here needs escaping: a number, and a token of digits, letters and `-_.`.
    let token = token.map(|token| format!("&amp;token={token}")).unwrap_or_default();
    page(&format!(
        "<form method=\"post\" enctype=\"multipart/form-data\" \
         action=\"/nodeim-server/upload:submit?user={user}{token}\">\
         <input type=\"file\" name=\"file\"><input type=\"submit\" id=\"btnSendFile\" value=\"传文件\"></form>"
    ))
}

/// `POST /nodeim-server/upload:submit?user=ID`
pub(super) async fn submit(
    State(parts): State<Parts>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    parameters: Parameters,
    request: Request,
) -> Response {
    let Some((user, token)) = asked(parameters) else {
        Sender::new(request).linger(&Error::missing()).await;
        return page(MISSING);
    };
    let is_foreign = is_foreign(request.headers());
    let sender = Sender::new(request);
    if let Err(error) = parts.chat.may_try_upload(address) {
        sender.linger(&error).await;
        return page(Fault::of(&error).message);
    }
    let Some(admission) = parts.chat.admit(user, address, token.as_deref(), is_foreign) else {
        sender.linger(&Error::NotSignedIn).await;
        return page(OFFLINE);
    };
    let attempt = Attempt::new(&parts.metrics);
    match take(&parts, user, &sender).await {
        Ok(card) => {
            attempt.succeeded();
            parts.chat.tell_of_upload(user, &card, admission);
            page(DONE)
        }
        Err(error) => {
            let fault = Fault::of(&error);
            attempt.failed(&fault);
            sender.linger(&error).await;
            page(fault.message)
        }
    }
}

async fn take(parts: &Parts, user: UserId, sender: &Sender) -> Result<FileCard> {
    let mut form = sender.form(&parts.config)?;
    let (_, original) = form.fields().await?;
    let mut upload = parts.chat.begin_upload(user).await?;
    form.pour(&mut upload).await?;
    upload.finish(Purpose::Message, &original).await
}

/// Whether a browser says that a page of another origin sends this. Browsers of 2013 say nothing.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&SEC_FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    text(&ORIGIN).is_some_and(|origin| {
        let origin = origin.parse::<Uri>().ok();
        origin.as_ref().and_then(Uri::authority).map(|authority| authority.as_str()) != text(&HOST)
    })
}

fn page(body: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let html = format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>传文件</title></head><body>{body}</body></html>"
    );
    (headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_say_whose_page_sends_a_form() {
        let foreign = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_foreign(&headers)
        };
        let host = ("host", "chat.example:8765");
        assert!(!foreign(&[host]));
        assert!(!foreign(&[host, ("origin", "http://chat.example:8765")]));
        assert!(!foreign(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(foreign(&[host, ("origin", "http://other.example")]));
        assert!(foreign(&[host, ("origin", "null")]));
        assert!(foreign(&[host, ("origin", "http://chat.example:8765"), ("sec-fetch-site", "cross-site")]));
    }
}
