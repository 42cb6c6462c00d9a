//! `replay`: somebody signs in who has missed a great many messages, while neighbours talk. An old client is handed all
//! of them; a modern one asks for them with `resume`, reply by reply. What counts is what the neighbours notice, and the
//! server's memory.

mod missed;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use self::missed::{Missed, leave};
use super::Bench;
use super::talk::Talk;
use crate::cli;
use crate::client::Client;
use crate::crowd::{self, Account};
use crate::database;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::Mark;
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

const HANDED: &str = "replay, old client";
const ASKED: &str = "replay, resume";
/// Not on PostgreSQL: there is no way around the search index, which would be made of the missed messages all along.
const SUBJECTS: [Subject; 1] = [Subject::Nodeim];

const REPLAY_TIMEOUT: Duration = Duration::from_secs(120);
/// For what comes twice to come.
const AFTERWARDS: Duration = Duration::from_millis(500);

const GROWTH: Metric = Metric::new("growth_mib", "peak above resting memory, MiB");
const P99: Metric = Metric::new("with_p99_ms", "neighbours' p99 during it, ms");
const COMPARISONS: [Comparison; 4] = [
    // The caches of the database's connections (8 of 2 MiB), and an outbox (8 MiB), however much was missed
    Comparison::value(HANDED, GROWTH, Subject::Nodeim).at_most(32.0),
    Comparison::value(ASKED, GROWTH, Subject::Nodeim).at_most(32.0),
    // What people do not notice
    Comparison::value(HANDED, P99, Subject::Nodeim).at_most(50.0),
    Comparison::value(ASKED, P99, Subject::Nodeim).at_most(50.0),
];

/// Who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returning {
    /// A client of 2013, which is handed what it missed
    Old,
    /// A modern one, which asks for it
    Modern,
}

/// Those of one replay, and who wrote to them. The neighbours of one are not those of another: what they have heard
/// last they would hear again, as their connections just break.
struct Cast {
    returning: Account,
    neighbours: Vec<Account>,
}

pub(crate) async fn run(bench: &Bench, args: &cli::Replay, talk: &cli::Talk, report: &mut Report) -> Result<()> {
    ensure!(args.missed.is_multiple_of(args.senders), "as many messages from every sender: not so with these numbers");
    bench.machine.check_descriptors(args.senders + 2 * talk.pairs)?;
    let subjects = bench.chosen(&SUBJECTS);
    for (round, subject) in bench.schedule(&subjects) {
        let dir = bench.data_dir()?;
        bench.progress("replay", round, subject, "sending what will have been missed");
        let (senders, casts) = prepare(bench, args, talk, subject, &dir).await?;
        for (cast, (scenario, client)) in casts.iter().zip([(HANDED, Returning::Old), (ASKED, Returning::Modern)]) {
            bench.progress(scenario, round, subject, "coming back");
            let server = bench.start(subject, &dir, 0).await?;
            let mut missed = Missed::new(&senders, args.missed / args.senders);
            let mut run = Run::new(scenario, subject, round);
            measure(bench, talk, &server, cast, client, &mut missed, &mut run).await?;
            server.stop().await?;
            report.add(run);
        }
    }
    report.compare(&COMPARISONS);
    Ok(())
}

/// Makes everybody, and has the senders write to those who will come back.
async fn prepare(
    bench: &Bench,
    args: &cli::Replay,
    talk: &cli::Talk,
    subject: Subject,
    dir: &TempDir,
) -> Result<(Vec<Account>, [Cast; 2])> {
    let server = bench.start(subject, dir, 0).await?;
    let senders = crowd::sign_up(server.addr(), args.senders as usize).await?;
    let [old, modern] = [(); 2].map(|()| async {
        let mut neighbours = crowd::sign_up(server.addr(), 1 + 2 * talk.pairs as usize).await?;
        let returning = neighbours.pop().context("nobody to come back")?;
        leave(&server, &senders, &returning, args.missed / args.senders).await?;
        anyhow::Ok(Cast { returning, neighbours })
    });
    let casts = [old.await?, modern.await?];
    server.stop().await?;
    // It was all said long ago: the search index is up to date, and making it disturbs nobody.
    database::mark_indexed(dir.path()).await?;
    Ok((senders, casts))
}

async fn measure(
    bench: &Bench,
    talk: &cli::Talk,
    server: &Server,
    cast: &Cast,
    returning: Returning,
    missed: &mut Missed,
    run: &mut Run,
) -> Result<()> {
    let talk = Talk::begin(talk, server, &cast.neighbours).await?;
    sleep(bench.warmup).await;
    let without = talk.delay_within(bench.window).await?;

    let resting = server.rss_bytes()?;
    server.forget_peak()?;
    talk.start_recording();
    let mark = Mark::now(server)?;
    let replay = async {
        let mut client = Client::connect(server.addr()).await?;
        match returning {
            Returning::Old => {
                cast.returning.sign_in(&mut client).await?;
                missed.listen(&mut client).await?;
            }
            Returning::Modern => {
                cast.returning.sign_in_modern(&mut client).await?;
                missed.ask(&mut client).await?;
            }
        }
        anyhow::Ok(client)
    };
    // Past the limit, what has not come is lost.
    let client = timeout(REPLAY_TIMEOUT, Box::pin(replay)).await;
    let window = mark.until_now(server)?;
    let peak = server.peak_rss_bytes()?;
    let with = talk.delay().await?;
    let mut client = client.ok().transpose()?;
    if let Some(client) = &mut client {
        missed.hear_the_rest(client, AFTERWARDS).await?;
    }
    let afterwards = server.rss_bytes()?;

    const MIB: f64 = (1 << 20) as f64;
    run.put(Metric::new("missed_per_s", "missed messages/s"), window.per_second(missed.received()));
    run.put(Metric::new("replay_s", "whole replay, s"), window.seconds());
    run.put(Metric::new("server_us_per_message", "server CPU/message, µs"), window.server_us_per(missed.received()));
    window.put_loads(run);
    run.put(Metric::new("resting_mib", "resting memory, MiB"), resting as f64 / MIB);
    run.put(GROWTH, peak.saturating_sub(resting) as f64 / MIB);
    run.put(Metric::new("kept_mib", "kept of it afterwards, MiB"), (afterwards as f64 - resting as f64) / MIB);
    run.put(Metric::new("without_p50_ms", "neighbours' p50 without, ms"), without.p50);
    run.put(Metric::new("without_p99_ms", "neighbours' p99 without, ms"), without.p99);
    run.put(Metric::new("with_p50_ms", "neighbours' p50 during it, ms"), with.p50);
    run.put(P99, with.p99);
    let mut faults = talk.end().await?;
    faults += missed.faults();
    faults.put(run);
    drop(client);
    Ok(())
}
