//! Log lines to stderr, as text or JSON.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Libraries that write whole frames, and so passwords and messages, below `info`. They do not get to.
const TALKATIVE: [&str; 6] = ["engineioxide", "socketioxide", "tungstenite", "tokio_tungstenite", "hyper", "sqlx"];

/// Starts logging for the process.
///
/// # Errors
/// One line if the filter cannot be read.
pub fn start(config: &Config) -> Result<(), String> {
    let filter = harmless(&config.log_filter)?;
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log_filter: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| error.to_string())
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
