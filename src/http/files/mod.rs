//! Files over HTTP: uploading them, with a token or through the panel of 2013, and reading them.

mod api;
mod fault;
mod form;
mod media;
mod panel;
mod source;
mod status;

use axum::Router;
use axum::routing::{get, post};

use super::Parts;

/// What pages of any origin may use.
pub(super) fn routes() -> Router<Parts> {
    Router::new()
        .route("/api/files", post(api::upload))
        .route("/public/files/nodeim-server/{stored}", get(media::serve))
        .route("/nodeim-server/Status", get(status::status))
}

/// The panel. Its page holds a token, which a page of another origin could otherwise fetch in its visitor's name.
pub(super) fn private_routes() -> Router<Parts> {
    Router::new()
        .route("/nodeim-server/upload", get(panel::form))
        .route("/nodeim-server/upload:submit", post(panel::submit))
        .route("/nodeim-server/upload%3Asubmit", post(panel::submit))
        .route("/nodeim-server/upload%3asubmit", post(panel::submit))
}
