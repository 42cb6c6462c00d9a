//! People who talk while something else happens: pairs of users at a fixed rate, whose latency says what it does to
//! others.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::DRAIN_TIMEOUT;
use super::faults::Faults;
use super::pace::{Leave, keep_rate, used_up};
use super::pairs::{Pairs, Sender, send_when_due, sign_in};
use crate::cli;
use crate::crowd::Account;
use crate::progress;
use crate::server::Server;

/// A running talk.
pub(super) struct Talk {
    pairs: Rc<Pairs>,
    leaves: Rc<Vec<Leave>>,
    senders: JoinSet<Option<Sender>>,
    receivers: JoinSet<()>,
    pacer: JoinSet<Result<()>>,
}

/// From the time when a message was due to its receiver, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delay {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Talk {
    /// Signs `accounts` in, and lets each of the first half talk to one of the second.
    pub(super) async fn begin(args: &cli::Talk, server: &Server, accounts: &[Account]) -> Result<Self> {
        let (pairs, waiting, receivers) = sign_in(accounts, server).await?;
        let leaves: Rc<Vec<Leave>> = Rc::new((0..pairs.count()).map(|_| Leave::new()).collect());
        let mut senders = JoinSet::new();
        for sender in waiting {
            senders.spawn_local(send_when_due(Rc::clone(&pairs), sender, Rc::clone(&leaves)));
        }
        let mut pacer = JoinSet::new();
        let (rate, paced, given) = (f64::from(args.rate), Rc::clone(&pairs), Rc::clone(&leaves));
        pacer.spawn_local(async move { keep_rate(&paced.tally, &given, rate).await });
        Ok(Talk { pairs, leaves, senders, receivers, pacer })
    }

    /// Forgets the delays so far, and notes those of messages from now on.
    pub(super) fn start_recording(&self) {
        self.pairs.tally.start_recording();
    }

    /// The delays of messages from then to now. Waits for those that are on their way, which are the slowest.
    pub(super) async fn delay(&self) -> Result<Delay> {
        let tally = &self.pairs.tally;
        tally.stop_recording();
        let sent = self.pairs.sent();
        tally.drain(|| self.pairs.have_received(&sent)).await;
        let trouble = tally.first_trouble().unwrap_or_default();
        let delay = Delay { p50: tally.delivery_ms(0.5), p99: tally.delivery_ms(0.99) };
        ensure!(delay.p50.is_finite(), "nobody heard anything. {trouble}");
        Ok(delay)
    }

    /// The delays of messages within so long from now.
    pub(super) async fn delay_within(&self, window: Duration) -> Result<Delay> {
        self.start_recording();
        sleep(window).await;
        self.delay().await
    }

    /// Ends the talk once everything has come; tells what has not.
    pub(super) async fn end(mut self) -> Result<Faults> {
        if let Some(ended) = self.pacer.try_join_next() {
            ended??;
        }
        self.pacer.shutdown().await;
        used_up(&self.leaves).await;
        let unsent: usize = self.leaves.iter().map(Leave::close).sum();
        // Their connections stay open until all is delivered.
        let senders = timeout(DRAIN_TIMEOUT, self.senders.join_all()).await;
        let tally = &self.pairs.tally;
        tally.drain(|| self.pairs.lost_and_extra().0 == 0).await;
        drop(senders);
        self.receivers.shutdown().await;
        if let Some(trouble) = tally.first_trouble() {
            progress::note(&trouble);
        }
        let (lost, extra) = self.pairs.lost_and_extra();
        Ok(Faults {
            lost,
            extra,
            out_of_order: tally.out_of_order.get(),
            unanswered: tally.counts().unanswered(),
            unsent: unsent as u64,
            refused: tally.refused.get(),
            closed: tally.closed.get(),
        })
    }
}
