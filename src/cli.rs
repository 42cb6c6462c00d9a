//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// One chat server that old and new clients reach unchanged.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) flags: Flags,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server (the default).
    Serve,
    /// Print the effective configuration, without its secrets.
    Config,
    /// Copy the SQLite database to a new file, also while the server runs.
    Backup { file: PathBuf },
}

/// Every flag is also a variable (`--bcrypt-cost` is NODEIM_BCRYPT_COST) and a key of the file; the file and the
/// variables know more keys, which `nodeim config` lists.
#[derive(Args)]
pub(crate) struct Flags {
    /// Where to listen [default: 127.0.0.1:8765]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// A listener for MumiChat's clients alone [default: none]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen_mumichat: Option<String>,
    /// Where files are kept [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// sqlite:FILE or postgres://... [default: SQLite in the data dir]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Cost of password hashes [default: 10]
    #[arg(long, global = true, value_name = "N")]
    bcrypt_cost: Option<String>,
    /// All rate limits [default: on]
    #[arg(long, global = true, value_name = "on|off")]
    rate_limit: Option<String>,
    /// A TOML file with further settings
    #[arg(long, global = true, value_name = "FILE", env = "NODEIM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

impl Flags {
    /// The given ones, under their keys.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("listen", &self.listen),
            ("listen_mumichat", &self.listen_mumichat),
            ("data_dir", &self.data_dir),
            ("database_url", &self.database_url),
            ("bcrypt_cost", &self.bcrypt_cost),
            ("rate_limit", &self.rate_limit),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.clone()?)))
    }
}
