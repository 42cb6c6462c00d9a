//! Measures nodeim from outside, beside peers, in one run: see `README.md` in this folder.
//!
//! The way down: `main` -> `scenario` -> `crowd`, `server` -> `client`; what comes back goes to `report`.

mod chart;
mod cli;
mod client;
mod crowd;
mod figures;
mod machine;
mod measure;
mod packet;
mod payload;
mod peers;
mod process;
mod progress;
mod report;
mod scenario;
mod server;
mod subject;
mod table;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use serde_json::json;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use crate::cli::{Cli, Command};
use crate::machine::Machine;
use crate::report::Report;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Bare(args) => peers::bare::serve(args).map(|()| true),
        Command::Raw(args) => peers::raw::serve(args).map(|()| true),
        Command::Direct(args) => generate(args.common, Some(args.direct), None, None),
        Command::Room(args) => generate(args.common, None, Some(args.room), None),
        Command::Idle(args) => generate(args.common, None, None, Some(args.idle)),
        Command::All(args) => generate(args.common, Some(args.direct), Some(args.room), Some(args.idle)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("nodeim-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the chosen scenarios; false if nodeim lost, repeated or reordered anything.
fn generate(
    common: cli::Common,
    direct: Option<cli::Direct>,
    room: Option<cli::Room>,
    idle: Option<cli::Idle>,
) -> Result<bool> {
    // Before the runtime, so that its threads inherit both.
    let machine = Machine::prepare(&common)?;
    let options = json!({ "common": common, "direct": direct, "room": room, "idle": idle });
    let report = Report::new(&machine, &common, options);

    // One thread: the generator has one core, and its clients may share counters without locks.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let report = local.block_on(&runtime, async {
        let bench = scenario::Bench::new(&common, &machine)?;
        let work = Box::pin(run(&bench, report, direct, room, idle));
        let mut terminated = signal(SignalKind::terminate())?;
        // The servers are killed as their handles drop, so an interrupted run leaves none behind.
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminated.recv() => bail!("terminated"),
        }
    })?;

    progress::end();
    report.print()?;
    if let Some(file) = &common.json {
        report.write_json(file)?;
    }
    if let Some(file) = &common.svg {
        report.write_svg(file)?;
    }
    Ok(report.is_clean())
}

async fn run(
    bench: &scenario::Bench,
    mut report: Report,
    direct: Option<cli::Direct>,
    room: Option<cli::Room>,
    idle: Option<cli::Idle>,
) -> Result<Report> {
    if let Some(args) = direct {
        scenario::direct::run(bench, &args, &mut report).await?;
    }
    if let Some(args) = room {
        scenario::room::run(bench, &args, &mut report).await?;
    }
    if let Some(args) = idle {
        scenario::idle::run(bench, &args, &mut report).await?;
    }
    report.note_servers(bench.versions(), bench.left_out());
    Ok(report)
}
