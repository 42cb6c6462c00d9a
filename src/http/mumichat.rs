//! Where MumiChat's clients come in: a websocket at `/`, or below a prefix, or on a listener of its own.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::json;

use crate::dialect::mumichat::Mumichat;
use crate::transport::jsonsocket::JsonSockets;

/// MumiChat's websockets.
pub type Sockets = Arc<JsonSockets<Mumichat>>;

/// The wire on a listener of its own.
pub(super) fn alone(sockets: Sockets) -> Router {
    Router::new().route("/", any(open)).route("/test", get(test)).with_state(sockets)
}

/// The wire beside others. At `/` of the same router stands [`upgrade_at_root`].
pub(super) fn below_prefix(sockets: Sockets) -> Router {
    Router::new()
        .route("/test", get(test))
        .route("/mumichat", any(open))
        .route("/mumichat/", any(open))
        .route("/mumichat/test", get(test))
        .with_state(sockets)
}

/// A middleware: a websocket at `/` is MumiChat's, everything else passes, also a browser that asks for the page.
pub(super) async fn upgrade_at_root(State(sockets): State<Sockets>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/" && is_websocket(request.headers()) {
        return sockets.accept(request);
    }
    next.run(request).await
}

async fn open(State(sockets): State<Sockets>, request: Request) -> Response {
    if is_websocket(request.headers()) {
        return sockets.accept(request);
    }
    (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], "MumiChat: connect with a websocket.\n")
        .into_response()
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// `GET /test`. Old server: the same.
async fn test() -> impl IntoResponse {
    Json(json!({ "message": "test" }))
}
