//! The servers under test, and how each is started.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::Common;
use crate::server::Spec;
use crate::wire::Wire;

/// A server that a scenario can run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// As it comes, on SQLite
    Nodeim,
    /// On SQLite, one transaction for each message
    NodeimUnbatched,
    /// On PostgreSQL
    NodeimPg,
    /// On PostgreSQL, one transaction for each message
    NodeimPgUnbatched,
    /// As it comes, with clients of Socket.IO 0.9
    NodeimSio09,
    /// As it comes, with clients of MumiChat's
    NodeimMumichat,
    /// A socketioxide program that keeps everything in memory
    Bare,
}

impl Subject {
    /// The name in tables and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Nodeim => "nodeim",
            Subject::NodeimUnbatched => "nodeim-unbatched",
            Subject::NodeimPg => "nodeim-pg",
            Subject::NodeimPgUnbatched => "nodeim-pg-unbatched",
            Subject::NodeimSio09 => "nodeim-sio09",
            Subject::NodeimMumichat => "nodeim-mumichat",
            Subject::Bare => "bare",
        }
    }

    /// Whether losses and failures here are nodeim's.
    pub(crate) fn is_nodeim(self) -> bool {
        self != Subject::Bare
    }

    /// What its clients speak.
    pub(crate) fn wire(self) -> Wire {
        match self {
            Subject::NodeimSio09 => Wire::SocketIo09,
            Subject::NodeimMumichat => Wire::MumiChat,
            _ => Wire::SocketIo,
        }
    }

    fn is_on_postgres(self) -> bool {
        matches!(self, Subject::NodeimPg | Subject::NodeimPgUnbatched)
    }

    fn is_unbatched(self) -> bool {
        matches!(self, Subject::NodeimUnbatched | Subject::NodeimPgUnbatched)
    }
}

/// Where the servers' programs and databases are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    nodeim: PathBuf,
    this: PathBuf,
    postgres_url: Option<String>,
}

impl Programs {
    pub(crate) fn find(common: &Common) -> Result<Self> {
        let this = std::env::current_exe().context("this program's own path")?;
        let nodeim = match &common.nodeim {
            Some(path) => path.clone(),
            None => this.with_file_name("nodeim"),
        };
        Ok(Programs {
            // The servers are started in their data folders.
            nodeim: std::path::absolute(nodeim)?,
            this,
            postgres_url: common.postgres_url.clone(),
        })
    }

    /// Whether `subject` has what it needs.
    pub(crate) fn can_run(&self, subject: Subject) -> bool {
        !subject.is_on_postgres() || self.postgres_url.is_some()
    }

    /// How to start `subject`; the bare peer pads its broadcasts to `frame_bytes`.
    pub(crate) fn spec(&self, subject: Subject, data_dir: &Path, frame_bytes: usize) -> Result<Spec> {
        if subject == Subject::Bare {
            let frame_bytes = frame_bytes.to_string();
            return Ok(Spec {
                program: self.this.clone(),
                args: vec!["bare".into(), "--frame-bytes".into(), frame_bytes.into()],
                env: Vec::new(),
                dir: data_dir.to_owned(),
            });
        }
        ensure!(
            self.nodeim.is_file(),
            "no server at {}: build it (cargo build --release) or name it with --nodeim",
            self.nodeim.display()
        );
        let args = ["serve", "--listen", "127.0.0.1:0"];
        let mut args: Vec<_> = args.map(Into::into).into();
        args.extend(["--data-dir".into(), data_dir.into()]);
        let mut env = vec![("NODEIM_RATE_LIMIT", "off".to_owned()), ("NODEIM_BCRYPT_COST", "4".to_owned())];
        if subject.is_unbatched() {
            env.push(("NODEIM_COMMIT_BATCH_MAX", "1".to_owned()));
        }
        if subject.is_on_postgres() {
            let url = self.postgres_url.clone().context("no --postgres-url")?;
            // In the environment, as arguments are seen by everybody on the machine.
            env.push(("NODEIM_DATABASE_URL", url));
        }
        Ok(Spec { program: self.nodeim.clone(), args, env, dir: data_dir.to_owned() })
    }
}
