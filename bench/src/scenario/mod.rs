//! What is measured. Each scenario starts its own servers and ends them.

pub(crate) mod direct;
mod faults;
pub(crate) mod history;
pub(crate) mod idle;
pub(crate) mod mixed;
mod pace;
mod pairs;
pub(crate) mod replay;
pub(crate) mod room;
pub(crate) mod storm;
mod talk;
mod tally;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cli::Common;
use crate::machine::Machine;
use crate::progress;
use crate::server::Server;
use crate::subject::{Missing, Programs, Subject};

/// How long stragglers are waited for when a load has ended.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What all scenarios share.
pub(crate) struct Bench {
    programs: Programs,
    machine: Machine,
    only: Vec<Subject>,
    repeats: u32,
    window: Duration,
    warmup: Duration,
    /// What runs now
    started: Cell<Option<(u32, Subject)>>,
    left_out: RefCell<Vec<Missing>>,
}

impl Bench {
    pub(crate) fn new(common: &Common, machine: &Machine) -> Result<Self> {
        Ok(Bench {
            programs: Programs::find(common)?,
            machine: machine.clone(),
            only: common.only.clone(),
            repeats: common.repeats,
            window: Duration::from_secs(common.seconds),
            warmup: Duration::from_secs(common.warmup_seconds),
            started: Cell::new(None),
            left_out: RefCell::default(),
        })
    }

    /// Of what comes from elsewhere.
    pub(crate) fn versions(&self) -> Option<&str> {
        self.programs.versions()
    }

    /// Servers that a scenario had to do without.
    pub(crate) fn left_out(&self) -> Vec<Missing> {
        self.left_out.borrow().clone()
    }

    /// Those of `subjects` that were asked for and can run.
    fn chosen(&self, subjects: &[Subject]) -> Vec<Subject> {
        let asked = |s: &Subject| self.only.is_empty() || self.only.contains(s);
        let (missing, chosen) = subjects.iter().copied().filter(asked).partition(|s| self.programs.lacks(*s).is_some());
        for missing in Vec::<Subject>::into_iter(missing).filter_map(|s| self.programs.lacks(s)) {
            let mut left_out = self.left_out.borrow_mut();
            if !left_out.contains(missing) {
                progress::note(&missing.to_string());
                left_out.push(missing.clone());
            }
        }
        chosen
    }

    /// Every round has all of `subjects`, and every second round in reverse: a machine that gets
    /// slower as it warms up would otherwise favour whoever comes first.
    fn schedule(&self, subjects: &[Subject]) -> Vec<(u32, Subject)> {
        let mut schedule = Vec::new();
        for round in 1..=self.repeats {
            let mut order = subjects.to_vec();
            if round % 2 == 0 {
                order.reverse();
            }
            schedule.extend(order.into_iter().map(|subject| (round, subject)));
        }
        progress::begin(schedule.len());
        self.started.set(None);
        schedule
    }

    /// A folder for a server's database, gone when dropped.
    fn data_dir(&self) -> Result<TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("nodeim-bench-").tempdir_in(&self.machine.work_dir).context("cannot make a data folder")
    }

    async fn start(&self, subject: Subject, dir: &TempDir, frame_bytes: usize) -> Result<Server> {
        let spec = self.programs.spec(subject, dir.path(), frame_bytes)?;
        Server::start(spec, self.machine.pins).await
    }

    /// Starts it with hashes of passwords that cost more than elsewhere here.
    async fn start_with_bcrypt_cost(&self, subject: Subject, dir: &TempDir, cost: u32) -> Result<Server> {
        let mut spec = self.programs.spec(subject, dir.path(), 0)?;
        // The last one given holds.
        spec.env.push(("NODEIM_BCRYPT_COST", cost.to_string()));
        Server::start(spec, self.machine.pins).await
    }

    /// Says what is done now.
    fn progress(&self, scenario: &str, round: u32, subject: Subject, what: &str) {
        // Where another run begins, the one before is over.
        let before = self.started.replace(Some((round, subject)));
        if before.is_some() && before != Some((round, subject)) {
            progress::step();
        }
        let (rounds, name) = (self.repeats, subject.name());
        progress::show(format!("{scenario} {round}/{rounds} {name}: {what}"));
    }

    /// Says what went wrong in a run.
    fn trouble(&self, scenario: &str, round: u32, subject: Subject, what: &str) {
        let name = subject.name();
        progress::note(&format!("{scenario} {round}/{} {name}: {what}", self.repeats));
    }
}
