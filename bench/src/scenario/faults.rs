//! What can go wrong in a run, counted. All of it must be 0.

use std::ops::AddAssign;

use crate::figures::{Metric, Run};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) lost: u64,
    pub(super) extra: u64,
    pub(super) out_of_order: u64,
    pub(super) unanswered: u64,
    /// Due at a fixed rate, and not even sent
    pub(super) unsent: u64,
    pub(super) refused: u64,
    /// Connections that ended by themselves
    pub(super) closed: u64,
}

impl Faults {
    pub(super) fn put(&self, run: &mut Run) {
        run.put(Metric::LOST, self.lost as f64);
        run.put(Metric::EXTRA, self.extra as f64);
        run.put(Metric::OUT_OF_ORDER, self.out_of_order as f64);
        run.put(Metric::UNANSWERED, self.unanswered as f64);
        run.put(Metric::UNSENT, self.unsent as f64);
        run.put(Metric::REFUSED, self.refused as f64);
        run.put(Metric::CLOSED, self.closed as f64);
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.extra += other.extra;
        self.out_of_order += other.out_of_order;
        self.unanswered += other.unanswered;
        self.unsent += other.unsent;
        self.refused += other.refused;
        self.closed += other.closed;
    }
}
