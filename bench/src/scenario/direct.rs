//! `direct`: pairs of users; each sender has one message in flight to its own receiver, acked
//! once it is durable. Receivers check that all of it comes, once and in order.

use std::cell::Cell;
use std::fmt::Write;
use std::rc::Rc;

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::tally::{Tally, add};
use super::{Bench, DRAIN_TIMEOUT};
use crate::cli::Direct;
use crate::client::Client;
use crate::crowd;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Mark, Window};
use crate::packet::Packet;
use crate::payload::{Stamp, Tracker};
use crate::report::Report;
use crate::subject::Subject;

const NAME: &str = "direct";
const SUBJECTS: [Subject; 5] =
    [Subject::Nodeim, Subject::NodeimUnbatched, Subject::NodeimPg, Subject::NodeimPgUnbatched, Subject::Bare];

const ACKED: Metric = Metric::new("acked_per_s", "acked messages/s");
const COMPARISONS: [Comparison; 3] = [
    Comparison::ratio(NAME, ACKED, Subject::Nodeim, Subject::NodeimUnbatched).at_least(5.0),
    Comparison::ratio(NAME, ACKED, Subject::NodeimPg, Subject::NodeimPgUnbatched),
    Comparison::ratio(NAME, ACKED, Subject::Nodeim, Subject::Bare),
];

/// What one pair agrees on.
#[derive(Default)]
struct Pair {
    sent: Cell<u64>,
    acked: Cell<u64>,
    received: Cell<u64>,
}

struct Load {
    tally: Tally,
    pairs: Vec<Pair>,
    stop: Cell<bool>,
}

