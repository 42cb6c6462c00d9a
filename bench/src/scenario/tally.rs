//! What the clients of a load count together. They share one thread, so plain cells do.

use std::cell::{Cell, RefCell};
use std::ops::Sub;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::DRAIN_TIMEOUT;
use crate::measure::Latencies;
use crate::packet;
use crate::payload::Stamp;

/// Without a delivery for this long, what is missing is lost.
const STALLED: Duration = Duration::from_secs(3);

/// The counters of a tally at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) sent: u64,
    pub(super) acked: u64,
    pub(super) refused: u64,
    pub(super) delivered: u64,
    pub(super) delivered_bytes: u64,
    pub(super) out_of_order: u64,
    pub(super) closed: u64,
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, earlier: Counts) -> Counts {
        Counts {
            sent: self.sent - earlier.sent,
            acked: self.acked - earlier.acked,
            refused: self.refused - earlier.refused,
            delivered: self.delivered - earlier.delivered,
            delivered_bytes: self.delivered_bytes - earlier.delivered_bytes,
            out_of_order: self.out_of_order - earlier.out_of_order,
            closed: self.closed - earlier.closed,
        }
    }
}

impl Counts {
    pub(super) fn unanswered(&self) -> u64 {
        self.sent.saturating_sub(self.acked + self.refused)
    }
}

/// Counters of a load, from its first message to its last.
pub(super) struct Tally {
    epoch: Instant,
    /// Latencies are recorded of messages that were sent, or due, from the first time to before the second
    recorded_us: Cell<(u64, u64)>,
    pub(super) sent: Cell<u64>,
    /// Acked with code 200
    pub(super) acked: Cell<u64>,
    pub(super) refused: Cell<u64>,
    pub(super) delivered: Cell<u64>,
    pub(super) delivered_bytes: Cell<u64>,
    pub(super) out_of_order: Cell<u64>,
    /// Connections that ended by themselves
    pub(super) closed: Cell<u64>,
    /// Frames of any kind
    pub(super) frames: Cell<u64>,
    first_trouble: RefCell<Option<String>>,
    acks: RefCell<Latencies>,
    deliveries: RefCell<Latencies>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Tally {
            epoch: Instant::now(),
            recorded_us: Cell::new((0, 0)),
            sent: Cell::new(0),
            acked: Cell::new(0),
            refused: Cell::new(0),
            delivered: Cell::new(0),
            delivered_bytes: Cell::new(0),
            out_of_order: Cell::new(0),
            closed: Cell::new(0),
            frames: Cell::new(0),
            first_trouble: RefCell::new(None),
            acks: RefCell::new(Latencies::new()),
            deliveries: RefCell::new(Latencies::new()),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            sent: self.sent.get(),
            acked: self.acked.get(),
            refused: self.refused.get(),
            delivered: self.delivered.get(),
            delivered_bytes: self.delivered_bytes.get(),
            out_of_order: self.out_of_order.get(),
            closed: self.closed.get(),
        }
    }

    /// Waits until `is_done`, or nothing has been delivered for a while.
    pub(super) async fn drain(&self, is_done: impl Fn() -> bool) {
        let begun = Instant::now();
        let mut last = (begun, self.delivered.get());
        while !is_done() && begun.elapsed() < DRAIN_TIMEOUT && last.0.elapsed() < STALLED {
            sleep(Duration::from_millis(20)).await;
            let delivered = self.delivered.get();
            if delivered != last.1 {
                last = (Instant::now(), delivered);
            }
        }
    }

    pub(super) fn now_us(&self) -> u64 {
        let elapsed: Duration = self.epoch.elapsed();
        u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
    }

    /// Forgets the latencies so far and records those of messages from now on.
    pub(super) fn start_recording(&self) {
        self.acks.borrow_mut().clear();
        self.deliveries.borrow_mut().clear();
        self.recorded_us.set((self.now_us(), u64::MAX));
    }

    /// Records no more of messages from now on, but still of earlier ones: those that are on their way are the slowest.
    pub(super) fn stop_recording(&self) {
        let (from, _) = self.recorded_us.get();
        self.recorded_us.set((from, self.now_us()));
    }

    fn is_recorded(&self, sent_us: u64) -> bool {
        let (from, until) = self.recorded_us.get();
        (from..until).contains(&sent_us)
    }

    /// Counts an ack whose message was sent at `sent_us`; returns whether it was a success.
    pub(super) fn note_ack(&self, body: &str, sent_us: u64) -> bool {
        if !packet::is_success(body) {
            add(&self.refused, 1);
            self.note_trouble(|| format!("refused: {body}"));
            return false;
        }
        add(&self.acked, 1);
        if self.is_recorded(sent_us) {
            let waited = self.now_us().saturating_sub(sent_us);
            self.acks.borrow_mut().record(waited);
        }
        true
    }

    /// Counts a delivery; `timed` if its latency matters.
    pub(super) fn note_delivery(&self, frame: &str, stamp: Stamp, in_order: bool, timed: bool) {
        add(&self.delivered, 1);
        add(&self.delivered_bytes, frame.len() as u64);
        if !in_order {
            add(&self.out_of_order, 1);
        }
        if timed && self.is_recorded(stamp.sent_us) {
            let took = self.now_us().saturating_sub(stamp.sent_us);
            self.deliveries.borrow_mut().record(took);
        }
    }

    pub(super) fn note_closed(&self, why: &anyhow::Error) {
        add(&self.closed, 1);
        self.note_trouble(|| format!("connection ended: {why:#}"));
    }

    pub(super) fn note_refused(&self, why: &anyhow::Error) {
        add(&self.refused, 1);
        self.note_trouble(|| format!("{why:#}"));
    }

    /// Keeps the first thing that went wrong, to show it.
    fn note_trouble(&self, describe: impl FnOnce() -> String) {
        let mut first = self.first_trouble.borrow_mut();
        if first.is_none() {
            *first = Some(describe());
        }
    }

    pub(super) fn first_trouble(&self) -> Option<String> {
        self.first_trouble.borrow().clone()
    }

    pub(super) fn ack_ms(&self, quantile: f64) -> f64 {
        self.acks.borrow().quantile_ms(quantile)
    }

    pub(super) fn delivery_ms(&self, quantile: f64) -> f64 {
        self.deliveries.borrow().quantile_ms(quantile)
    }
}

