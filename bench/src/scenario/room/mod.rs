//! `room`: one large room whose members check that every message comes, once and in order; at an
//! everyday rate, then with one busy sender, then with many. What counts is the server's CPU time
//! for each delivery.

mod members;

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::members::{Load, gather};
use super::Bench;
use super::tally::Counts;
use crate::cli::Room;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Mark, Window};
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

const EVERYDAY: &str = "room, everyday";
const ONE_SENDER: &str = "room, one busy sender";
const SATURATED: &str = "room, saturated";
const SUBJECTS: [Subject; 3] = [Subject::Nodeim, Subject::NodeimSio09, Subject::Bare];

const CPU: Metric = Metric::new("server_us_per_delivery", "server CPU/delivery, µs");
const COMPARISONS: [Comparison; 5] = [
    Comparison::ratio(EVERYDAY, CPU, Subject::Nodeim, Subject::Bare).at_most(1.5),
    Comparison::ratio(ONE_SENDER, CPU, Subject::Nodeim, Subject::Bare).at_most(1.5),
    Comparison::ratio(SATURATED, CPU, Subject::Nodeim, Subject::Bare).at_most(1.5),
    Comparison::ratio(EVERYDAY, CPU, Subject::NodeimSio09, Subject::Nodeim).at_most(1.0),
    Comparison::ratio(SATURATED, CPU, Subject::NodeimSio09, Subject::Nodeim).at_most(1.0),
];

pub(crate) async fn run(bench: &Bench, args: &Room, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(args.members)?;
    ensure!(args.senders <= args.members, "more senders than members");
    let subjects = bench.chosen(&SUBJECTS);
    // The bare peer broadcasts frames as long as nodeim's were; nodeim comes first in round 1.
    let mut frame_bytes = 0;
    for (round, subject) in bench.schedule(&subjects) {
        for run in measure(bench, args, round, subject, &mut frame_bytes).await? {
            report.add(run);
        }
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(
    bench: &Bench,
    args: &Room,
    round: u32,
    subject: Subject,
    frame_bytes: &mut usize,
) -> Result<Vec<Run>> {
    let dir = bench.data_dir()?;
    let server = bench.start(subject, &dir, *frame_bytes).await?;
    bench.progress("room", round, subject, "signing up and in, joining");
    let (load, tasks) = gather(args, subject.wire(), &server).await?;

    let window = args.window;
    let senders = load.permits.len();
    let mut runs = Vec::new();
    for (scenario, pace) in [
        (EVERYDAY, Pace::Rate(args.rate)),
        (ONE_SENDER, Pace::Window { window, senders: 1 }),
        (SATURATED, Pace::Window { window, senders }),
    ] {
        bench.progress(scenario, round, subject, "sending");
        let outcome = phase(bench, &load, &server, pace).await?;
        runs.push(outcome.run(scenario, subject, round, load.members));
        if subject == Subject::Nodeim {
            *frame_bytes = outcome.frame_bytes().round() as usize;
        }
    }
    drop(tasks);
    server.stop().await?;
    if let Some(trouble) = load.tally.first_trouble() {
        bench.progress("room", round, subject, &trouble);
    }
    Ok(runs)
}

/// How fast the senders go.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Messages per second, from one sender
    Rate(u32),
    /// Messages that may be on their way
    Window { window: u32, senders: usize },
}

/// What one pace gave.
struct Outcome {
    window: Window,
    /// Within the window
    measured: Counts,
    /// From the first message to the last straggler
    whole: Counts,
    ack_ms: [f64; 2],
    delivery_ms: [f64; 2],
}

async fn phase(bench: &Bench, load: &Rc<Load>, server: &Server, pace: Pace) -> Result<Outcome> {
    let tally = &load.tally;
    let before = tally.counts();
    let mut pacer = JoinSet::new();
    match pace {
        Pace::Rate(rate) => {
            load.timed_every.set(1);
            let load = Rc::clone(load);
            pacer.spawn_local(async move {
                let mut ticks = interval(Duration::from_secs(1) / rate);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                loop {
                    ticks.tick().await;
                    load.permits[0].add_permits(1);
                }
            });
        }
        Pace::Window { window, senders } => {
            // Reading the clock for each of a million deliveries a second would slow the generator.
            load.timed_every.set(8);
            load.open_window(window, senders);
        }
    }
    sleep(bench.warmup).await;
    tally.start_recording();
    let counts = tally.counts();
    let mark = Mark::now(server)?;
    sleep(bench.window).await;
    let window = mark.until_now(server)?;
    let measured = tally.counts() - counts;
    tally.stop_recording();

    pacer.shutdown().await;
    load.close();
    tally
        .drain(|| {
            let so_far = tally.counts() - before;
            so_far.unanswered() == 0 && so_far.delivered >= so_far.acked * load.members
        })
        .await;
    if measured.delivered == 0 {
        let trouble = tally.first_trouble().unwrap_or_default();
        bail!("nothing was delivered. {trouble} {}", server.log_tail());
    }
    Ok(Outcome {
        window,
        measured,
        whole: tally.counts() - before,
        ack_ms: [tally.ack_ms(0.5), tally.ack_ms(0.99)],
        delivery_ms: [tally.delivery_ms(0.5), tally.delivery_ms(0.99)],
    })
}

impl Outcome {
    fn frame_bytes(&self) -> f64 {
        self.whole.delivered_bytes as f64 / self.whole.delivered as f64
    }

    fn run(&self, scenario: &'static str, subject: Subject, round: u32, members: u64) -> Run {
        let Outcome { window, measured, whole, .. } = self;
        // Not only of what was acked: who is in the room gets a message whether its ack got through or not.
        let expected = whole.sent.saturating_sub(whole.refused) * members;
        let mut run = Run::new(scenario, subject, round);
        run.put(CPU, window.server_us_per(measured.delivered));
        run.put(Metric::new("deliveries_per_s", "deliveries/s"), window.per_second(measured.delivered));
        run.put(Metric::new("acked_per_s", "acked messages/s"), window.per_second(measured.acked));
        run.put(Metric::new("ack_p50_ms", "ack p50, ms"), self.ack_ms[0]);
        run.put(Metric::new("ack_p99_ms", "ack p99, ms"), self.ack_ms[1]);
        run.put(Metric::new("delivery_p50_ms", "sender to receiver p50, ms"), self.delivery_ms[0]);
        run.put(Metric::new("delivery_p99_ms", "sender to receiver p99, ms"), self.delivery_ms[1]);
        window.put_loads(&mut run);
        run.put(Metric::new("frame_bytes", "bytes/frame"), self.frame_bytes());
        run.put(Metric::new("delivered", "delivered, whole run"), whole.delivered as f64);
        run.put(Metric::LOST, expected.saturating_sub(whole.delivered) as f64);
        run.put(Metric::EXTRA, whole.delivered.saturating_sub(expected) as f64);
        run.put(Metric::OUT_OF_ORDER, whole.out_of_order as f64);
        run.put(Metric::UNANSWERED, whole.unanswered() as f64);
        run.put(Metric::REFUSED, whole.refused as f64);
        run.put(Metric::CLOSED, whole.closed as f64);
        run
    }
}
