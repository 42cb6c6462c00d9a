//! `room`: a large room whose members check that every message comes, once and in order; at an everyday rate, then with
//! one busy sender, then with many. And a small room, saturated. What counts is how many deliveries a second there are,
//! and the server's CPU time for each.

mod members;

use std::rc::Rc;

use anyhow::{Result, bail, ensure};
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::members::{Load, Size, gather};
use super::Bench;
use super::pace::{keep_rate, used_up};
use super::tally::Counts;
use crate::cli::Room;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Mark, Window};
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

pub(crate) const EVERYDAY: &str = "room, everyday";
const ONE_SENDER: &str = "room, one busy sender";
pub(crate) const SATURATED: &str = "room, saturated";
pub(crate) const SMALL: &str = "small room, saturated";
const IN_LARGE: [Subject; 6] =
    [Subject::Nodeim, Subject::NodeimSio09, Subject::NodeSqlite, Subject::Node, Subject::Bare, Subject::Raw];
const IN_SMALL: [Subject; 5] = [Subject::Nodeim, Subject::NodeSqlite, Subject::Node, Subject::Bare, Subject::Raw];

pub(crate) const CPU: Metric = Metric::new("server_us_per_delivery", "server CPU/delivery, µs");
pub(crate) const DELIVERIES: Metric = Metric::new("deliveries_per_s", "deliveries/s");

const COMPARISONS: [Comparison; 11] = [
    Comparison::ratio(EVERYDAY, CPU, Subject::Nodeim, Subject::Bare).at_most(1.2).aims_at_most(0.7),
    Comparison::ratio(SATURATED, DELIVERIES, Subject::Nodeim, Subject::NodeSqlite).at_least(5.0),
    Comparison::ratio(SATURATED, DELIVERIES, Subject::Nodeim, Subject::Bare).at_least(0.7).aims_at_least(1.0),
    Comparison::ratio(SATURATED, CPU, Subject::Nodeim, Subject::Bare).at_most(1.5),
    Comparison::ratio(SATURATED, DELIVERIES, Subject::Bare, Subject::Raw),
    Comparison::ratio(ONE_SENDER, CPU, Subject::Nodeim, Subject::Bare).at_most(1.5),
    Comparison::ratio(SMALL, DELIVERIES, Subject::Nodeim, Subject::NodeSqlite).at_least(4.0),
    Comparison::ratio(SMALL, DELIVERIES, Subject::Nodeim, Subject::Bare).aims_at_least(0.6),
    Comparison::ratio(SMALL, DELIVERIES, Subject::Bare, Subject::Raw),
    Comparison::ratio(EVERYDAY, CPU, Subject::NodeimSio09, Subject::Nodeim).at_most(1.0),
    Comparison::ratio(SATURATED, CPU, Subject::NodeimSio09, Subject::Nodeim).at_most(1.0),
];

/// A room, and what happens in it, one after the other.
struct Scene {
    size: Size,
    paces: Vec<(&'static str, Pace)>,
    subjects: &'static [Subject],
}

impl Scene {
    fn of(args: &Room) -> [Self; 2] {
        let Room { members, senders, small_members, rate, window, .. } = *args;
        let small_senders = senders.min(small_members);
        [
            Scene {
                size: Size { members, senders },
                paces: vec![
                    (EVERYDAY, Pace::Rate(rate)),
                    (ONE_SENDER, Pace::Window { window, senders: 1 }),
                    (SATURATED, Pace::Window { window, senders: senders as usize }),
                ],
                subjects: &IN_LARGE,
            },
            Scene {
                size: Size { members: small_members, senders: small_senders },
                paces: vec![(SMALL, Pace::Window { window, senders: small_senders as usize })],
                subjects: &IN_SMALL,
            },
        ]
    }
}

pub(crate) async fn run(bench: &Bench, args: &Room, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(args.members)?;
    ensure!(args.senders <= args.members, "more senders than members");
    for scene in Scene::of(args) {
        let subjects = bench.chosen(scene.subjects);
        // Peers broadcast frames as long as nodeim's were; nodeim comes first in round 1.
        let mut frame_bytes = 0;
        for (round, subject) in bench.schedule(&subjects) {
            for run in measure(bench, &scene, round, subject, &mut frame_bytes).await? {
                report.add(run);
            }
        }
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(
    bench: &Bench,
    scene: &Scene,
    round: u32,
    subject: Subject,
    frame_bytes: &mut usize,
) -> Result<Vec<Run>> {
    let dir = bench.data_dir()?;
    let server = bench.start(subject, &dir, *frame_bytes).await?;
    bench.progress("room", round, subject, "signing up and in, joining");
    let (load, tasks) = gather(scene.size, subject.wire(), &server).await?;

    let mut runs = Vec::new();
    for &(scenario, pace) in &scene.paces {
        // What that shows is how nodeim keeps the order of one sender's messages.
        if scenario == ONE_SENDER && !matches!(subject, Subject::Nodeim | Subject::Bare) {
            continue;
        }
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
        bench.trouble("room", round, subject, &trouble);
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
            pacer.spawn_local(async move { keep_rate(&load.tally, &load.leaves[..1], f64::from(rate)).await });
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

    if let Some(ended) = pacer.try_join_next() {
        ended??;
    }
    pacer.shutdown().await;
    if let Pace::Rate(_) = pace {
        used_up(&load.leaves).await;
    }
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
        run.put(DELIVERIES, window.per_second(measured.delivered));
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
