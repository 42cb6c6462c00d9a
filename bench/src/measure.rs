//! Taking the measure of a stretch of time: CPU of both sides, latencies.

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::figures::{Metric, Run};
use crate::process;
use crate::server::Server;

const SERVER_LOAD: Metric = Metric::new("server_load", "server load, % of a core");
/// Near 100 the generator is what limits the rate.
pub(crate) const GENERATOR_LOAD: Metric = Metric::new("generator_load", "generator load, % of a core");
/// Far from 0 the machine was not quiet.
const OTHERS_LOAD: Metric = Metric::new("others_load", "others' load, % of a core");

/// The start of a measured window.
pub(crate) struct Mark {
    at: Instant,
    server_cpu: Duration,
    generator_cpu: Duration,
    machine_cpu: Duration,
}

/// What a window took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    wall: Duration,
    server_cpu: Duration,
    generator_cpu: Duration,
    /// Of everything else on the machine
    others_cpu: Duration,
}

impl Mark {
    pub(crate) fn now(server: &Server) -> Result<Self> {
        Ok(Mark {
            at: Instant::now(),
            server_cpu: server.cpu()?,
            generator_cpu: process::cpu(std::process::id())?,
            machine_cpu: process::machine_cpu()?,
        })
    }

    /// The window from this mark to now.
    pub(crate) fn until_now(&self, server: &Server) -> Result<Window> {
        let now = Mark::now(server)?;
        let server_cpu = now.server_cpu.saturating_sub(self.server_cpu);
        let generator_cpu = now.generator_cpu.saturating_sub(self.generator_cpu);
        let machine_cpu = now.machine_cpu.saturating_sub(self.machine_cpu);
        Ok(Window {
            wall: now.at - self.at,
            server_cpu,
            generator_cpu,
            others_cpu: machine_cpu.saturating_sub(server_cpu + generator_cpu),
        })
    }
}

impl Window {
    pub(crate) fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.wall.as_secs_f64()
    }

    /// Server CPU for each of `count` things, in µs.
    pub(crate) fn server_us_per(&self, count: u64) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / count as f64
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }

    /// How busy the server was, in percent of a core.
    pub(crate) fn server_load(&self) -> f64 {
        100.0 * self.server_cpu.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// How busy the cores were: the figures that say whether the others can be believed.
    pub(crate) fn put_loads(&self, run: &mut Run) {
        let percent = |cpu: Duration| 100.0 * cpu.as_secs_f64() / self.wall.as_secs_f64();
        run.put(SERVER_LOAD, percent(self.server_cpu));
        run.put(GENERATOR_LOAD, percent(self.generator_cpu));
        run.put(OTHERS_LOAD, percent(self.others_cpu));
    }
}

/// Latencies from 1 µs to a minute, to three digits.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, 60_000_000, 3);
        Latencies(histogram.expect("the bounds are valid"))
    }

    pub(crate) fn record(&mut self, micros: u64) {
        self.0.saturating_record(micros);
    }

    /// In milliseconds; not a number if nothing was recorded.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        self.0.value_at_quantile(quantile) as f64 / 1e3
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }
}
