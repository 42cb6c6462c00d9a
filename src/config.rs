//! Everything that can be set: defaults, then a TOML file, then `NODEIM_*` variables, then flags.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use config::{Environment, File, FileFormat};
use serde::{Deserialize, Serialize};

/// The effective configuration. Each field is a key of the file, a variable (`listen` is `NODEIM_LISTEN`), and,
/// for the commonest ones, a flag. The values in `default.toml` hold unless something else is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    /// None, written as an empty text: MumiChat has no listener of its own.
    #[serde(with = "optional_address")]
    pub listen_mumichat: Option<SocketAddr>,
    /// Empty, as the key: nothing is encrypted.
    pub tls_certificate: PathBuf,
    pub tls_key: PathBuf,
    pub tls_listeners: Vec<Listening>,
    pub tls_reload_interval_ms: u64,
    pub data_dir: PathBuf,
    /// Empty: SQLite in `data_dir`.
    pub database_url: String,
    pub database_connections: u32,
    pub bcrypt_cost: u32,
    pub bcrypt_parallel: usize,
    pub bcrypt_queue_max: usize,
    pub log_format: LogFormat,
    pub log_filter: String,
    pub log_repeats_per_minute: u32,
    pub trusted_proxies: Vec<IpAddr>,
    pub first_user_id: i64,
    pub first_room_id: i64,

    pub rate_limit: Switch,
    pub rate_signin_per_minute: u32,
    pub rate_signup_per_minute: u32,
    pub rate_retrieve_per_minute: u32,
    pub rate_address_factor: u32,
    pub rate_commands_per_second: u32,
    pub rate_commands_burst: u32,
    pub rate_refusals_burst: u32,
    pub rate_connections_per_minute: u32,
    pub rate_uploads_per_minute: u32,
    pub rate_broadcasts_per_minute: u32,
    pub rate_directory_per_minute: u32,

    /// 0: as many as there may be file descriptors for.
    pub connections_max: usize,
    pub connections_max_per_address: usize,
    pub message_max_bytes: usize,
    pub frame_max_bytes: usize,
    pub inbox_max_commands: usize,
    pub inbox_max_bytes: usize,
    pub outbox_max_frames: usize,
    pub outbox_max_bytes: usize,
    pub socket_buffer_packets: usize,
    pub socket_buffer_bytes: u64,
    pub commit_batch_max: usize,
    pub commit_queue_max: usize,
    pub replay_page: usize,
    pub cache_entries: usize,
    pub friends_max: i64,
    pub rooms_max: i64,
    pub session_max_days: i64,
    pub edit_max_ms: i64,
    pub recall_max_ms: i64,

    pub upload_max_bytes: u64,
    pub upload_quota_bytes: u64,
    pub uploads_max: usize,
    pub uploads_max_per_user: usize,
    pub upload_check_address: Switch,
    pub upload_token: Switch,
    pub picture_max_pixels: u64,
    pub pictures_parallel: usize,
    pub unused_file_max_ms: i64,
    pub cleanup_interval_ms: u64,

    pub ping_interval_ms: u64,
    pub ping_timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub signin_timeout_ms: u64,
    pub sio09_handshakes_max: usize,
    pub sio09_handshakes_per_address: usize,
    pub sio09_sessions_max: usize,
    pub mumichat_texts: Texts,
    pub mumichat_query_login: Switch,
    pub mumichat_frame_max_bytes: usize,
    pub mumichat_message_max_bytes: usize,
    pub mumichat_users_max: usize,
    pub mumichat_login_timeout_ms: u64,
    pub mumichat_ping_interval_ms: u64,
    pub mumichat_ping_timeout_ms: u64,
    pub header_timeout_ms: u64,
    pub upload_idle_timeout_ms: u64,
    pub upload_timeout_ms: u64,
    pub tcp_user_timeout_ms: u64,
    pub database_timeout_ms: u64,
    pub database_statement_timeout_ms: u64,
    pub shutdown_timeout_ms: u64,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    On,
    Off,
}

/// A listener, by the key of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listening {
    Listen,
    ListenMumichat,
}

