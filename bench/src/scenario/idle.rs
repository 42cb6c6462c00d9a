//! `idle`: connections that do nothing but answer pings, signed in where the server knows users.
//! What counts is the server's resident memory for each.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Bench;
use super::tally::add;
use crate::cli::Idle;
use crate::client::Client;
use crate::crowd::{self, Account};
use crate::figures::{Comparison, Metric, Run};
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

pub(crate) const NAME: &str = "idle";
const SUBJECTS: [Subject; 5] =
    [Subject::Nodeim, Subject::NodeimSio09, Subject::NodeimMumichat, Subject::Node, Subject::Bare];

const SAMPLE_EVERY: Duration = Duration::from_millis(500);
const STABLE_SAMPLES: usize = 5;
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) const MEMORY: Metric = Metric::new("kib_per_connection", "KiB/connection");
const COMPARISONS: [Comparison; 5] = [
    Comparison::value(NAME, MEMORY, Subject::Nodeim).at_most(32.0),
    // 16 KB
    Comparison::value(NAME, MEMORY, Subject::NodeimSio09).at_most(15.63),
    Comparison::value(NAME, MEMORY, Subject::NodeimMumichat).at_most(15.63),
    Comparison::ratio(NAME, MEMORY, Subject::Nodeim, Subject::Node).aims_at_most(1.0),
    Comparison::ratio(NAME, MEMORY, Subject::Nodeim, Subject::Bare),
];

pub(crate) async fn run(bench: &Bench, args: &Idle, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(args.connections)?;
    let subjects = bench.chosen(&SUBJECTS);
    for (round, subject) in bench.schedule(&subjects) {
        report.add(measure(bench, args, round, subject).await?);
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(bench: &Bench, args: &Idle, round: u32, subject: Subject) -> Result<Run> {
    let count = args.connections as usize;
    let dir = bench.data_dir()?;
    let mut server = bench.start(subject, &dir, 0).await?;
    let mut accounts: Vec<Account> = Vec::new();
    if subject.is_nodeim() {
        bench.progress(NAME, round, subject, "signing up");
        accounts = crowd::sign_up(server.addr(), count).await?;
        // What signing up left in the allocator would otherwise hide what connections take.
        server.stop().await?;
        server = bench.start(subject, &dir, 0).await?;
    }
    let before = settled(&server).await?;

    bench.progress(NAME, round, subject, "connecting");
    let begun = Instant::now();
    let clients = if subject.is_nodeim() {
        crowd::sign_in_over(subject.wire(), server.addr(), &accounts).await?
    } else {
        crowd::connect_only(server.addr(), count).await?
    };
    let connecting = begun.elapsed();

    let closed = Rc::new(Cell::new(0));
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn_local(hold(client, Rc::clone(&closed)));
    }
    bench.progress(NAME, round, subject, "holding");
    let with = settled(&server).await?;
    let held = count as u64 - closed.get();
    ensure!(held > 0, "the server closed everything: {}", server.log_tail());
    let closed = closed.get();
    tasks.shutdown().await;
    server.stop().await?;

    let growth = with.saturating_sub(before) as f64 / 1024.0;
    let mut run = Run::new(NAME, subject, round);
    run.put(MEMORY, growth / held as f64);
    run.put(Metric::new("rss_before_mib", "resident before, MiB"), before as f64 / f64::from(1 << 20));
    run.put(Metric::new("rss_with_mib", "resident with all, MiB"), with as f64 / f64::from(1 << 20));
    run.put(Metric::new("connects_per_s", "connects (and sign-ins)/s"), count as f64 / connecting.as_secs_f64());
    run.put(Metric::new("held", "connections held"), held as f64);
    run.put(Metric::CLOSED, closed as f64);
    Ok(run)
}

/// Answers pings until its task is ended.
async fn hold(mut client: Client, closed: Rc<Cell<u64>>) {
    while client.recv().await.is_ok() {}
    add(&closed, 1);
}

/// Resident memory once it has stayed within 0.2 % for some samples.
async fn settled(server: &Server) -> Result<u64> {
    let begun = Instant::now();
    let mut reference = server.rss_bytes()?;
    let mut stable = 0;
    while stable < STABLE_SAMPLES && begun.elapsed() < SETTLE_TIMEOUT {
        sleep(SAMPLE_EVERY).await;
        let now = server.rss_bytes()?;
        if now.abs_diff(reference) <= reference / 500 {
            stable += 1;
        } else {
            (reference, stable) = (now, 0);
        }
    }
    server.rss_bytes()
}
