//! Whoever has opened a session of Engine.IO, whether or not they enter the namespace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::request::Parts;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::transport::crowd::Seat;
use crate::transport::pace::Pace;

/// What holds for a session from its first request to its end. The library keeps that request as long as the session,
/// and so what was put into its extensions.
pub struct Guest {
    /// Its limits hold however often the client leaves the namespace and enters it again.
    pub(super) pace: Option<Pace>,
    outside: Arc<Outside>,
    _seat: Seat,
}

/// What of a guest outlives its session.
#[derive(Default)]
pub(super) struct Outside {
    /// Cancelled when the library has let the session go.
    pub(super) over: CancellationToken,
    entries: AtomicU64,
}

impl Outside {
    /// How often the client has entered the namespace.
    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Acquire)
    }
}

impl Guest {
    /// The session that a request is about to open.
    pub fn new(seat: Seat, config: &Config) -> Arc<Self> {
        Arc::new(Self { pace: Pace::of(config), outside: Arc::default(), _seat: seat })
    }

    /// The guest of the session that began with this request.
    pub(super) fn of(first_request: &Parts) -> Option<Arc<Self>> {
        first_request.extensions.get::<Arc<Self>>().cloned()
    }

    /// The client enters the namespace.
    pub(super) fn enters(&self) {
        self.outside.entries.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn outside(&self) -> Arc<Outside> {
        Arc::clone(&self.outside)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.outside.over.cancel();
    }
}
