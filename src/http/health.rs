//! For operators: is it well, and what are its figures.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::Parts;

/// `GET /healthz`: 200 when the server can serve, 503 when the database does not answer.
pub(super) async fn healthz(State(parts): State<Parts>) -> impl IntoResponse {
    match parts.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(cause = error.cause(), "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

/// `GET /metrics`: Prometheus text.
pub(super) async fn metrics(State(parts): State<Parts>) -> impl IntoResponse {
    for (transport, count) in parts.connections.iter().flat_map(|connections| connections.count()) {
        parts.metrics.connections(transport).set(count as f64);
    }
    parts.metrics.gauge("nodeim_tcp_connections").set(parts.admission.connections() as f64);
    parts.metrics.gauge("nodeim_socketio_sessions").set(parts.admission.sessions() as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], parts.metrics.render())
}
