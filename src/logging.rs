//! Log lines to stderr, as text or JSON.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Libraries that write whole frames, and so passwords and messages, below `info`. Whatever the filter says, they
/// do not get to.
const TALKATIVE: [&str; 7] =
    ["engineioxide", "socketioxide", "tungstenite", "tokio_tungstenite", "hyper", "hyper_util", "sqlx"];

/// Starts logging for the process.
///
/// # Errors
/// One line if the filter cannot be read.
pub fn start(config: &Config) -> Result<(), String> {
    let mut filter = EnvFilter::try_new(&config.log_filter).map_err(|error| format!("log_filter: {error}"))?;
    for library in TALKATIVE {
        let quiet = format!("{library}=info").parse().map_err(|error| format!("log_filter: {error}"))?;
        filter = filter.add_directive(quiet);
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| error.to_string())
}
