//! `POST /api/files`: an upload by whoever holds a session's token.

use std::collections::HashMap;
use std::net::IpAddr;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::response::{IntoResponse, Response};

use super::super::Parts;
use super::fault::{Attempt, Fault};
use super::form::Sender;
use crate::chat::error::{Error, Reason, Result};
use crate::chat::event::Place;
use crate::chat::files::Purpose;
use crate::chat::ids::{RoomId, UserId};
use crate::chat::message::FileCard;
use crate::transport::tcp::ClientAddress;

/// `curl -H "Authorization: Bearer $TOKEN" -F purpose=message -F file=@cat.jpg http://127.0.0.1:8765/api/files`
pub(super) async fn upload(
    State(parts): State<Parts>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request: Request,
) -> Response {
    let attempt = Attempt::new(&parts.metrics);
    let user = signed_in(&parts, address, request.headers()).await;
    let sender = Sender::new(request);
    let result = match user {
        Ok(user) => take(&parts, user, &sender).await,
        Err(error) => Err(error),
    };
    let response = match result {
        Ok(card) => {
            attempt.succeeded();
            Json(card).into_response()
        }
        Err(error) => {
            let fault = Fault::of(&error);
            attempt.failed(&fault);
            sender.linger(&error).await;
            fault.into_response()
        }
    };
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}

async fn signed_in(parts: &Parts, address: IpAddr, headers: &HeaderMap) -> Result<UserId> {
    parts.chat.may_try_upload(address)?;
    let token = bearer(headers).ok_or(Error::NotSignedIn)?;
    Ok(parts.chat.session(token).await?.user)
}

/// The token in `Authorization: Bearer pW0...`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn take(parts: &Parts, user: UserId, sender: &Sender) -> Result<FileCard> {
    let mut form = sender.form(&parts.config)?;
    let (fields, original) = form.fields().await?;
    let purpose = purpose(&fields)?;
    if let Some(place) = place(&fields)? {
        parts.chat.check_may_send(user, place).await?;
    }
    let mut upload = parts.chat.begin_upload(user).await?;
    form.pour(&mut upload).await?;
    upload.finish(purpose, &original).await
}

fn purpose(fields: &HashMap<String, String>) -> Result<Purpose> {
    match fields.get("purpose").map(String::as_str) {
        None | Some("message") => Ok(Purpose::Message),
        Some("avatar") => Ok(Purpose::Avatar),
        Some(_) => Err(Error::Invalid(Reason::Unreadable)),
    }
}

/// With both, the room counts, as in commands.
fn place(fields: &HashMap<String, String>) -> Result<Option<Place>> {
    let id = |name: &str| {
        let id = fields.get(name).map(|id| id.parse::<i64>());
        id.transpose().map_err(|_| Error::Invalid(Reason::Unreadable))
    };
    Ok(match (id("room")?, id("to")?) {
        (Some(room), _) => Some(Place::Room(RoomId(room))),
        (None, Some(to)) => Some(Place::User(UserId(to))),
        (None, None) => None,
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(value: &[u8]) -> HeaderMap {
        HeaderValue::from_bytes(value).map(|value| (AUTHORIZATION, value)).into_iter().collect()
    }

    proptest! {
        #[test]
        fn a_token_is_found_where_it_stands(token in "[A-Za-z0-9_-]{1,60}", scheme in "[Bb]earer|BEARER", gap in " {1,3}") {
            let headers = headers(format!("{scheme}{gap}{token}").as_bytes());
            prop_assert_eq!(bearer(&headers), Some(token.as_str()));
        }

        #[test]
        fn no_header_is_too_strange(
            value in prop::collection::vec(any::<u8>(), 0..60),
            near in "(Bearer|Basic|bearer)?[ \\t]{0,2}[ -~]{0,20}",
        ) {
            for value in [value.as_slice(), near.as_bytes()] {
                bearer(&headers(value));
            }
        }

        #[test]
        fn fields_are_read_or_refused(name in "purpose|to|room|file|.{0,4}", value in "message|avatar|[0-9+-]{0,20}|.{0,8}") {
            let fields = HashMap::from([(name, value)]);
            drop((purpose(&fields), place(&fields)));
        }
    }
}
