//! The peers that run in Node: whether they can, and how they are started. They are in `peers/node`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::server::Spec;

const DATABASE: &str = "messages.db";

#[derive(Clone, Debug)]
pub(crate) struct Node {
    server: PathBuf,
    versions: Option<String>,
}

impl Node {
    /// In the folder `peers`, or where this program's source was.
    pub(crate) fn new(peers: Option<&Path>) -> Result<Self> {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let server = peers.unwrap_or(&default).join("node").join("server.js");
        // The servers are started in their data folders.
        Ok(Node { server: std::path::absolute(server)?, versions: None })
    }

    /// Has the server load what it needs, and keeps what that was.
    pub(crate) fn check(&mut self, with_sqlite: bool) -> Result<()> {
        let mut command = Command::new("node");
        command.args(self.args(with_sqlite.then_some(":memory:"))).arg("--check").stdin(Stdio::null());
        let output = command.output().context("cannot start node")?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let error = stderr.lines().find(|line| line.contains("Error")).unwrap_or("it does not start");
            bail!("{} (scripts/bench-peers.sh installs what is needed)", error.trim());
        }
        self.versions = Some(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        Ok(())
    }

    /// What was loaded last.
    pub(crate) fn versions(&self) -> Option<&str> {
        self.versions.as_deref()
    }

    pub(crate) fn spec(&self, with_sqlite: bool, data_dir: &Path, frame_bytes: usize) -> Spec {
        let mut args = self.args(with_sqlite.then_some(DATABASE));
        args.extend(["--frame-bytes".into(), frame_bytes.to_string().into()]);
        Spec { program: "node".into(), args, env: Vec::new(), dir: data_dir.to_owned() }
    }

    fn args(&self, database: Option<&str>) -> Vec<OsString> {
        let mut args = vec![self.server.clone().into()];
        args.extend(database.into_iter().flat_map(|file| ["--sqlite".into(), file.into()]));
        args
    }
}
