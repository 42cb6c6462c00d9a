//! `mixed`: people talk, and others sign in with their passwords meanwhile, which costs the server tens of milliseconds
//! of CPU each. What counts is whether those who talk notice.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::Bench;
use super::talk::Talk;
use super::tally::{Tally, add};
use crate::cli;
use crate::client::Client;
use crate::crowd::{self, Account};
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Latencies, Mark};
use crate::report::Report;
use crate::subject::Subject;

const NAME: &str = "mixed";
const SUBJECTS: [Subject; 2] = [Subject::Nodeim, Subject::NodeimPg];

/// The server's default, and so what it costs in production.
const BCRYPT_COST: u32 = 10;
/// Accounts that sign in, in turns.
const ACCOUNTS: usize = 16;

const P99_TIMES: Metric = Metric::new("p99_times", "p99, times that without");
const COMPARISONS: [Comparison; 2] =
    [Comparison::value(NAME, P99_TIMES, Subject::Nodeim), Comparison::value(NAME, P99_TIMES, Subject::NodeimPg)];

/// What those who sign in count together.
struct SignIns {
    tally: Tally,
    done: Cell<u64>,
    waited: RefCell<Latencies>,
}

pub(crate) async fn run(bench: &Bench, args: &cli::Mixed, talk: &cli::Talk, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(2 * talk.pairs + 1_000)?;
    let subjects = bench.chosen(&SUBJECTS);
    for (round, subject) in bench.schedule(&subjects) {
        report.add(measure(bench, args, talk, round, subject).await?);
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(bench: &Bench, args: &cli::Mixed, talk: &cli::Talk, round: u32, subject: Subject) -> Result<Run> {
    let dir = bench.data_dir()?;
    bench.progress(NAME, round, subject, "signing up");
    let server = bench.start(subject, &dir, 0).await?;
    let talkers = crowd::sign_up(server.addr(), 2 * talk.pairs as usize).await?;
    server.stop().await?;
    let server = bench.start_with_bcrypt_cost(subject, &dir, BCRYPT_COST).await?;
    let accounts = crowd::sign_up(server.addr(), ACCOUNTS).await?;

    bench.progress(NAME, round, subject, "talking");
    let talk = Talk::begin(talk, &server, &talkers).await?;
    sleep(bench.warmup).await;
    let mark = Mark::now(&server)?;
    let without = talk.delay_within(bench.window).await?;
    let load_without = mark.until_now(&server)?.server_load();

    bench.progress(NAME, round, subject, "talking, while others sign in");
    let sign_ins = Rc::new(SignIns { tally: Tally::new(), done: Cell::new(0), waited: RefCell::new(Latencies::new()) });
    let mut signing = JoinSet::new();
    signing.spawn_local(keep_signing_in(server.addr(), accounts, args.sign_ins, Rc::clone(&sign_ins)));
    sleep(bench.warmup).await;
    let before = sign_ins.done.get();
    sign_ins.waited.borrow_mut().clear();
    let mark = Mark::now(&server)?;
    let with = talk.delay_within(bench.window).await?;
    let window = mark.until_now(&server)?;
    let done = sign_ins.done.get() - before;
    signing.shutdown().await;
    let mut faults = talk.end().await?;
    faults.refused += sign_ins.tally.refused.get();
    faults.closed += sign_ins.tally.closed.get();
    let trouble = sign_ins.tally.first_trouble().unwrap_or_default();
    ensure!(done > 0, "nobody signed in. {trouble} {}", server.log_tail());
    server.stop().await?;

    let mut run = Run::new(NAME, subject, round);
    run.put(Metric::new("without_p50_ms", "sender to receiver p50 without, ms"), without.p50);
    run.put(Metric::new("without_p99_ms", "sender to receiver p99 without, ms"), without.p99);
    run.put(Metric::new("with_p50_ms", "sender to receiver p50 with, ms"), with.p50);
    run.put(Metric::new("with_p99_ms", "sender to receiver p99 with, ms"), with.p99);
    run.put(P99_TIMES, with.p99 / without.p99);
    run.put(Metric::new("sign_ins_per_s", "sign-ins/s"), window.per_second(done));
    run.put(Metric::new("sign_in_p50_ms", "sign-in p50, ms"), sign_ins.waited.borrow().quantile_ms(0.5));
    run.put(Metric::new("load_without", "server load without, % of a core"), load_without);
    window.put_loads(&mut run);
    faults.put(&mut run);
    Ok(run)
}

/// At a fixed rate, whatever becomes of those before; until its task is ended.
async fn keep_signing_in(addr: SocketAddr, accounts: Vec<Account>, rate: u32, sign_ins: Rc<SignIns>) {
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    for account in accounts.iter().cycle() {
        ticks.tick().await;
        while under_way.try_join_next().is_some() {}
        let (account, sign_ins) = (account.clone(), Rc::clone(&sign_ins));
        under_way.spawn_local(async move { sign_in_once(addr, &account, &sign_ins).await });
    }
}

async fn sign_in_once(addr: SocketAddr, account: &Account, sign_ins: &SignIns) {
    let begun = Instant::now();
    let mut client = match Client::connect(addr).await {
        Ok(client) => client,
        Err(error) => return sign_ins.tally.note_closed(&error),
    };
    if let Err(error) = account.sign_in(&mut client).await {
        return sign_ins.tally.note_refused(&error);
    }
    add(&sign_ins.done, 1);
    let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    sign_ins.waited.borrow_mut().record(waited);
}
