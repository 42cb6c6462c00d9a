//! What was measured, summed up over the rounds, as a table and as JSON.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::chart;
use crate::cli::Common;
use crate::figures::{Bound, Comparison, Metric, Run, Spread, To};
use crate::machine::Machine;
use crate::measure::GENERATOR_LOAD;
use crate::subject::{Missing, Subject};
use crate::table;

/// Of a core, in percent: as much as is ever seen of a thread that never waits
const FULL_LOAD: f64 = 95.0;

/// All runs of one call of this program.
pub(crate) struct Report {
    machine: Machine,
    repeats: u32,
    seconds: u64,
    options: Value,
    /// What servers from elsewhere are made of
    versions: Option<String>,
    missing: Vec<Missing>,
    runs: Vec<Run>,
    comparisons: Vec<Comparison>,
}

impl Report {
    /// `options` are those of the scenarios, to be written down with their figures.
    pub(crate) fn new(machine: &Machine, common: &Common, options: Value) -> Self {
        Report {
            machine: machine.clone(),
            repeats: common.repeats,
            seconds: common.seconds,
            options,
            versions: None,
            missing: Vec::new(),
            runs: Vec::new(),
            comparisons: Vec::new(),
        }
    }

    /// What servers from elsewhere are made of, and which there were not.
    pub(crate) fn note_servers(&mut self, versions: Option<&str>, missing: Vec<Missing>) {
        self.versions = versions.map(str::to_owned);
        self.missing = missing;
    }

    pub(crate) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    pub(crate) fn compare(&mut self, comparisons: &[Comparison]) {
        self.comparisons.extend_from_slice(comparisons);
    }

    /// Whether every nodeim delivered everything once, in order, and refused nothing.
    pub(crate) fn is_clean(&self) -> bool {
        let mut nodeims = self.runs.iter().filter(|run| run.server.is_nodeim());
        nodeims.all(|run| run.faults().next().is_none())
    }

    pub(crate) fn print(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        for line in self.machine.describe() {
            writeln!(out, "{line}")?;
        }
        if let Some(versions) = &self.versions {
            writeln!(out, "{versions}")?;
        }
        for missing in &self.missing {
            writeln!(out, "{missing}")?;
        }
        let Report { repeats, seconds, .. } = self;
        writeln!(out, "median (least - greatest) of {repeats} rounds of {seconds} s")?;
        for scenario in self.scenarios() {
            writeln!(out, "\n{}", self.table(scenario))?;
        }
        if let Some(table) = self.comparison_table() {
            writeln!(out, "\n{table}")?;
        }
        for (scenario, server) in self.limited_by_generator() {
            let name = server.name();
            writeln!(out, "{scenario}: the generator was the limit for {name}, which could do more")?;
        }
        if !self.is_clean() {
            writeln!(out, "nodeim lost, repeated, reordered or refused messages")?;
        }
        Ok(())
    }

    pub(crate) fn write_json(&self, file: &Path) -> Result<()> {
        let mut summary = Vec::new();
        for scenario in self.scenarios() {
            for server in self.servers(scenario) {
                let values: BTreeMap<_, _> = self
                    .metrics(scenario)
                    .into_iter()
                    .filter_map(|m| Some((m.key, self.spread(scenario, server, m)?)))
                    .collect();
                summary.push(json!({"scenario": scenario, "server": server, "values": values}));
            }
        }
        let comparisons: Vec<_> = self
            .asked()
            .map(|comparison| {
                let spread = self.compared(comparison);
                let text = |bound: Option<Bound>| bound.map(|bound| bound.to_string());
                let reached = |bound: Option<Bound>| Some(bound?.holds(spread?.median));
                json!({
                    "what": comparison.label(),
                    "value": spread,
                    "goal": text(comparison.goal),
                    "reached": reached(comparison.goal),
                    "aim": text(comparison.aim),
                    "aim_reached": reached(comparison.aim),
                })
            })
            .collect();
        let missing: BTreeMap<_, _> = self.missing.iter().map(|m| (m.subject.name(), &m.why)).collect();
        let all = json!({
            "machine": self.machine,
            "versions": self.versions,
            "missing": missing,
            "options": self.options,
            "runs": self.runs,
            "summary": summary,
            "comparisons": comparisons,
            "clean": self.is_clean(),
        });
        let text = serde_json::to_string_pretty(&all)?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }

    pub(crate) fn options(&self) -> &Value {
        &self.options
    }

