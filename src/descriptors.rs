//! How many connections there is room for: each takes a file descriptor, and so does a file that it is sent.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// For what every process has open, listeners, and connections that are being turned away.
const FIXED: u64 = 128;
/// SQLite opens the database, its log, and the log's index.
const PER_DATABASE_CONNECTION: u64 = 3;
/// Its socket, and the file that is sent over it.
const PER_CONNECTION: u64 = 2;
/// Where there is no limit.
const PLENTY: u64 = 1_000_000;

/// How many descriptors this process may have, after it has asked for as many as it can get.
pub(crate) fn available() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::debug!(%error, "the limit of file descriptors could not be raised");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many connections there may be with so many descriptors: as configured, or all that fit.
///
/// # Errors
/// One line for the operator if they do not fit.
pub(crate) fn connections(config: &Config, available: u64) -> Result<usize, String> {
    let others = FIXED
        + PER_DATABASE_CONNECTION * (u64::from(config.database_connections) + 1)
        + config.uploads_max as u64
        + config.pictures_parallel as u64;
    let room = available.saturating_sub(others) / PER_CONNECTION;
    let wanted = config.connections_max as u64;
    let connections = if wanted == 0 { room.min(PLENTY) } else { wanted };
    if connections == 0 || connections > room {
        let needed = others + PER_CONNECTION * connections.max(1);
        return Err(format!(
            "{} connections need {needed} file descriptors, and this process may have {available}: raise that limit \
             (ulimit -n, LimitNOFILE), or lower connections_max",
            connections.max(1)
        ));
    }
    usize::try_from(connections).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_connections_as_descriptors_allow() {
        let config = |connections_max| Config { connections_max, ..Config::defaults() };
        let derived = connections(&config(0), 20_000).unwrap();
        assert!((9_000..10_000).contains(&derived), "{derived}");
        assert_eq!(connections(&config(derived), 20_000), Ok(derived));
        let refusal = connections(&config(derived + 1), 20_000).unwrap_err();
        assert!(refusal.contains("may have 20000") && refusal.contains("connections_max"), "{refusal}");
        assert_eq!(connections(&config(0), u64::MAX), Ok(1_000_000));
        assert!(connections(&config(0), 100).is_err());
    }

    #[test]
    fn this_process_may_have_some() {
        assert!(available() > 100);
    }
}