pub(crate) async fn run(bench: &Bench, args: &Direct, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(2 * args.pairs)?;
    let subjects = bench.chosen(&SUBJECTS);
    for (round, subject) in bench.schedule(&subjects) {
        report.add(measure(bench, args, round, subject).await?);
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(bench: &Bench, args: &Direct, round: u32, subject: Subject) -> Result<Run> {
    let pairs = args.pairs as usize;
    let dir = bench.data_dir()?;
    let server = bench.start(subject, &dir, 0).await?;

    bench.progress(NAME, round, subject, "signing up and in");
    let accounts = crowd::sign_up(server.addr(), 2 * pairs).await?;
    let mut senders = crowd::sign_in(server.addr(), &accounts).await?;
    let receivers = senders.split_off(pairs);

    let load = Rc::new(Load {
        tally: Tally::new(),
        pairs: (0..pairs).map(|_| Pair::default()).collect(),
        stop: Cell::new(false),
    });
    let mut receiving = JoinSet::new();
    for (number, client) in receivers.into_iter().enumerate() {
        receiving.spawn_local(receive(Rc::clone(&load), number, client));
    }
    bench.progress(NAME, round, subject, "sending");
    let mut sending = JoinSet::new();
    for (number, client) in senders.into_iter().enumerate() {
        let to = accounts[pairs + number].id;
        sending.spawn_local(send(Rc::clone(&load), number, to, client));
    }

    sleep(bench.warmup).await;
    load.tally.start_recording();
    let acked_before = load.tally.acked.get();
    let mark = Mark::now(&server)?;
    sleep(bench.window).await;
    let window = mark.until_now(&server)?;
    let acked = load.tally.acked.get() - acked_before;
    load.tally.stop_recording();

    load.stop.set(true);
    // Kept open until all is delivered: a sender's leaving is work for the server, too.
    let senders = timeout(DRAIN_TIMEOUT, sending.join_all()).await;
    load.tally.drain(|| lost_and_extra(&load).0 == 0).await;
    drop(senders);
    receiving.shutdown().await;
    if acked == 0 {
        let trouble = load.tally.first_trouble().unwrap_or_default();
        bail!("{}: nothing was acked. {trouble} {}", subject.name(), server.log_tail());
    }
    server.stop().await?;
    if let Some(trouble) = load.tally.first_trouble() {
        bench.progress(NAME, round, subject, &trouble);
    }
    Ok(results(&load, &window, acked, round, subject))
}

/// One sender's closed loop.
async fn send(load: Rc<Load>, number: usize, to: u64, mut client: Client) -> Option<Client> {
    match send_until_stopped(&load, number, to, &mut client).await {
        Ok(()) => Some(client),
        Err(error) => {
            load.tally.note_closed(&error);
            None
        }
    }
}

async fn send_until_stopped(load: &Load, number: usize, to: u64, client: &mut Client) -> Result<()> {
    let tally = &load.tally;
    let mut data = String::new();
    let mut stamp = Stamp { sender: 0, number: 0, sent_us: 0 };
    while !load.stop.get() {
        stamp.sent_us = tally.now_us();
        data.clear();
        write!(data, "{{\"to\":{to},\"message\":\"")?;
        stamp.write(&mut data);
        data.push_str("\"}");

        let id = client.send("message", &data).await?;
        add(&tally.sent, 1);
        add(&load.pairs[number].sent, 1);
        let ack = client.ack(id).await?;
        if let Packet::Ack { body, .. } = Packet::of(&ack)
            && tally.note_ack(body, stamp.sent_us)
        {
            add(&load.pairs[number].acked, 1);
            // A refused message's number is used again: the receiver never sees a gap for it.
            stamp.number += 1;
        }
    }
    Ok(())
}

/// One receiver, until its task is ended.
async fn receive(load: Rc<Load>, number: usize, mut client: Client) {
    let mut tracker = Tracker::new(1);
    loop {
        let text = match client.recv().await {
            Ok(text) => text,
            Err(error) => return load.tally.note_closed(&error),
        };
        if Packet::of(&text) == Packet::Message
            && let Some(stamp) = Stamp::find(&text)
        {
            let in_order = tracker.note(stamp);
            add(&load.pairs[number].received, 1);
            load.tally.note_delivery(&text, stamp, in_order, true);
        }
    }
}

/// What was acked and did not come, and what came more often than it was sent.
fn lost_and_extra(load: &Load) -> (u64, u64) {
    load.pairs.iter().fold((0, 0), |(lost, extra), pair| {
        let (sent, acked, received) = (pair.sent.get(), pair.acked.get(), pair.received.get());
        (lost + acked.saturating_sub(received), extra + received.saturating_sub(sent))
    })
}

fn results(load: &Load, window: &Window, acked: u64, round: u32, subject: Subject) -> Run {
    let tally = &load.tally;
    let (lost, extra) = lost_and_extra(load);
    let mut run = Run::new(NAME, subject, round);
    run.put(ACKED, window.per_second(acked));
    run.put(Metric::new("ack_p50_ms", "ack p50, ms"), tally.ack_ms(0.5));
    run.put(Metric::new("ack_p99_ms", "ack p99, ms"), tally.ack_ms(0.99));
    run.put(Metric::new("delivery_p50_ms", "sender to receiver p50, ms"), tally.delivery_ms(0.5));
    run.put(Metric::new("delivery_p99_ms", "sender to receiver p99, ms"), tally.delivery_ms(0.99));
    run.put(Metric::new("server_us_per_message", "server CPU/message, µs"), window.server_us_per(acked));
    window.put_loads(&mut run);
    run.put(Metric::new("delivered", "delivered, whole run"), tally.delivered.get() as f64);
    run.put(Metric::LOST, lost as f64);
    run.put(Metric::EXTRA, extra as f64);
    run.put(Metric::OUT_OF_ORDER, tally.out_of_order.get() as f64);
    run.put(Metric::UNANSWERED, tally.counts().unanswered() as f64);
    run.put(Metric::REFUSED, tally.refused.get() as f64);
    run.put(Metric::CLOSED, tally.closed.get() as f64);
    run
}
