//! Whether somebody is here, as a picture that other sites show.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::IntoResponse;
use serde::Deserialize;

use super::super::Parts;
use crate::chat::ids::UserId;

#[derive(Deserialize)]
pub(super) struct Asked {
    id: Option<String>,
}

/// `GET /nodeim-server/Status?id=ID`: leads to one of two pictures. Who hides, or is not there at all, is offline.
pub(super) async fn status(
    State(parts): State<Parts>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> impl IntoResponse {
    let id = asked.ok().and_then(|Query(asked)| asked.id?.trim().parse().ok());
    let is_here = id.is_some_and(|id| !parts.chat.hub().visible_presence(UserId(id)).is_hidden());
    let image = if is_here { "online" } else { "offline" };
    let location = format!("/nodeim-server/public/images/{image}.png");
    // Old server: 301, which browsers keep for ever, while presence changes.
    (StatusCode::FOUND, [(LOCATION, location), (CACHE_CONTROL, "no-store".to_owned())])
}
