//! Figures: what a run measured, its spread over the rounds, and how servers compare.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::subject::Subject;

/// A thing that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    /// Anything but 0 is something gone wrong
    is_fault: bool,
}

impl Metric {
    pub(crate) const LOST: Metric = Metric::fault("lost", "lost");
    pub(crate) const EXTRA: Metric = Metric::fault("extra", "delivered more than once");
    pub(crate) const OUT_OF_ORDER: Metric = Metric::fault("out_of_order", "out of order");
    pub(crate) const UNANSWERED: Metric = Metric::fault("unanswered", "never answered");
    pub(crate) const REFUSED: Metric = Metric::fault("refused", "refused");
    pub(crate) const CLOSED: Metric = Metric::fault("closed", "connections lost");

    pub(crate) const fn new(key: &'static str, label: &'static str) -> Self {
        Metric { key, label, is_fault: false }
    }

    const fn fault(key: &'static str, label: &'static str) -> Self {
        Metric { key, label, is_fault: true }
    }
}

/// One server in one round of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) scenario: &'static str,
    pub(crate) server: Subject,
    pub(crate) round: u32,
    pub(crate) values: BTreeMap<&'static str, f64>,
    /// In the order of the table
    #[serde(skip)]
    pub(crate) metrics: Vec<Metric>,
}

impl Run {
    pub(crate) fn new(scenario: &'static str, server: Subject, round: u32) -> Self {
        Run { scenario, server, round, values: BTreeMap::new(), metrics: Vec::new() }
    }

    pub(crate) fn put(&mut self, metric: Metric, value: f64) {
        self.metrics.push(metric);
        self.values.insert(metric.key, value);
    }

    /// What went wrong.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Metric> {
        let broken = |m: &&Metric| m.is_fault && self.values.get(m.key).is_some_and(|v| *v != 0.0);
        self.metrics.iter().filter(broken)
    }
}

/// Median, least and greatest over the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) rounds: usize,
}

impl Spread {
    /// None if there is nothing to sum up.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Spread { median, min, max, rounds: sorted.len() })
    }
}

/// A figure with a goal: one server's value, or its ratio to another's in the same round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) scenario: &'static str,
    pub(crate) metric: Metric,
    pub(crate) of: Subject,
    pub(crate) to: Option<Subject>,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

impl Comparison {
    pub(crate) const fn ratio(scenario: &'static str, metric: Metric, of: Subject, to: Subject) -> Self {
        Comparison { scenario, metric, of, to: Some(to), at_least: None, at_most: None }
    }

    pub(crate) const fn value(scenario: &'static str, metric: Metric, of: Subject) -> Self {
        Comparison { scenario, metric, of, to: None, at_least: None, at_most: None }
    }

    pub(crate) const fn at_least(mut self, goal: f64) -> Self {
        self.at_least = Some(goal);
        self
    }

    pub(crate) const fn at_most(mut self, goal: f64) -> Self {
        self.at_most = Some(goal);
        self
    }

    pub(crate) fn label(&self) -> String {
        let Comparison { scenario, metric, of, .. } = self;
        let of = of.name();
        match self.to {
            Some(to) => format!("{scenario}: {}, {of} / {}", metric.label, to.name()),
            None => format!("{scenario}: {}, {of}", metric.label),
        }
    }

    pub(crate) fn goal(&self) -> Option<String> {
        let least = self.at_least.map(|goal| format!("at least {goal}"));
        least.or_else(|| self.at_most.map(|goal| format!("at most {goal}")))
    }

    pub(crate) fn is_reached(&self, value: f64) -> Option<bool> {
        let least = self.at_least.map(|goal| value >= goal);
        least.or_else(|| self.at_most.map(|goal| value <= goal))
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_spread_is_median_and_ends() {
        let spread = Spread::of([3.0, f64::NAN, 1.0, 2.0].into_iter()).expect("three values");
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 1.0, 3.0));
        let spread = Spread::of([4.0, 1.0].into_iter()).expect("two values");
        assert_eq!((spread.median, spread.rounds), (2.5, 2));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }
}
