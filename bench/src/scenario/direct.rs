//! `direct`: pairs of users; each sender has one message in flight to its own receiver, acked once it is durable.
//! Then the same people at fixed rates, which are shares of what the server has just shown that it can do.

use std::rc::Rc;

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::pace::{Leave, keep_rate, used_up};
use super::pairs::{Pairs, Sender, send_at_acks, send_when_due, sign_in};
use super::tally::Counts;
use super::{Bench, DRAIN_TIMEOUT};
use crate::cli::Direct;
use crate::crowd;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Mark, Window};
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

pub(crate) const SATURATED: &str = "direct";
pub(crate) const AT_A_FIFTH: &str = "direct, 20 % of that rate";
pub(crate) const AT_HALF: &str = "direct, 50 % of that rate";
const SUBJECTS: [Subject; 8] = [
    Subject::Nodeim,
    Subject::NodeimUnbatched,
    Subject::NodeimPg,
    Subject::NodeimPgUnbatched,
    Subject::NodeSqlite,
    Subject::Node,
    Subject::Bare,
    Subject::Raw,
];

pub(crate) const ACKED: Metric = Metric::new("acked_per_s", "acked messages/s");
pub(crate) const ACK_P50: Metric = Metric::new("ack_p50_ms", "ack p50, ms");
pub(crate) const DELIVERY_P99: Metric = Metric::new("delivery_p99_ms", "sender to receiver p99, ms");

const COMPARISONS: [Comparison; 8] = [
    Comparison::ratio(SATURATED, ACKED, Subject::Nodeim, Subject::NodeSqlite).at_least(4.0),
    Comparison::ratio(SATURATED, ACKED, Subject::Nodeim, Subject::Bare).at_least(0.5).aims_at_least(0.8),
    Comparison::ratio(SATURATED, ACKED, Subject::Nodeim, Subject::NodeimUnbatched).at_least(5.0),
    Comparison::ratio(SATURATED, ACKED, Subject::NodeimPg, Subject::NodeimPgUnbatched).at_least(3.0),
    Comparison::ratio(SATURATED, ACKED, Subject::Bare, Subject::Raw),
    Comparison::value(AT_A_FIFTH, ACK_P50, Subject::Nodeim).at_most(2.0),
    Comparison::ratio(AT_HALF, DELIVERY_P99, Subject::Nodeim, Subject::NodeSqlite).at_most(1.0),
    Comparison::difference(AT_HALF, DELIVERY_P99, Subject::Nodeim, Subject::Bare).aims_at_most(5.0),
];

/// A load at a share of the saturated rate.
struct Share {
    scenario: &'static str,
    of_saturated: f64,
    subjects: &'static [Subject],
}

const SHARES: [Share; 2] = [
    Share {
        scenario: AT_A_FIFTH,
        of_saturated: 0.2,
        subjects: &[
            Subject::Nodeim,
            Subject::NodeimPg,
            Subject::NodeSqlite,
            Subject::Node,
            Subject::Bare,
            Subject::Raw,
        ],
    },
    Share { scenario: AT_HALF, of_saturated: 0.5, subjects: &[Subject::Nodeim, Subject::NodeSqlite, Subject::Bare] },
];

