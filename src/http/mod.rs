//! HTTP: the router around the Socket.IO layers, and the listener under it.

mod address;
mod assets;
mod body;
mod files;
mod full;
mod health;
mod listener;
mod mumichat;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use socketioxide::layer::SocketIoLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultOnFailure, TraceLayer};
use tracing::Level;

pub use listener::Listener;
pub use mumichat::Sockets as MumichatSockets;

use crate::blobs::Disk;
use crate::chat::Chat;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::transport::Connections;
use crate::transport::admission::Admission;
use crate::transport::socketio::Registry;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the handlers need.
#[derive(Clone)]
pub struct Parts {
    pub config: Arc<Config>,
    pub store: Store,
    pub metrics: Arc<Metrics>,
    pub admission: Admission,
    pub registry: Arc<Registry>,
    pub connections: Vec<Arc<dyn Connections>>,
    pub chat: Arc<Chat>,
    pub disk: Arc<Disk>,
    pub mumichat: MumichatSockets,
}

/// Everything that this server answers over HTTP.
///
/// The Socket.IO layers take all of their paths for themselves, so the client files, which lie below one of them,
/// are on a router outside. So is the gate to Socket.IO 0.9, which answers what is for it and lets the rest pass.
pub fn router<G, F>(parts: Parts, layers: (SocketIoLayer, SocketIoLayer), gate: G) -> Router
where
    G: Fn(Request, Next) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let in_time = body::InTime::of(&parts.config);
    let inner = Router::new()
        .layer(layers.0)
        .layer(layers.1)
        .layer(axum::middleware::map_request(move |request| std::future::ready(in_time.limit(request))))
        .layer(axum::middleware::from_fn(gate));
    let sessions = axum::middleware::from_fn_with_state(parts.clone(), sessions::follow);
    let mumichat = axum::middleware::from_fn_with_state(Arc::clone(&parts.mumichat), mumichat::upgrade_at_root);
    let router = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .merge(files::routes())
        .with_state(parts.clone())
        .merge(assets::routes())
        .merge(mumichat::below_prefix(Arc::clone(&parts.mumichat)))
        .fallback_service(inner)
        .layer(cors())
        // No page of another origin may read these.
        .merge(files::private_routes().with_state(parts.clone()))
        .layer(sessions)
        .layer(mumichat);
    framed(router, parts)
}

/// MumiChat on a listener of its own.
pub fn mumichat_router(parts: Parts) -> Router {
    framed(mumichat::alone(Arc::clone(&parts.mumichat)), parts)
}

/// What every request gets: an id, a line in the log, and the address that it came from.
fn framed(router: Router, parts: Parts) -> Router {
    router
        .layer(axum::middleware::from_fn_with_state(parts, address::identify))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        // What fails is logged where it fails. An answer that says so is anybody's to ask for.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_failure(DefaultOnFailure::new().level(Level::DEBUG)),
        )
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
}

/// Pages of any origin may use this server, local files (`null`) too: nothing here is done on the strength of a
/// cookie. Clients 1.x and 2.x ask with credentials, and then `*` is no answer.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_credentials(true)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .vary([header::ORIGIN])
}

/// Paths that end in what must not be known to whoever reads the log: the ids of sessions of Socket.IO 0.9, and files.
const SECRET_BELOW: [&str; 2] = ["/socket.io/1/", "/public/files/"];

fn request_span(request: &Request) -> tracing::Span {
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", request.id = id, method = %request.method(), path = shown(request.uri().path()))
}

/// What of a path may be logged. Nothing of the query, which may hold secrets too.
fn shown(path: &str) -> &str {
    let ends = SECRET_BELOW.iter().filter_map(|secret| Some(path.find(secret)? + secret.len()));
    &path[..ends.min().unwrap_or(path.len())]
}
