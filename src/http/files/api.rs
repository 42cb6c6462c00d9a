//! `POST /api/files`: an upload by whoever holds a session's token.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Request, State};
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

/// `curl -H "Authorization: Bearer $TOKEN" -F purpose=message -F file=@cat.jpg http://127.0.0.1:8765/api/files`
pub(super) async fn upload(State(parts): State<Parts>, request: Request) -> Response {
    let attempt = Attempt::new(&parts.metrics);
    let user = signed_in(&parts, request.headers()).await;
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

async fn signed_in(parts: &Parts, headers: &HeaderMap) -> Result<UserId> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(parts.chat.session(token.trim()).await?.user)
        }
        _ => Err(Error::NotSignedIn),
    }
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
