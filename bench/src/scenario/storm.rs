//! `storm`: everybody comes back at once, as after a restart of the server: they connect, and sign in with the token
//! that an earlier sign-in gave them. A server that knows no users is only connected to.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Bench;
use super::faults::Faults;
use super::tally::Tally;
use crate::cli::Storm;
use crate::client::Client;
use crate::crowd;
use crate::figures::{Comparison, Metric, Run};
use crate::measure::{Latencies, Mark, Window};
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

pub(crate) const NAME: &str = "storm";
const SUBJECTS: [Subject; 3] = [Subject::Nodeim, Subject::Node, Subject::Bare];

pub(crate) const ARRIVALS: Metric = Metric::new("arrivals_per_s", "connects (and sign-ins)/s");
const COMPARISONS: [Comparison; 2] = [
    Comparison::ratio(NAME, ARRIVALS, Subject::Nodeim, Subject::Node).at_least(3.0),
    Comparison::ratio(NAME, ARRIVALS, Subject::Nodeim, Subject::Bare),
];

/// What those who come count together.
struct Arrivals {
    tally: Tally,
    waited: RefCell<Latencies>,
}

pub(crate) async fn run(bench: &Bench, args: &Storm, report: &mut Report) -> Result<()> {
    bench.machine.check_descriptors(args.clients)?;
    let subjects = bench.chosen(&SUBJECTS);
    for (round, subject) in bench.schedule(&subjects) {
        report.add(measure(bench, args, round, subject).await?);
    }
    report.compare(&COMPARISONS);
    Ok(())
}

async fn measure(bench: &Bench, args: &Storm, round: u32, subject: Subject) -> Result<Run> {
    let count = args.clients as usize;
    let dir = bench.data_dir()?;
    let mut server = bench.start(subject, &dir, 0).await?;
    let mut tokens: Vec<Option<String>> = vec![None; count];
    if subject.is_nodeim() {
        bench.progress(NAME, round, subject, "signing up and in, for the tokens");
        let accounts = crowd::sign_up(server.addr(), count).await?;
        tokens = crowd::tokens(server.addr(), &accounts).await?.into_iter().map(Some).collect();
        // Everybody comes back to a server that remembers nobody.
        server.stop().await?;
        server = bench.start(subject, &dir, 0).await?;
    }

    bench.progress(NAME, round, subject, "coming back");
    let arrivals = Rc::new(Arrivals { tally: Tally::new(), waited: RefCell::new(Latencies::new()) });
    let mark = Mark::now(&server)?;
    let (clients, window) = come(args, &server, tokens, &arrivals, &mark).await?;
    let arrived = clients.len() as u64;
    let tally = &arrivals.tally;
    let trouble = tally.first_trouble().unwrap_or_default();
    ensure!(arrived > 0, "nobody got in. {trouble} {}", server.log_tail());
    drop(clients);
    server.stop().await?;
    if !trouble.is_empty() {
        bench.trouble(NAME, round, subject, &trouble);
    }

    let waited = arrivals.waited.borrow();
    let mut run = Run::new(NAME, subject, round);
    run.put(ARRIVALS, window.per_second(arrived));
    run.put(Metric::new("server_us_per_arrival", "server CPU each, µs"), window.server_us_per(arrived));
    run.put(Metric::new("waited_p50_ms", "until in p50, ms"), waited.quantile_ms(0.5));
    run.put(Metric::new("waited_p99_ms", "until in p99, ms"), waited.quantile_ms(0.99));
    run.put(Metric::new("waited_max_ms", "until in, longest, ms"), waited.quantile_ms(1.0));
    window.put_loads(&mut run);
    run.put(Metric::new("arrived", "connections held"), arrived as f64);
    Faults { refused: tally.refused.get(), closed: tally.closed.get(), ..Faults::default() }.put(&mut run);
    Ok(run)
}

/// All of them, at most `at_once` on their way; returns those who are in, and how long that took.
async fn come(
    args: &Storm,
    server: &Server,
    tokens: Vec<Option<String>>,
    arrivals: &Rc<Arrivals>,
    mark: &Mark,
) -> Result<(Vec<Client>, Window)> {
    let turns = Arc::new(Semaphore::new(args.at_once as usize));
    let addr = server.addr();
    let mut coming = JoinSet::new();
    for token in tokens {
        let turn = Arc::clone(&turns).acquire_owned().await?;
        let arrivals = Rc::clone(arrivals);
        coming.spawn_local(async move {
            let begun = Instant::now();
            let client = arrive(addr, token, &arrivals).await;
            let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            drop(turn);
            if client.is_some() {
                arrivals.waited.borrow_mut().record(waited);
            }
            client
        });
    }
    let clients = coming.join_all().await.into_iter().flatten().collect();
    Ok((clients, mark.until_now(server)?))
}

async fn arrive(addr: SocketAddr, token: Option<String>, arrivals: &Arrivals) -> Option<Client> {
    let mut client = match Client::connect(addr).await {
        Ok(client) => client,
        Err(error) => {
            arrivals.tally.note_closed(&error);
            return None;
        }
    };
    if let Some(token) = token
        && let Err(error) = client.call("signin", &json!({ "token": token, "api": 2 })).await
    {
        arrivals.tally.note_refused(&error);
        return None;
    }
    Some(client)
}
