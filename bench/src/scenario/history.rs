//! `history`: one very long conversation, page by page with the command of that name. First all of it, from the newest
//! message to the oldest, which proves that nothing is missing; then its first, middle and last page again and again.

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::time::Instant;

use super::Bench;
use super::faults::Faults;
use crate::cli;
use crate::client::Client;
use crate::crowd::{self, Account};
use crate::database;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Latencies, Mark};
use crate::packet::{self, Packet};
use crate::payload::Stamp;
use crate::report::Report;
use crate::subject::Subject;

const NAME: &str = "history";
/// Not on PostgreSQL, as the conversation is written into the file.
const SUBJECTS: [Subject; 1] = [Subject::Nodeim];

/// The most that a page may have, for going through it all
const LARGE_PAGE: u32 = 200;
/// What a client shows at a time
const PAGE: u32 = 50;

const LAST_TO_FIRST: Metric = Metric::new("last_to_first", "last page's p50, times the first's");
const COMPARISONS: [Comparison; 1] = [Comparison::value(NAME, LAST_TO_FIRST, Subject::Nodeim).at_most(1.1)];

pub(crate) async fn run(bench: &Bench, args: &cli::History, report: &mut Report) -> Result<()> {
    let subjects = bench.chosen(&SUBJECTS);
    let Some(&subject) = subjects.first() else {
        return Ok(());
    };
    bench.progress(NAME, 1, subject, "writing the conversation into the database");
    let dir = bench.data_dir()?;
    let server = bench.start(subject, &dir, 0).await?;
    let accounts = crowd::sign_up(server.addr(), 2).await?;
    let [reader, other] = accounts.as_slice() else {
        bail!("two accounts are needed");
    };
    let mut client = Client::connect(server.addr()).await?;
    reader.sign_in(&mut client).await?;
    client.call("message", &json!({ "to": other.id, "message": "the first" })).await?;
    drop(client);
    server.stop().await?;
    database::fill_conversation(dir.path(), reader.id, other.id, args.messages).await?;

    for (round, subject) in bench.schedule(&subjects) {
        let server = bench.start(subject, &dir, 0).await?;
        let mut run = Run::new(NAME, subject, round);
        let mut reading = Reading::begin(&server, reader, other, args.messages).await?;
        bench.progress(NAME, round, subject, "reading all of it");
        let faults = reading.read_all(&mut run).await?;
        bench.progress(NAME, round, subject, "reading first, middle and last page");
        let mark = Mark::now(&server)?;
        reading.read_here_and_there(bench, &mut run).await?;
        mark.until_now(&server)?.put_loads(&mut run);
        faults.put(&mut run);
        server.stop().await?;
        report.add(run);
    }
    report.compare(&COMPARISONS);
    Ok(())
}

/// Somebody who reads what they said with somebody.
struct Reading {
    client: Client,
    other: u64,
    messages: u32,
}

impl Reading {
    async fn begin(server: &crate::server::Server, reader: &Account, other: &Account, messages: u32) -> Result<Self> {
        let mut client = Client::connect(server.addr()).await?;
        reader.sign_in_modern(&mut client).await?;
        Ok(Reading { client, other: other.id, messages })
    }

    /// From the newest to the oldest.
    async fn read_all(&mut self, run: &mut Run) -> Result<Faults> {
        let mut faults = Faults::default();
        let begun = Instant::now();
        let mut before = self.messages + 1;
        while before > 1 {
            let page = self.page(before, LARGE_PAGE).await?;
            let expected = LARGE_PAGE.min(before - 1);
            let found = u32::try_from(page.len())?;
            faults.lost += u64::from(expected.saturating_sub(found));
            faults.extra += u64::from(found.saturating_sub(expected));
            let in_order = page.iter().zip((0..before - 1).rev()).filter(|(number, wanted)| *number == wanted).count();
            faults.out_of_order += page.len() as u64 - in_order as u64;
            before -= expected;
        }
        let took = begun.elapsed();
        run.put(Metric::new("all_s", "all of it, 200 a page, s"), took.as_secs_f64());
        run.put(Metric::new("read_per_s", "messages/s"), f64::from(self.messages) / took.as_secs_f64());
        Ok(faults)
    }

    /// One page after the other, each in its turn.
    async fn read_here_and_there(&mut self, bench: &Bench, run: &mut Run) -> Result<()> {
        let places = [self.messages + 1, self.messages / 2, PAGE + 1];
        let mut took = places.map(|_| Latencies::new());
        let begun = Instant::now();
        while begun.elapsed() < bench.warmup + bench.window {
            for (before, took) in places.into_iter().zip(&mut took) {
                let asked = Instant::now();
                self.page(before, PAGE).await?;
                if begun.elapsed() >= bench.warmup {
                    took.record(u64::try_from(asked.elapsed().as_micros())?);
                }
            }
        }
        let [first, middle, last] = took;
        run.put(Metric::new("first_p50_ms", "first page p50, ms"), first.quantile_ms(0.5));
        run.put(Metric::new("first_p99_ms", "first page p99, ms"), first.quantile_ms(0.99));
        run.put(Metric::new("middle_p50_ms", "middle page p50, ms"), middle.quantile_ms(0.5));
        run.put(Metric::new("middle_p99_ms", "middle page p99, ms"), middle.quantile_ms(0.99));
        run.put(Metric::new("last_p50_ms", "last page p50, ms"), last.quantile_ms(0.5));
        run.put(Metric::new("last_p99_ms", "last page p99, ms"), last.quantile_ms(0.99));
        run.put(LAST_TO_FIRST, last.quantile_ms(0.5) / first.quantile_ms(0.5));
        Ok(())
    }

    /// The numbers in the stamps of a page's messages.
    async fn page(&mut self, before: u32, limit: u32) -> Result<Vec<u32>> {
        let query = format!("{{\"to\":{},\"before\":{before},\"limit\":{limit}}}", self.other);
        let id = self.client.send("history", &query).await?;
        let reply = self.client.ack(id).await?;
        let Packet::Ack { body, .. } = Packet::of(&reply) else {
            bail!("history: no ack");
        };
        ensure!(packet::is_success(body), "history was refused: {body:.200}");
        let mut numbers = Vec::with_capacity(limit as usize);
        for at in memchr::memchr_iter(b'~', body.as_bytes()) {
            numbers.push(Stamp::find(&body[at..]).context("half a stamp")?.number);
        }
        Ok(numbers)
    }
}
