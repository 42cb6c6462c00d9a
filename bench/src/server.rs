//! A server as a child process: started on a free port, watched through /proc, ended by its pid.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::machine::{self, Pins};
use crate::{process, progress};

const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
const LOG_LINES_KEPT: usize = 20;

/// What to start.
pub(crate) struct Spec {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(&'static str, String)>,
    /// Where it runs: a folder of its own, so that it finds no configuration file
    pub(crate) dir: PathBuf,
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pid: u32,
    addr: SocketAddr,
    log: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub(crate) async fn start(spec: Spec, pins: Option<Pins>) -> Result<Self> {
        let name = spec.program.display().to_string();
        let mut command = match pins {
            Some(pins) => {
                // It replaces itself with the program: the pid stays.
                let mut command = Command::new("taskset");
                let core = pins.server.to_string();
                command.args(["-c", &core]).arg(spec.program);
                command
            }
            None => Command::new(spec.program),
        };
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("NODEIM_") {
                command.env_remove(key);
            }
        }
        let mut child = command
            .args(spec.args)
            .envs(spec.env)
            .env("NO_COLOR", "1")
            .current_dir(spec.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;

        let pid = child.id().context("the server ended at once")?;
        let stderr = child.stderr.take().context("no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let addr = timeout(START_TIMEOUT, listening(&mut lines, &log))
            .await
            .unwrap_or_else(|_| Err(anyhow!("it did not say where it listens")))
            .with_context(|| format!("{name}: {}", tail(&log)))?;
        if let Some(pins) = pins {
            machine::check_pinned(pid, pins.server).with_context(|| name.clone())?;
        }

        let kept = Arc::clone(&log);
        let reader = tokio::task::spawn_local(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                keep(&kept, line);
            }
        });
        Ok(Server { child, pid, addr, log, reader })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.pid).context("the server is gone")
    }

    pub(crate) fn rss_bytes(&self) -> Result<u64> {
        process::rss_bytes(self.pid).context("the server is gone")
    }

    /// The most of it that was resident at a time since [`forget_peak`](Self::forget_peak).
    pub(crate) fn peak_rss_bytes(&self) -> Result<u64> {
        process::peak_rss_bytes(self.pid).context("the server is gone")
    }

    pub(crate) fn forget_peak(&self) -> Result<()> {
        process::forget_peak(self.pid)
    }

    /// The last lines it logged.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Asks it to end and waits; past a limit it is killed, and that is said.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server had ended by itself ({status}): {}", self.log_tail());
        }
        let pid = i32::try_from(self.pid)?;
        let pid = Pid::from_raw(pid).context("no pid")?;
        kill_process(pid, Signal::TERM)?;
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    progress::note(&format!("the server ended with {status}: {}", self.log_tail()));
                }
            }
            Err(_) => {
                progress::note(&format!("the server ignored SIGTERM for {STOP_TIMEOUT:?}: killed"));
                self.child.kill().await?;
            }
        }
        self.reader.abort();
        Ok(())
    }
}

async fn listening(lines: &mut Lines<BufReader<ChildStderr>>, log: &Mutex<VecDeque<String>>) -> Result<SocketAddr> {
    while let Some(line) = lines.next_line().await? {
        let addr = address(&line);
        keep(log, line);
        if let Some(addr) = addr {
            return Ok(addr);
        }
    }
    bail!("it ended before it listened")
}

/// The address in a line such as `INFO listening on http://127.0.0.1:8765 database=sqlite`.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']'))).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

fn keep(log: &Mutex<VecDeque<String>>, line: String) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.len() == LOG_LINES_KEPT {
        log.pop_front();
    }
    log.push_back(line);
}

fn tail(log: &Mutex<VecDeque<String>>) -> String {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let lines: Vec<_> = log.iter().map(String::as_str).collect();
    format!("it logged:\n    {}", lines.join("\n    "))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_found_in_a_log_line() {
        let expected = "127.0.0.1:8765".parse().ok();
        assert_eq!(address("listening on http://127.0.0.1:8765"), expected);
        let line = "2026-01-01T00:00:00Z  INFO nodeim: listening on http://127.0.0.1:8765 store=sqlite";
        assert_eq!(address(line), expected);
        let line = r#"{"message":"listening on http://127.0.0.1:8765"}"#;
        assert_eq!(address(line), expected);
        assert_eq!(address("listening"), None);
    }
}
