//! What /proc knows of a process.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time used by all threads of `pid` so far, in steps of the kernel's clock tick (10 ms).
///
/// Not `schedstat`, although it counts nanoseconds: it is one thread's, and those that have ended
/// take theirs with them.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| path.clone())?;
    let ticks = ticks(&stat).with_context(|| format!("cannot read {path}"))?;
    Ok(duration(ticks))
}

/// CPU time that the whole machine has used so far, and that was taken from it.
pub(crate) fn machine_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks = machine_ticks(&stat).context("cannot read /proc/stat")?;
    Ok(duration(ticks))
}

fn duration(ticks: u64) -> Duration {
    Duration::from_nanos(ticks * (1_000_000_000 / rustix::param::clock_ticks_per_second()))
}

/// All of the first line but `idle` and `iowait`, up to `steal`; what follows is counted before.
fn machine_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = line.split_ascii_whitespace().map_while(|time| time.parse().ok()).collect();
    Some(times.get(..8)?.iter().sum::<u64>() - times[3] - times[4])
}

/// The sum of `utime` and `stime`. The name before them may hold spaces, but it ends at the last `)`.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_ascii_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
}

/// Memory of `pid` that is in RAM. Kernel memory, such as socket buffers, is not in it.
pub(crate) fn rss_bytes(pid: u32) -> Result<u64> {
    // The roll-up walks the page tables; `VmRSS` lags behind by up to 64 pages for each thread.
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    if let Some(kib) = kib(&rollup, "Rss:") {
        return Ok(kib * 1024);
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kib(&status, "VmRSS:").context("no VmRSS")?;
    Ok(kib * 1024)
}

/// The most memory of `pid` that was in RAM at a time, since it began or since [`forget_peak`].
pub(crate) fn peak_rss_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kib(&status, "VmHWM:").context("no VmHWM")?;
    Ok(kib * 1024)
}

/// Lets the peak begin anew, at what is in RAM now.
pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write to {path}"))
}

fn kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{kib, machine_ticks, ticks};

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "12 (a b) c) S 1 12 12 0 -1 4194304 95 0 0 0 53 2 0 0 20 0 1 0 100 5 5";
        assert_eq!(ticks(stat), Some(55));
        assert_eq!(ticks("12 (x) S 1"), None);
    }

    #[test]
    fn the_machine_is_the_first_line() {
        let stat = "cpu  100 10 50 9999 7 6 5 3 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(machine_ticks(stat), Some(174));
        assert_eq!(machine_ticks("cpu  1 2"), None);
    }

    #[test]
    fn sizes_are_found_by_key() {
        assert_eq!(kib("Name:\tx\nVmRSS:\t    2048 kB\n", "VmRSS:"), Some(2048));
        assert_eq!(kib("Name:\tx\n", "VmRSS:"), None);
    }
}