pub(super) fn add(counter: &Cell<u64>, by: u64) {
    counter.set(counter.get() + by);
}

#[cfg(test)]
mod tests {
    use super::Tally;

    const DONE: &str = r#"[{"code":200}]"#;

    fn wait_until(tally: &Tally, us: u64) {
        while tally.now_us() < us {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn latency_counts_from_the_time_that_is_given() {
        let tally = Tally::new();
        tally.start_recording();
        let due_us = tally.now_us();
        wait_until(&tally, due_us + 3_000);
        assert!(tally.note_ack(DONE, due_us));
        assert!(tally.ack_ms(0.5) >= 3.0);
    }

    #[test]
    fn stragglers_are_recorded_and_what_is_sent_later_is_not() {
        let tally = Tally::new();
        let early_us = tally.now_us();
        wait_until(&tally, early_us + 1);
        tally.start_recording();
        let within_us = tally.now_us();
        wait_until(&tally, within_us + 1_000);
        tally.stop_recording();
        let late_us = tally.now_us();
        tally.note_ack(DONE, early_us);
        tally.note_ack(DONE, late_us);
        assert!(tally.ack_ms(0.5).is_nan());
        tally.note_ack(DONE, within_us);
        assert!(tally.ack_ms(0.5) >= 1.0);
        assert_eq!(tally.acked.get(), 3);
    }
}
