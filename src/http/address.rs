//! Where requests come from.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Parts;
use crate::transport::admission::Admission;
use crate::transport::tcp::{ClientAddress, Peer};

/// Puts a [`ClientAddress`] into every request. What comes through a proxy counts for the client.
pub(super) async fn identify(State(parts): State<Parts>, mut request: Request, next: Next) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>() {
        let address = client_address(peer.address.ip(), request.headers(), &parts.admission);
        if address != peer.address.ip()
            && let Some(Err(full)) = peer.with_seat(|seat| parts.admission.speaks_for(seat, address))
        {
            return full.into_response();
        }
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// The peer itself, or, as far as trusted proxies vouch for it, whoever they say they speak for: the last address
/// in `X-Forwarded-For` that is no trusted proxy.
fn client_address(peer: IpAddr, headers: &HeaderMap, admission: &Admission) -> IpAddr {
    if !admission.trusts(peer) {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.rsplit(','))
        .map_while(|address| address.trim().parse().ok())
        .map(|address: IpAddr| address.to_canonical())
        .find(|address| !admission.trusts(*address))
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::metrics::Metrics;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &admission()).to_string()
    }

    fn admission() -> Admission {
        let trusted_proxies = vec!["10.0.0.1".parse().unwrap(), "::ffff:10.0.0.2".parse().unwrap()];
        let config = Config { trusted_proxies, ..Config::defaults() };
        Admission::new(&config, 1, Metrics::new().unwrap())
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
    proptest! {
        #[test]
        fn no_header_is_too_strange(
            lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4),
            near in prop::collection::vec("([0-9]{1,3}[.:]){3}[0-9]{1,3}|10.0.0.[12]|[0-9a-f:]{0,12}|[ ,]{1,3}", 0..8),
        ) {
            let near = near.join(",").into_bytes();
            let values = lines.into_iter().chain([near]).filter_map(|line| HeaderValue::from_bytes(&line).ok());
            let headers: HeaderMap = values.map(|value| (HeaderName::from_static("x-forwarded-for"), value)).collect();
            let admission = admission();
            let proxy: IpAddr = "10.0.0.1".parse().unwrap();
            let client = client_address(proxy, &headers, &admission);
            // Nobody but a trusted proxy itself is ever taken for one.
            prop_assert!(client == proxy || !admission.trusts(client));
            let stranger: IpAddr = "1.2.3.4".parse().unwrap();
            prop_assert_eq!(client_address(stranger, &headers, &admission), stranger);
        }
    }
}
