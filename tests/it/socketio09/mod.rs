//! Socket.IO 0.9, frame by frame.

mod delivery;
mod ending;
mod envelope;
mod handshake;
mod hostile;
mod polling;
mod story;
mod switch;
mod websocket;

use crate::support::Server;

/// A server whose times are short: heartbeats every 0.2 s; 0.9 s for an answer or without a poll; polls of 0.3 s.
async fn quick() -> Server {
    Server::with(|config| (config.ping_interval_ms, config.ping_timeout_ms) = (200, 300)).await
}