/// In which words MumiChat's clients are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Texts {
    /// Those that its README promises where it does, otherwise those that its code sent.
    Published,
    /// Those that its code sent.
    English,
    Chinese,
}

/// The documented defaults; `nodeim config` prints them in the same form.
pub const DEFAULTS: &str = include_str!("default.toml");

impl Config {
    /// Puts the layers together and checks the result. `flags` are `(key, value)` pairs from the command line,
    /// `variables` the environment.
    ///
    /// # Errors
    /// One line that names the key and where its value came from.
    pub fn load(
        file: Option<&std::path::Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self, String> {
        let mut layers = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            layers = layers.add_source(File::from(path).format(FileFormat::Toml));
        }
        // NODEIM_CONFIG names the file, NODEIM_TEST_* belong to the tests; neither is a key.
        let variables = variables
            .into_iter()
            .filter(|(name, _)| name != "NODEIM_CONFIG" && !name.starts_with("NODEIM_TEST_"))
            .collect();
        let environment = Environment::with_prefix("NODEIM")
            .prefix_separator("_")
            .separator("\0")
            .source(Some(variables))
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("trusted_proxies")
            .with_list_parse_key("tls_listeners");
        layers = layers.add_source(environment);
        for (key, value) in flags {
            layers = layers.set_override(key, value).map_err(|error| error.to_string())?;
        }
        let config: Self =
            layers.build().and_then(config::Config::try_deserialize).map_err(|error| one_line(&error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// The configuration that holds when nothing is given.
    pub fn defaults() -> Self {
        Self::load(None, [], []).expect("default.toml is complete and valid; a test loads it")
    }

    /// The same, safe to print.
    pub fn redacted(&self) -> Self {
        let mut config = self.clone();
        if let Some((url, query)) = self.database_url.split_once('?') {
            let parameters = query.split('&').map(|pair| match pair.split_once('=') {
                Some((name, _)) if name.contains("password") => format!("{name}=***"),
                _ => pair.to_owned(),
            });
            config.database_url = format!("{url}?{}", parameters.collect::<Vec<_>>().join("&"));
        }
        if let Some((scheme, rest)) = config.database_url.split_once("://")
            && let Some((credentials, host)) = rest.rsplit_once('@')
        {
            let user = credentials.split(':').next().unwrap_or_default();
            config.database_url = format!("{scheme}://{user}:***@{host}");
        }
        config
    }

    /// The database that is meant: the given one, or a file in the data directory.
    pub fn effective_database_url(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite:{}", self.data_dir.join("nodeim.sqlite").display())
        } else {
            self.database_url.clone()
        }
    }

    /// Whether a listener speaks TLS.
    pub fn is_encrypted(&self, listener: Listening) -> bool {
        !self.tls_certificate.as_os_str().is_empty() && self.tls_listeners.contains(&listener)
    }

    fn check(&self) -> Result<(), String> {
        let url = &self.database_url;
        if !(url.is_empty() || ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)))
        {
            return Err("database_url must begin with sqlite:, postgres:// or postgresql://".to_owned());
        }
        if self.tls_certificate.as_os_str().is_empty() != self.tls_key.as_os_str().is_empty() {
            return Err("tls_certificate and tls_key must be given together".to_owned());
        }
        let ranges: [(&str, u64, std::ops::RangeInclusive<u64>); 66] = [
            ("tls_reload_interval_ms", self.tls_reload_interval_ms, 10..=86_400_000),
            ("bcrypt_cost", self.bcrypt_cost.into(), 4..=20),
            ("bcrypt_parallel", self.bcrypt_parallel as u64, 1..=256),
            ("bcrypt_queue_max", self.bcrypt_queue_max as u64, 1..=1_000_000),
            ("log_repeats_per_minute", self.log_repeats_per_minute.into(), 1..=1_000_000),
            ("database_connections", self.database_connections.into(), 2..=1000),
            ("first_user_id", self.first_user_id.try_into().unwrap_or(0), 1..=1_000_000_000_000),
            ("first_room_id", self.first_room_id.try_into().unwrap_or(0), 1..=1_000_000_000_000),
            ("rate_signin_per_minute", self.rate_signin_per_minute.into(), 1..=1_000_000),
            ("rate_signup_per_minute", self.rate_signup_per_minute.into(), 1..=1_000_000),
            ("rate_retrieve_per_minute", self.rate_retrieve_per_minute.into(), 1..=1_000_000),
            ("rate_address_factor", self.rate_address_factor.into(), 1..=1000),
            ("rate_commands_per_second", self.rate_commands_per_second.into(), 1..=1_000_000),
            ("rate_commands_burst", self.rate_commands_burst.into(), 1..=1_000_000),
            ("rate_refusals_burst", self.rate_refusals_burst.into(), 1..=1_000_000),
            ("rate_connections_per_minute", self.rate_connections_per_minute.into(), 1..=1_000_000),
            ("rate_uploads_per_minute", self.rate_uploads_per_minute.into(), 1..=1_000_000),
            ("rate_broadcasts_per_minute", self.rate_broadcasts_per_minute.into(), 1..=1_000_000),
            ("rate_directory_per_minute", self.rate_directory_per_minute.into(), 1..=1_000_000),
            ("mumichat_frame_max_bytes", self.mumichat_frame_max_bytes as u64, 1024..=64 << 20),
            (
                "mumichat_message_max_bytes",
                self.mumichat_message_max_bytes as u64,
                1..=self.mumichat_frame_max_bytes.min(self.message_max_bytes) as u64,
            ),
            ("mumichat_users_max", self.mumichat_users_max as u64, 1..=1_000_000),
            ("mumichat_login_timeout_ms", self.mumichat_login_timeout_ms, 10..=86_400_000),
            ("mumichat_ping_interval_ms", self.mumichat_ping_interval_ms, 10..=3_600_000),
            ("mumichat_ping_timeout_ms", self.mumichat_ping_timeout_ms, 10..=3_600_000),
            ("upload_max_bytes", self.upload_max_bytes, 1..=1 << 40),
            ("upload_quota_bytes", self.upload_quota_bytes, 1..=1 << 50),
            ("uploads_max", self.uploads_max as u64, 1..=100_000),
            ("uploads_max_per_user", self.uploads_max_per_user as u64, 1..=100_000),
            ("picture_max_pixels", self.picture_max_pixels, 1..=1 << 30),
            ("pictures_parallel", self.pictures_parallel as u64, 1..=256),
            ("unused_file_max_ms", self.unused_file_max_ms.try_into().unwrap_or(u64::MAX), 0..=1 << 50),
            ("cleanup_interval_ms", self.cleanup_interval_ms, 10..=1 << 40),
            ("upload_idle_timeout_ms", self.upload_idle_timeout_ms, 10..=3_600_000),
            ("upload_timeout_ms", self.upload_timeout_ms, 10..=86_400_000),
            ("connections_max", self.connections_max as u64, 0..=10_000_000),
            ("connections_max_per_address", self.connections_max_per_address as u64, 1..=10_000_000),
            ("message_max_bytes", self.message_max_bytes as u64, 1..=self.frame_max_bytes as u64),
            ("frame_max_bytes", self.frame_max_bytes as u64, 1024..=64 << 20),
            ("inbox_max_commands", self.inbox_max_commands as u64, 1..=1_000_000),
            ("inbox_max_bytes", self.inbox_max_bytes as u64, 1024..=1 << 32),
            ("outbox_max_frames", self.outbox_max_frames as u64, 1..=10_000_000),
            ("outbox_max_bytes", self.outbox_max_bytes as u64, 1024..=1 << 32),
            ("socket_buffer_packets", self.socket_buffer_packets as u64, 16..=1_000_000),
            ("socket_buffer_bytes", self.socket_buffer_bytes, 1024..=1 << 32),
            ("commit_batch_max", self.commit_batch_max as u64, 1..=4096),
            ("commit_queue_max", self.commit_queue_max as u64, 1..=1_000_000),
            ("replay_page", self.replay_page as u64, 1..=1000),
            ("cache_entries", self.cache_entries as u64, 100..=100_000_000),
            ("ping_interval_ms", self.ping_interval_ms, 100..=3_600_000),
            ("ping_timeout_ms", self.ping_timeout_ms, 100..=3_600_000),
            ("connect_timeout_ms", self.connect_timeout_ms, 100..=3_600_000),
            ("signin_timeout_ms", self.signin_timeout_ms, 100..=86_400_000),
            ("sio09_handshakes_max", self.sio09_handshakes_max as u64, 1..=1_000_000),
            ("sio09_handshakes_per_address", self.sio09_handshakes_per_address as u64, 1..=1_000_000),
            ("sio09_sessions_max", self.sio09_sessions_max as u64, 1..=10_000_000),
            ("database_timeout_ms", self.database_timeout_ms, 10..=600_000),
            ("database_statement_timeout_ms", self.database_statement_timeout_ms, 10..=3_600_000),
            ("header_timeout_ms", self.header_timeout_ms, 100..=3_600_000),
            ("tcp_user_timeout_ms", self.tcp_user_timeout_ms, 100..=3_600_000),
            ("friends_max", self.friends_max.try_into().unwrap_or(0), 1..=100_000),
            ("rooms_max", self.rooms_max.try_into().unwrap_or(0), 1..=100_000),
            ("session_max_days", self.session_max_days.try_into().unwrap_or(0), 1..=36_500),
            ("edit_max_ms", self.edit_max_ms.try_into().unwrap_or(u64::MAX), 0..=1 << 50),
            ("recall_max_ms", self.recall_max_ms.try_into().unwrap_or(u64::MAX), 0..=1 << 50),
            ("shutdown_timeout_ms", self.shutdown_timeout_ms, 10..=600_000),
        ];
        for (key, value, range) in ranges {
            if !range.contains(&value) {
                return Err(format!("{key} must be from {} to {}", range.start(), range.end()));
            }
        }
        Ok(())
    }
}