    /// What the figures come from, in a line.
    pub(crate) fn provenance(&self) -> String {
        let Report { machine, repeats, seconds, .. } = self;
        let pinned = if machine.pins.is_some() { "servers on one core, load from another" } else { "nothing pinned" };
        format!(
            "{}, {} cores, {pinned}; fdatasync {:.0} µs. Median of {repeats} rounds of {seconds} s, line from least to greatest.",
            machine.processor, machine.cores, machine.fdatasync_us
        )
    }

    pub(crate) fn write_svg(&self, file: &Path) -> Result<()> {
        fs::write(file, chart::draw(self)).with_context(|| format!("cannot write {}", file.display()))
    }

    /// One column for each server, one row for each metric.
    fn table(&self, scenario: &str) -> String {
        let servers = self.servers(scenario);
        let mut head = vec![scenario.to_owned()];
        head.extend(servers.iter().map(|server| server.name().to_owned()));
        let rows = self.metrics(scenario).into_iter().map(|metric| {
            let mut row = vec![metric.label.to_owned()];
            row.extend(servers.iter().map(|server| {
                let spread = self.spread(scenario, *server, metric);
                spread.map_or_else(|| "-".to_owned(), table::spread)
            }));
            row
        });
        table::render(head, rows)
    }

    /// None where there was nothing to compare.
    fn comparison_table(&self) -> Option<String> {
        let head = ["compared, in the same round", "", "goal", "reached", "aim", "reached"].map(str::to_owned);
        let rows = self.asked().map(|comparison| {
            let spread = self.compared(comparison);
            let mut row = vec![comparison.label()];
            row.push(spread.map_or_else(|| "not measured".to_owned(), table::spread));
            for bound in [comparison.goal, comparison.aim] {
                row.push(bound.map_or_else(String::new, |bound| bound.to_string()));
                let reached = match (bound, spread) {
                    (Some(bound), Some(spread)) if bound.holds(spread.median) => "yes",
                    (Some(_), _) => "NO",
                    (None, _) => "",
                };
                row.push(reached.to_owned());
            }
            row
        });
        let mut rows = rows.peekable();
        rows.peek()?;
        Some(table::render(head.into(), rows))
    }

    /// All comparisons but those whose servers were left out on purpose.
    fn asked(&self) -> impl Iterator<Item = &Comparison> {
        let missing = |subject: Subject| self.missing.iter().any(|missing| missing.subject == subject);
        self.comparisons.iter().filter(move |comparison| {
            let to = comparison.to.map(To::subject);
            self.compared(comparison).is_some() || missing(comparison.of) || to.is_some_and(missing)
        })
    }

    fn limited_by_generator(&self) -> Vec<(&'static str, Subject)> {
        let load = |scenario: &str, server| self.spread(scenario, server, GENERATOR_LOAD);
        let scenarios = self.scenarios().into_iter();
        let pairs =
            scenarios.flat_map(|scenario| self.servers(scenario).into_iter().map(move |server| (scenario, server)));
        pairs
            .filter(|(scenario, server)| load(scenario, *server).is_some_and(|load| load.median >= FULL_LOAD))
            .collect()
    }

    fn scenarios(&self) -> Vec<&'static str> {
        distinct(self.runs.iter().map(|run| run.scenario))
    }

    fn servers(&self, scenario: &str) -> Vec<Subject> {
        let runs = self.runs.iter().filter(|run| run.scenario == scenario);
        distinct(runs.map(|run| run.server))
    }

    fn metrics(&self, scenario: &str) -> Vec<Metric> {
        let mut runs = self.runs.iter().filter(|run| run.scenario == scenario);
        runs.next().map_or_else(Vec::new, |run| run.metrics.clone())
    }

    pub(crate) fn spread(&self, scenario: &str, server: Subject, metric: Metric) -> Option<Spread> {
        let runs = self.runs.iter();
        let of_server = runs.filter(|run| run.scenario == scenario && run.server == server);
        Spread::of(of_server.filter_map(|run| run.values.get(metric.key).copied()))
    }

    fn compared(&self, comparison: &Comparison) -> Option<Spread> {
        let Comparison { scenario, metric, of, to, .. } = *comparison;
        let value = |server: Subject, round: u32| {
            let mut runs = self.runs.iter();
            let run = runs.find(|run| run.scenario == scenario && run.server == server && run.round == round)?;
            run.values.get(metric.key).copied()
        };
        let rounds = 1..=self.repeats;
        Spread::of(rounds.filter_map(|round| match to {
            Some(To::Ratio(to)) => Some(value(of, round)? / value(to, round)?),
            Some(To::Difference(to)) => Some(value(of, round)? - value(to, round)?),
            None => value(of, round),
        }))
    }
}

fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
