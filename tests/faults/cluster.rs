//! A PostgreSQL of one test's own, which it may stop.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running cluster; stopped and removed at the end of the test.
pub(crate) struct Cluster {
    /// `scripts/with-postgres.sh`, which keeps the cluster as long as it runs.
    keeper: Child,
    url: String,
    data: PathBuf,
}

/// Nothing of the tests lasts longer, should they be killed.
const LIFETIME: &str = "1800";

impl Cluster {
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/with-postgres.sh");
        let mut keeper = Command::new(script)
            .args(["sh", "-c"])
            .arg(format!("echo $NODEIM_TEST_DATABASE_URL; echo $NODEIM_TEST_POSTGRES_DATA; exec sleep {LIFETIME}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(keeper.stdout.take().unwrap()).lines();
        let mut line = || lines.next().expect("PostgreSQL starts").unwrap();
        Self { url: line(), data: line().into(), keeper }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let (_, rest) = self.url.split_once('@').unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// How it is reached through something else.
    pub(crate) fn url_over(&self, address: SocketAddr) -> String {
        self.url.replace(&self.address().to_string(), &address.to_string())
    }

    /// Takes the processor away from all of its processes. They keep their connections, and the kernel goes on
    /// accepting new ones for them.
    pub(crate) fn freeze(&self) {
        let postmaster = self.postmaster();
        // First the one that makes the others.
        signal("STOP", &[postmaster]);
        signal("STOP", &children(postmaster));
    }

    pub(crate) fn thaw(&self) {
        let postmaster = self.postmaster();
        signal("CONT", &children(postmaster));
        signal("CONT", &[postmaster]);
    }

    /// Ends it as a crash would: connections break, and what was not committed is gone.
    pub(crate) fn crash(&self) {
        self.control(&["-m", "immediate", "-w", "-s", "stop"]);
    }

    /// Starts it again, as it was.
    pub(crate) fn restart(&self) {
        // "restart" takes the options of the last start, even if nothing runs.
        self.control(&["-w", "-s", "restart"]);
    }

    fn control(&self, arguments: &[&str]) {
        let owner = std::fs::metadata(&self.data).unwrap();
        let bin =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/with-postgres.sh")).arg("--bin").output();
        let bin = String::from_utf8(bin.unwrap().stdout).unwrap();
        let mut command = Command::new(Path::new(bin.trim()).join("pg_ctl"));
        // PostgreSQL refuses to run as root, so root lent the folder to somebody.
        if std::fs::metadata("/proc/self").unwrap().uid() != owner.uid() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let log = self.data.with_file_name("server.log");
        let command = command.arg("-D").arg(&self.data).arg("-l").arg(log).args(arguments).current_dir("/");
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "pg_ctl {arguments:?}: {status}");
    }

    fn postmaster(&self) -> u32 {
        let file = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Stopped processes take no other signal than this one.
        if std::thread::panicking() && self.data.join("postmaster.pid").exists() {
            self.thaw();
        }
        signal("TERM", &[self.keeper.id()]);
        self.keeper.wait().unwrap();
    }
}

fn children(of: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["--ppid", &of.to_string(), "-o", "pid="]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn signal(name: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    // One of them may just have ended by itself.
    Command::new("kill").args(["-s", name]).args(processes).stderr(Stdio::null()).status().unwrap();
}
