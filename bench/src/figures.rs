//! Figures: what a run measured, its spread over the rounds, and how servers compare.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

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
    /// Due at a fixed rate, and never sent
    pub(crate) const UNSENT: Metric = Metric::fault("unsent", "never sent");
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

/// A figure, how it stands to another server's in the same round, and what it should reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) scenario: &'static str,
    pub(crate) metric: Metric,
    pub(crate) of: Subject,
    pub(crate) to: Option<To>,
    pub(crate) goal: Option<Bound>,
    /// What would be better still
    pub(crate) aim: Option<Bound>,
}

/// What a figure is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum To {
    Ratio(Subject),
    Difference(Subject),
}

impl To {
    pub(crate) fn subject(self) -> Subject {
        match self {
            To::Ratio(subject) | To::Difference(subject) => subject,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Bound::AtLeast(bound) => value >= bound,
            Bound::AtMost(bound) => value <= bound,
        }
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bound::AtLeast(bound) => write!(f, "at least {bound}"),
            Bound::AtMost(bound) => write!(f, "at most {bound}"),
        }
    }
}

impl Comparison {
    pub(crate) const fn value(scenario: &'static str, metric: Metric, of: Subject) -> Self {
        Comparison { scenario, metric, of, to: None, goal: None, aim: None }
    }

    pub(crate) const fn ratio(scenario: &'static str, metric: Metric, of: Subject, to: Subject) -> Self {
        Comparison { to: Some(To::Ratio(to)), ..Self::value(scenario, metric, of) }
    }

    /// `of` less `to`.
    pub(crate) const fn difference(scenario: &'static str, metric: Metric, of: Subject, to: Subject) -> Self {
        Comparison { to: Some(To::Difference(to)), ..Self::value(scenario, metric, of) }
    }

    pub(crate) const fn at_least(mut self, goal: f64) -> Self {
        self.goal = Some(Bound::AtLeast(goal));
        self
    }

    pub(crate) const fn at_most(mut self, goal: f64) -> Self {
        self.goal = Some(Bound::AtMost(goal));
        self
    }

    pub(crate) const fn aims_at_least(mut self, aim: f64) -> Self {
        self.aim = Some(Bound::AtLeast(aim));
        self
    }

    pub(crate) const fn aims_at_most(mut self, aim: f64) -> Self {
        self.aim = Some(Bound::AtMost(aim));
        self
    }

    pub(crate) fn label(&self) -> String {
        let Comparison { scenario, metric, of, .. } = self;
        let of = of.name();
        match self.to {
            Some(To::Ratio(to)) => format!("{scenario}: {}, {of} / {}", metric.label, to.name()),
            Some(To::Difference(to)) => format!("{scenario}: {}, {of} - {}", metric.label, to.name()),
            None => format!("{scenario}: {}, {of}", metric.label),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Spread};

    #[test]
    fn a_spread_is_median_and_ends() {
        let spread = Spread::of([3.0, f64::NAN, 1.0, 2.0].into_iter()).expect("three values");
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 1.0, 3.0));
        let spread = Spread::of([4.0, 1.0].into_iter()).expect("two values");
        assert_eq!((spread.median, spread.rounds), (2.5, 2));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }

    #[test]
    fn bounds_hold_at_their_value() {
        assert!(Bound::AtLeast(4.0).holds(4.0) && !Bound::AtLeast(4.0).holds(3.99));
        assert!(Bound::AtMost(4.0).holds(4.0) && !Bound::AtMost(4.0).holds(4.01));
        assert!(!Bound::AtMost(4.0).holds(f64::NAN), "what was not measured is not reached");
    }
}