pub(crate) async fn run(bench: &Bench, args: &Direct, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(2 * args.pairs)?;
    let subjects = bench.chosen(&SUBJECTS);
    for (round, subject) in bench.schedule(&subjects) {
        for run in measure(bench, args, round, subject).await? {
            report.add(run);
        }
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(bench: &Bench, args: &Direct, round: u32, subject: Subject) -> Result<Vec<Run>> {
    let dir = bench.data_dir()?;
    let server = bench.start(subject, &dir, 0).await?;
    bench.progress(SATURATED, round, subject, "signing up and in");
    let accounts = crowd::sign_up(server.addr(), 2 * args.pairs as usize).await?;
    let (pairs, mut senders, mut receiving) = sign_in(&accounts, &server).await?;

    bench.progress(SATURATED, round, subject, "sending");
    let saturated = phase(bench, &server, &pairs, &mut senders, Pace::Acks).await?;
    let mut runs = vec![saturated.run(SATURATED, subject, round)];
    for share in SHARES.iter().filter(|share| share.subjects.contains(&subject)) {
        bench.progress(share.scenario, round, subject, "sending");
        let rate = share.of_saturated * saturated.acked_per_s();
        let outcome = phase(bench, &server, &pairs, &mut senders, Pace::Rate(rate)).await?;
        runs.push(outcome.run(share.scenario, subject, round));
    }
    receiving.shutdown().await;
    server.stop().await?;
    if let Some(trouble) = pairs.tally.first_trouble() {
        bench.trouble(SATURATED, round, subject, &trouble);
    }
    Ok(runs)
}

/// How fast the senders go.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Each sends the next message at the ack
    Acks,
    /// Messages per second, of all together
    Rate(f64),
}

/// What one pace gave.
struct Outcome {
    pace: Pace,
    window: Window,
    /// Within the window
    acked: u64,
    /// From the first message to the last straggler
    whole: Counts,
    lost: u64,
    extra: u64,
    /// Due, and not even sent
    unsent: usize,
    ack_ms: [f64; 2],
    delivery_ms: [f64; 2],
}

async fn phase(
    bench: &Bench,
    server: &Server,
    pairs: &Rc<Pairs>,
    senders: &mut Vec<Sender>,
    pace: Pace,
) -> Result<Outcome> {
    let tally = &pairs.tally;
    let before = tally.counts();
    pairs.start_over();
    let leaves: Rc<Vec<Leave>> = Rc::new((0..pairs.count()).map(|_| Leave::new()).collect());
    let mut sending = JoinSet::new();
    let mut pacer = JoinSet::new();
    for sender in senders.drain(..) {
        match pace {
            Pace::Acks => sending.spawn_local(send_at_acks(Rc::clone(pairs), sender)),
            Pace::Rate(_) => sending.spawn_local(send_when_due(Rc::clone(pairs), sender, Rc::clone(&leaves))),
        };
    }
    if let Pace::Rate(rate) = pace {
        let (pairs, leaves) = (Rc::clone(pairs), Rc::clone(&leaves));
        pacer.spawn_local(async move { keep_rate(&pairs.tally, &leaves, rate).await });
    }

    sleep(bench.warmup).await;
    tally.start_recording();
    let acked_before = tally.acked.get();
    let mark = Mark::now(server)?;
    sleep(bench.window).await;
    let window = mark.until_now(server)?;
    let acked = tally.acked.get() - acked_before;
    tally.stop_recording();

    pairs.stop.set(true);
    if let Some(ended) = pacer.try_join_next() {
        ended??;
    }
    pacer.shutdown().await;
    used_up(&leaves).await;
    let unsent = leaves.iter().map(Leave::close).sum();
    // Their connections stay open until all is delivered: a sender's leaving is work for the server, too.
    if let Ok(remaining) = timeout(DRAIN_TIMEOUT, sending.join_all()).await {
        senders.extend(remaining.into_iter().flatten());
    }
    tally.drain(|| pairs.lost_and_extra().0 == 0).await;
    if acked == 0 {
        let trouble = tally.first_trouble().unwrap_or_default();
        bail!("nothing was acked. {trouble} {}", server.log_tail());
    }
    let (lost, extra) = pairs.lost_and_extra();
    Ok(Outcome {
        pace,
        window,
        acked,
        whole: tally.counts() - before,
        lost,
        extra,
        unsent,
        ack_ms: [tally.ack_ms(0.5), tally.ack_ms(0.99)],
        delivery_ms: [tally.delivery_ms(0.5), tally.delivery_ms(0.99)],
    })
}

impl Outcome {
    fn acked_per_s(&self) -> f64 {
        self.window.per_second(self.acked)
    }

    fn run(&self, scenario: &'static str, subject: Subject, round: u32) -> Run {
        let Outcome { window, whole, .. } = self;
        let mut run = Run::new(scenario, subject, round);
        if let Pace::Rate(rate) = self.pace {
            run.put(Metric::new("due_per_s", "messages due/s"), rate);
        }
        run.put(ACKED, self.acked_per_s());
        run.put(ACK_P50, self.ack_ms[0]);
        run.put(Metric::new("ack_p99_ms", "ack p99, ms"), self.ack_ms[1]);
        run.put(Metric::new("delivery_p50_ms", "sender to receiver p50, ms"), self.delivery_ms[0]);
        run.put(DELIVERY_P99, self.delivery_ms[1]);
        run.put(Metric::new("server_us_per_message", "server CPU/message, µs"), window.server_us_per(self.acked));
        window.put_loads(&mut run);
        run.put(Metric::new("delivered", "delivered, whole run"), whole.delivered as f64);
        run.put(Metric::LOST, self.lost as f64);
        run.put(Metric::EXTRA, self.extra as f64);
        run.put(Metric::OUT_OF_ORDER, whole.out_of_order as f64);
        run.put(Metric::UNANSWERED, whole.unanswered() as f64);
        if let Pace::Rate(_) = self.pace {
            run.put(Metric::UNSENT, self.unsent as f64);
        }
        run.put(Metric::REFUSED, whole.refused as f64);
        run.put(Metric::CLOSED, whole.closed as f64);
        run
    }
}
