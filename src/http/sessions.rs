//! Which requests open an Engine.IO session, and which carry one.

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Parts;
use crate::transport::socketio::Guest;
use crate::transport::tcp::{ClientAddress, Peer};

/// Below these paths the library answers.
const ROOTS: [&str; 2] = ["/socket.io", "/socket.io-msgpack"];

/// Lets new sessions in as long as there is room for them, and tells the registry which TCP connections carry a
/// session: the library's user only knows the first one.
///
/// Requests for a session that the server has ended are answered as Engine.IO answers for unknown ones, upon which
/// clients come back with a new one.
pub(super) async fn follow(State(parts): State<Parts>, mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let Some(peer) = request.extensions().get::<Peer>() else {
        return next.run(request).await;
    };
    let Some(sid) = value("sid") else {
        if value("EIO").is_some() && ROOTS.contains(&request.uri().path().trim_end_matches('/')) {
            let address = request.extensions().get::<ClientAddress>().map_or(peer.address.ip(), |at| at.0);
            match parts.admission.session(address) {
                Ok(seat) => request.extensions_mut().insert(Guest::new(seat, &parts.config)),
                Err(full) => return full.into_response(),
            };
        }
        return next.run(request).await;
    };
    if parts.registry.is_ended(sid) {
        return (StatusCode::BAD_REQUEST, r#"{"code":1,"message":"Session ID unknown"}"#).into_response();
    }
    let mut poll = None;
    if value("transport") == Some("websocket") {
        parts.registry.upgrading(sid, peer);
    } else if request.method() == Method::GET {
        poll = parts.registry.polling(sid, peer);
    } else if !parts.registry.posting(sid, posted_bytes(&request, &parts)) {
        return (StatusCode::TOO_MANY_REQUESTS, "Fetch the answers first.\n").into_response();
    }
    let response = next.run(request).await;
    drop(poll);
    response
}

/// What a body will count for: its length, or as much as it may have.
fn posted_bytes(request: &Request, parts: &Parts) -> u64 {
    request.body().size_hint().exact().unwrap_or(parts.config.frame_max_bytes as u64)
}
