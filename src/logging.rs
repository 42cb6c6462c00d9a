//! Log lines to stderr, as text or JSON.

use tracing::Level;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::config::{Config, LogFormat};

/// Libraries that write whole frames, and so passwords and messages, below `info`. Whatever the filter says, they
/// do not get to.
const TALKATIVE: [&str; 6] = ["engineioxide", "socketioxide", "tungstenite", "tokio_tungstenite", "hyper", "sqlx"];

/// Starts logging for the process.
///
/// # Errors
/// One line if the filter cannot be read.
pub fn start(config: &Config) -> Result<(), String> {
    let wanted = EnvFilter::try_new(&config.log_filter).map_err(|error| format!("log_filter: {error}"))?;
    let harmless = filter_fn(|about| {
        *about.level() <= Level::INFO || !TALKATIVE.iter().any(|library| about.target().starts_with(library))
    });
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    registry().with(lines.with_filter(wanted.and(harmless))).try_init().map_err(|error| error.to_string())
}