/// An address, or an empty text for none: every key has a value, so that each can be a variable.
mod optional_address {
    use std::net::SocketAddr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(address: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&address.map(|address| address.to_string()).unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| D::Error::custom(format!("{text:?} is no address and port")))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, value: &str) -> [(String, String); 1] {
        [(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn defaults_are_complete() {
        let config = Config::defaults();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8765");
        assert_eq!(config.effective_database_url(), "sqlite:./data/nodeim.sqlite");
    }

    #[test]
    fn later_layers_win() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("nodeim.toml");
        std::fs::write(&file, "bcrypt_cost = 5\ncommit_batch_max = 7\nreplay_page = 9\n").unwrap();
        let variables = [variable("NODEIM_BCRYPT_COST", "6"), variable("NODEIM_REPLAY_PAGE", "10")].concat();
        let config = Config::load(Some(&file), variables, [("bcrypt_cost", "8".to_owned())]).unwrap();
        assert_eq!((config.bcrypt_cost, config.commit_batch_max, config.replay_page), (8, 7, 10));
    }

    #[test]
    fn lists_and_texts_come_from_variables_too() {
        let variables = [
            variable("NODEIM_TRUSTED_PROXIES", "127.0.0.1,::1"),
            variable("NODEIM_DATABASE_URL", "postgres://u:p@h/d"),
        ]
        .concat();
        let config = Config::load(None, variables, []).unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.redacted().database_url, "postgres://u:***@h/d");
        let in_query = Config { database_url: "postgres://h/d?user=u&password=p@q".to_owned(), ..config };
        assert_eq!(in_query.redacted().database_url, "postgres://h/d?user=u&password=***");
    }

    #[test]
    fn a_wrong_value_is_one_clear_line() {
        for (name, value, expected) in [
            ("NODEIM_BCRYPT_COST", "many", "bcrypt_cost"),
            ("NODEIM_BCRYPT_COST", "3", "bcrypt_cost must be from 4 to 20"),
            ("NODEIM_LISTEN", "nowhere", "listen"),
            ("NODEIM_RATE_LIMIT", "maybe", "rate_limit"),
            ("NODEIM_DATABASE_URL", "mysql://x", "database_url must begin with"),
            ("NODEIM_COLOUR", "red", "colour"),
        ] {
            let error = Config::load(None, variable(name, value), []).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{name}={value}: {error}");
        }
    }
}
