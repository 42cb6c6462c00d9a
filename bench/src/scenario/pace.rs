//! How fast senders go: leave to send, which they wait for, and a pacer that gives it out at a fixed rate.
//!
//! The fixed rate is an open loop. A message has a time at which it is due, whatever became of those before it, and its
//! latency counts from then: a server that stalls is charged for all that waited meanwhile.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::sync::{AcquireError, Semaphore};
use tokio::time::sleep;

use super::DRAIN_TIMEOUT;
use super::tally::Tally;

const PERMITS_MAX: usize = 1 << 20;

/// One sender's leave to send.
pub(super) struct Leave {
    given: Semaphore,
    /// When each message was due, if that matters; as many as the rate gives until the phase ends
    due_us: RefCell<VecDeque<u64>>,
}

impl Leave {
    pub(super) fn new() -> Self {
        Leave { given: Semaphore::new(0), due_us: RefCell::default() }
    }

    /// For a message, as soon as its sender gets to it.
    pub(super) fn give(&self) {
        self.given.add_permits(1);
    }

    /// For a message that is due at a time, which may be over.
    fn give_at(&self, due_us: u64) {
        self.due_us.borrow_mut().push_back(due_us);
        self.given.add_permits(1);
    }

    /// Waits for leave; returns when the message was due. Safe to cancel.
    ///
    /// # Errors
    /// Once no more is given.
    pub(super) async fn take(&self) -> Result<Option<u64>, AcquireError> {
        self.given.acquire().await?.forget();
        Ok(self.due_us.borrow_mut().pop_front())
    }

    /// Takes back what was not used.
    pub(super) fn withdraw(&self) {
        self.given.forget_permits(PERMITS_MAX);
        self.due_us.borrow_mut().clear();
    }

    fn is_used_up(&self) -> bool {
        self.given.available_permits() == 0
    }

    /// Ends it; returns how many messages were due and not sent.
    pub(super) fn close(&self) -> usize {
        self.given.close();
        self.due_us.borrow().len()
    }
}

/// Gives leave to one sender after the other, `rate` times a second in even steps, until its task is ended.
pub(super) async fn keep_rate(tally: &Tally, leaves: &[Leave], rate: f64) -> Result<()> {
    let alarm = Alarm::new()?;
    let start_us = tally.now_us();
    let due_us = |number: usize| start_us + (number as f64 * 1e6 / rate) as u64;
    let mut number = 0;
    loop {
        let now_us = tally.now_us();
        while due_us(number) <= now_us {
            leaves[number % leaves.len()].give_at(due_us(number));
            number += 1;
        }
        alarm.after(Duration::from_micros(due_us(number) - now_us)).await?;
    }
}

/// Gives senders who are behind the time to catch up, within a limit.
pub(super) async fn used_up(leaves: &[Leave]) {
    let begun = Instant::now();
    while !leaves.iter().all(Leave::is_used_up) && begun.elapsed() < DRAIN_TIMEOUT {
        sleep(Duration::from_millis(5)).await;
    }
}

/// A clock that wakes to the microsecond. The runtime's own has steps of a millisecond, which is more than a server
/// may take for an answer.
struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    #[expect(deprecated, reason = "sound here, as an OwnedFd stays open; what replaces it is unsafe to call")]
    fn new() -> Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Alarm(AsyncFd::new(timer)?))
    }

    /// Waits for `delay`, which must not be 0.
    async fn after(&self, delay: Duration) -> Result<()> {
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: delay.try_into()? };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut expirations = [0; 8];
            match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?)) {
                Ok(read) => return read.map(|_| ()).map_err(Into::into),
                Err(_would_block) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Leave, keep_rate};
    use crate::scenario::tally::Tally;

    #[tokio::test(flavor = "current_thread")]
    async fn messages_are_due_in_even_steps_however_late_they_are_taken() {
        let tally = Tally::new();
        let leaves = [Leave::new(), Leave::new()];
        let takers = async {
            // Nobody takes leave until much of it is due; a closed loop would have given one.
            while leaves[0].due_us.borrow().len() < 20 {
                tokio::task::yield_now().await;
            }
            let mut due = Vec::new();
            for turn in 0..20 {
                let when = leaves[turn % 2].take().await.expect("open");
                due.push(when.expect("a time"));
            }
            due
        };
        let due = tokio::select! {
            due = takers => due,
            paced = keep_rate(&tally, &leaves, 10_000.0) => panic!("it ended: {paced:?}"),
        };
        let steps: Vec<_> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(steps, [100; 19]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_withdrawn_or_closed_is_not_sent() {
        let leave = Leave::new();
        leave.give_at(1);
        leave.withdraw();
        let taken = tokio::time::timeout(Duration::ZERO, leave.take()).await;
        assert!(taken.is_err(), "there is no leave");
        leave.give_at(2);
        leave.give_at(3);
        assert_eq!(leave.take().await.expect("open"), Some(2));
        assert_eq!(leave.close(), 1);
        assert!(leave.take().await.is_err());
    }
}
