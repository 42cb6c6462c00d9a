//! Where requests come from, and which of them carry a Socket.IO session.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Parts;
use crate::transport::tcp::{ClientAddress, Peer};

/// Puts a [`ClientAddress`] into every request.
pub(super) async fn identify(State(parts): State<Parts>, mut request: Request, next: Next) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>() {
        let address = client_address(peer.address.ip(), request.headers(), &parts.config.trusted_proxies);
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// Tells the registry which TCP connections carry a Socket.IO session: the library's user only knows the first one.
/// Requests for a session that the server has ended are answered as Engine.IO answers for unknown ones, upon which
/// clients come back with a new one.
pub(super) async fn follow_session(State(parts): State<Parts>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let (Some(sid), Some(peer)) = (value("sid"), request.extensions().get::<Peer>()) else {
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
    }
    let response = next.run(request).await;
    drop(poll);
    response
}

/// The peer itself, or, as far as trusted proxies vouch for it, whoever they say they speak for: the last address
/// in `X-Forwarded-For` that is no trusted proxy.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.rsplit(','))
        .map_while(|address| address.trim().parse().ok())
        .find(|address| !trusted.contains(address))
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_for_the_last_hop() {
        assert_eq!(address("1.2.3.4", &["9.9.9.9"]), "1.2.3.4");
        assert_eq!(address("10.0.0.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(address("10.0.0.1", &["6.6.6.6, 9.9.9.9, 10.0.0.2"]), "9.9.9.9");
        assert_eq!(address("10.0.0.1", &["6.6.6.6", "9.9.9.9"]), "9.9.9.9");
        assert_eq!(address("10.0.0.1", &["9.9.9.9, nonsense"]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
    }
}
