//! Log lines to stderr, as text or JSON.

mod sparing;

use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Config, LogFormat};
use sparing::Sparing;

/// Libraries that write whole frames, and so passwords and messages, below `info`. They do not get to.
const TALKATIVE: [&str; 6] = ["engineioxide", "socketioxide", "tungstenite", "tokio_tungstenite", "hyper", "sqlx"];

/// Starts logging for the process.
///
/// # Errors
/// One line if the filter cannot be read.
pub fn start(config: &Config) -> Result<(), String> {
    let filter = harmless(&config.log_filter)?;
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log_filter: {error}"))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter).with(Sparing::new(config.log_repeats_per_minute));
    let started = match config.log_format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|error| error.to_string())
}

/// Says how many lines were left out since it was asked last, if any.
pub(crate) fn tell_what_was_left_out() {
    let lines = sparing::take_left_out();
    if lines > 0 {
        warn!(lines, "lines of the log were left out, since too many were alike");
    }
}

/// The filter with what it says about talkative libraries, and modules inside of them, replaced by `warn`.
fn harmless(filter: &str) -> Result<String, String> {
    if filter.contains('[') {
        // A span's directive would reach into every library that logs inside of it.
        return Err("log_filter takes levels and modules only, as in info,nodeim=debug".to_owned());
    }
    let is_harmless = |directive: &&str| !TALKATIVE.iter().any(|library| directive.starts_with(library));
    let wanted = filter.split(',').map(str::trim).filter(is_harmless).map(str::to_owned);
    Ok(wanted.chain(TALKATIVE.iter().map(|library| format!("{library}=warn"))).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directive_lets_a_library_write_frames() {
        let filter = harmless("debug, tungstenite::protocol=trace,nodeim=trace").unwrap();
        assert!(filter.starts_with("debug,nodeim=trace,engineioxide=warn"), "{filter}");
        assert!(!filter.contains("protocol"), "{filter}");
        assert!(harmless("[request]=trace").is_err());
    }
}
