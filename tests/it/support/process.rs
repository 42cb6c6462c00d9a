//! The real binary, for what only a process can show: signals, exit codes, sudden death.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Client, Database, PATIENCE, Revision};

const PAUSE: Duration = Duration::from_millis(5);
pub(crate) const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--bcrypt-cost", "4"];

/// A running `nodeim serve`. Killed at the end of the test if it still runs.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts on a free port, and waits until it listens.
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    /// The same with variables.
    pub(crate) fn start_with(database: &Database, variables: &[(&str, &str)]) -> Self {
        let mut command = command(&SERVE);
        command.envs(variables.iter().copied());
        Self::spawn(command, database)
    }

    /// With a disk of one MiB for files. None where nobody may make such a disk, which only the process sees.
    pub(crate) fn start_on_small_disk(database: &Database) -> Option<Self> {
        let files = database.data_dir().join("files");
        std::fs::create_dir_all(&files).unwrap();
        let script = format!("mount -t tmpfs -o size=1m tmpfs '{}' && exec \"$@\"", files.display());
        let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
        let is_possible = Command::new("unshare").args(unshare).arg(&script).args(["sh", "true"]).status();
        if !is_possible.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut command = without_settings(Command::new("unshare"));
        command.args(unshare).arg(&script).args(["sh", env!("CARGO_BIN_EXE_nodeim")]).args(SERVE);
        Some(Self::spawn(command, database))
    }

    /// With so many file descriptors.
    pub(crate) fn start_with_descriptors(database: &Database, count: u32) -> Self {
        let mut command = without_settings(Command::new("sh"));
        command.args(["-c", &format!("ulimit -n {count} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_nodeim")]);
        command.args(SERVE);
        Self::spawn(command, database)
    }

    /// What is logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Runs a command that serves, once it is told of the database.
    pub(crate) fn spawn(mut command: Command, database: &Database) -> Self {
        command.arg("--data-dir").arg(database.data_dir());
        if !database.url().is_empty() {
            command.args(["--database-url", &database.url()]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || lines.map_while(Result::ok).for_each(|line| log.lock().unwrap().push(line))
        });
        let address = wait("listening", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended at its start, {status}: {:?}", log.lock().unwrap());
            }
            let log = log.lock().unwrap();
            log.iter().find_map(|line| address(line))
        });
        Self { child, address, log, reader: Some(reader) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address, Revision::V4).await
    }

    /// Asks it to end, as an init system does, without waiting.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for the end; what was logged comes with it.
    pub(crate) fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let status = wait("the end of the server", || self.child.try_wait().unwrap());
        // Up to the last line.
        self.reader.take().map(JoinHandle::join).unwrap().unwrap();
        (status, self.log.lock().unwrap().clone())
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only for one that has ended.
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}

/// Runs the binary for a command that ends by itself.
pub(crate) fn run_to_end(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = command(arguments);
    command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                panic!("{arguments:?} did not end");
            }
            None => std::thread::sleep(PAUSE),
        }
    };
    let mut output = Output { status, stdout: Vec::new(), stderr: Vec::new() };
    child.stdout.take().unwrap().read_to_end(&mut output.stdout).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut output.stderr).unwrap();
    output
}

/// What a line of the log, as text or as JSON, says of where the server listens.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on http://")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
    rest[..end].parse().ok()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = without_settings(Command::new(env!("CARGO_BIN_EXE_nodeim")));
    command.args(arguments);
    command
}

/// Settings of whoever runs the tests do not reach the server.
pub(crate) fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NODEIM_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn wait<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(PAUSE);
    }
}
