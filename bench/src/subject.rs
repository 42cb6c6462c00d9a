//! The servers under test, and how each is started.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::Common;
use crate::peers::node::Node;
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
    /// A Node program on socket.io that keeps everything in memory
    Node,
    /// The same, which writes each message to SQLite before its ack
    NodeSqlite,
    /// A socketioxide program that keeps everything in memory
    Bare,
    /// A fan-out of WebSocket frames on tokio alone
    Raw,
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
            Subject::Node => "node",
            Subject::NodeSqlite => "node-sqlite",
            Subject::Bare => "bare",
            Subject::Raw => "raw",
        }
    }

    /// The name for who does not know this program.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Subject::Nodeim => "nodeim, SQLite",
            Subject::NodeimPg => "nodeim, PostgreSQL",
            Subject::Node => "Node socket.io",
            Subject::NodeSqlite => "Node socket.io + SQLite",
            Subject::Bare => "bare socketioxide",
            Subject::Raw => "raw WebSocket",
            _ => self.name(),
        }
    }

    /// Whether losses and failures here are nodeim's.
    pub(crate) fn is_nodeim(self) -> bool {
        !matches!(self, Subject::Node | Subject::NodeSqlite | Subject::Bare | Subject::Raw)
    }

    /// Whether a message is on disk before its ack.
    pub(crate) fn is_durable(self) -> bool {
        self.is_nodeim() || self == Subject::NodeSqlite
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
    node: Node,
    postgres_url: Option<String>,
    missing: Vec<Missing>,
}

/// A server that cannot run here, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) subject: Subject,
    pub(crate) why: String,
}

impl Display for Missing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not measured: {}", self.subject.name(), self.why)
    }
}

impl Programs {
    /// Looks for all of them, and tries those that need more than this workspace.
    pub(crate) fn find(common: &Common) -> Result<Self> {
        let this = std::env::current_exe().context("this program's own path")?;
        let nodeim = match &common.nodeim {
            Some(path) => path.clone(),
            None => this.with_file_name("nodeim"),
        };
        let asked = |subject: &Subject| common.only.is_empty() || common.only.contains(subject);
        let mut node = Node::new(common.peers.as_deref())?;
        let mut missing = Vec::new();
        for subject in Subject::value_variants().iter().copied().filter(asked) {
            let needed = match subject {
                Subject::Node => node.check(false),
                Subject::NodeSqlite => node.check(true),
                _ if subject.is_on_postgres() => common.postgres_url.as_ref().context("no --postgres-url").map(|_| ()),
                _ => Ok(()),
            };
            if let Err(error) = needed {
                missing.push(Missing { subject, why: format!("{error:#}") });
            }
        }
        Ok(Programs {
            // The servers are started in their data folders.
            nodeim: std::path::absolute(nodeim)?,
            this,
            node,
            postgres_url: common.postgres_url.clone(),
            missing,
        })
    }

    /// What keeps `subject` from running, if anything does.
    pub(crate) fn lacks(&self, subject: Subject) -> Option<&Missing> {
        self.missing.iter().find(|missing| missing.subject == subject)
    }

    /// Of what comes from elsewhere.
    pub(crate) fn versions(&self) -> Option<&str> {
        self.node.versions()
    }

    /// How to start `subject`; a peer pads what it sends to a room to `frame_bytes`.
    pub(crate) fn spec(&self, subject: Subject, data_dir: &Path, frame_bytes: usize) -> Result<Spec> {
        match subject {
            Subject::Bare | Subject::Raw => {
                let frame_bytes = frame_bytes.to_string();
                return Ok(Spec {
                    program: self.this.clone(),
                    args: vec![subject.name().into(), "--frame-bytes".into(), frame_bytes.into()],
                    env: Vec::new(),
                    dir: data_dir.to_owned(),
                });
            }
            Subject::Node => return Ok(self.node.spec(false, data_dir, frame_bytes)),
            Subject::NodeSqlite => return Ok(self.node.spec(true, data_dir, frame_bytes)),
            _ => {}
        }
        ensure!(
            self.nodeim.is_file(),
            "no server at {}: build it (cargo build --release) or name it with --nodeim",
            self.nodeim.display()
        );
        let args = ["serve", "--listen", "127.0.0.1:0"];
        let mut args: Vec<_> = args.map(Into::into).into();
        args.extend(["--data-dir".into(), data_dir.into()]);
        let mut env = vec![
            ("NODEIM_RATE_LIMIT", "off".to_owned()),
            // All clients come from one address here.
            ("NODEIM_CONNECTIONS_MAX_PER_ADDRESS", "1000000".to_owned()),
            ("NODEIM_BCRYPT_COST", "4".to_owned()),
        ];
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
