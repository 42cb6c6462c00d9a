//! The machine: what it is, what it allows, and who runs on which core.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

use crate::cli::Common;

/// What was found and set up; printed with the results, as they mean nothing without it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// The core each side was pinned to
    pub(crate) pins: Option<Pins>,
    pub(crate) descriptors: u64,
    pub(crate) work_dir: PathBuf,
    pub(crate) file_system: String,
    /// Median time to rewrite 4 KiB there and make them durable
    pub(crate) fdatasync_us: f64,
}

/// Server and generator on different cores.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pins {
    pub(crate) server: usize,
    pub(crate) generator: usize,
}

impl Machine {
    /// Raises the descriptor limit, takes a core for this process, and tries the disk.
    pub(crate) fn prepare(common: &Common) -> Result<Self> {
        let work_dir = common.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        let work_dir = fs::canonicalize(&work_dir).with_context(|| format!("work dir {}", work_dir.display()))?;
        Ok(Machine {
            processor: processor(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: read_line("/proc/sys/kernel/osrelease"),
            pins: if common.no_pin { None } else { pin()? },
            descriptors: raise_descriptors(),
            file_system: file_system(&work_dir),
            fdatasync_us: fdatasync_us(&work_dir)?,
            work_dir,
        })
    }

    /// Fails if `connections` cannot all be open at once on either side.
    pub(crate) fn check_descriptors(&self, connections: u32) -> Result<()> {
        // Each side needs one for each connection, and some for itself.
        let needed = u64::from(connections) + 200;
        if self.descriptors < needed {
            bail!(
                "{connections} connections need {needed} file descriptors, but the hard limit is {}: \
                 raise it (ulimit -Hn) or ask for fewer",
                self.descriptors
            );
        }
        Ok(())
    }

    /// One line for each fact.
    pub(crate) fn describe(&self) -> Vec<String> {
        let pins = match self.pins {
            Some(Pins { server, generator }) => {
                format!("servers on core {server}, generator on core {generator}")
            }
            None => "nothing pinned to a core".to_owned(),
        };
        let mut lines = vec![
            format!("{}, {} cores, Linux {}", self.processor, self.cores, self.kernel),
            format!("{pins}; {} file descriptors", self.descriptors),
            format!(
                "databases in {} ({}), fdatasync of 4 KiB: {:.0} µs",
                self.work_dir.display(),
                self.file_system,
                self.fdatasync_us
            ),
        ];
        if self.file_system == "tmpfs" {
            lines.push("WARNING: nothing is durable on tmpfs: choose another --work-dir".into());
        }
        lines
    }
}

/// Pins this process to the second core that it may use, and names the first for the servers.
fn pin() -> Result<Option<Pins>> {
    let allowed = sched_getaffinity(None)?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    let (Some(server), Some(generator)) = (cores.next(), cores.next()) else {
        return Ok(None);
    };
    // A child inherits this process's core, and only `taskset` can give it another.
    if !has_taskset() {
        return Ok(None);
    }
    let mut set = CpuSet::new();
    set.set(generator);
    sched_setaffinity(None, &set)?;
    Ok(Some(Pins { server, generator }))
}

/// Fails unless all threads of `pid` are bound to `core`: what a launcher leaves behind, or a runtime makes of its own.
pub(crate) fn check_pinned(pid: u32, core: usize) -> Result<()> {
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?.file_name();
        let id = thread.to_str().and_then(|id| Pid::from_raw(id.parse().ok()?));
        let allowed = sched_getaffinity(Some(id.context("a thread without a number")?))?;
        if allowed.count() != 1 || !allowed.is_set(core) {
            bail!("its thread {} may leave core {core}", thread.display());
        }
    }
    Ok(())
}

fn has_taskset() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join("taskset").is_file())
}

/// Raises the soft limit to the hard one, for this process and its children; returns what holds now.
fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    now.unwrap_or(u64::MAX)
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    name.unwrap_or_else(|| "unknown processor".into())
}

fn read_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}

/// The type of the file system that holds `path`.
fn file_system(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let longest = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(mounted_on, _)| path.starts_with(mounted_on))
        .max_by_key(|(mounted_on, _)| mounted_on.len());
    longest.map_or("unknown".into(), |(_, kind)| kind.to_owned())
}

fn fdatasync_us(dir: &Path) -> Result<f64> {
    let probe = tempfile::Builder::new().prefix("nodeim-bench-").tempdir_in(dir)?;
    let mut file = File::create(probe.path().join("probe"))?;
    // In place, as in a log that is used again and again: growing the file would cost more.
    file.write_all(&[0; 4096])?;
    file.sync_all()?;
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < 200 && begun.elapsed() < Duration::from_secs(2) {
        let start = Instant::now();
        file.write_all_at(&[0x5a; 4096], 0)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2].as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::check_pinned;

    #[test]
    fn a_server_that_may_leave_its_core_is_noticed() {
        let allowed = sched_getaffinity(None).expect("a set of cores");
        let core = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).expect("a core");
        let mut child = Command::new("sleep").arg("60").spawn().expect("it starts");
        let pid = Pid::from_child(&child);
        let free = check_pinned(child.id(), core);
        let mut one = CpuSet::new();
        one.set(core);
        sched_setaffinity(Some(pid), &one).expect("it may be bound");
        let bound = check_pinned(child.id(), core);
        let elsewhere = check_pinned(child.id(), core + 1);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert!(free.is_err() || allowed.count() == 1);
        assert!(bound.is_ok(), "{bound:?}");
        assert!(elsewhere.is_err());
    }
}
