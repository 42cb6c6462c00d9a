//! Measures nodeim from outside, beside peers, in one run: see `README.md` in this folder.
//!
//! The way down: `main` -> `scenario` -> `crowd`, `server` -> `client`; what comes back goes to `report`.

mod chart;
mod cli;
mod client;
mod crowd;
mod database;
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
mod wire;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use serde::Serialize;
use serde_json::json;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use crate::cli::{Cli, Command};
use crate::machine::Machine;
use crate::report::Report;

/// The chosen scenarios, with their options.
#[derive(Default, Serialize)]
struct Chosen {
    direct: Option<cli::Direct>,
    room: Option<cli::Room>,
    idle: Option<cli::Idle>,
    storm: Option<cli::Storm>,
    replay: Option<cli::Replay>,
    history: Option<cli::History>,
    mixed: Option<cli::Mixed>,
    /// For `replay` and `mixed`
    talk: Option<cli::Talk>,
}

impl From<cli::AllArgs> for Chosen {
    fn from(args: cli::AllArgs) -> Self {
        Chosen {
            direct: Some(args.direct),
            room: Some(args.room),
            idle: Some(args.idle),
            storm: Some(args.storm),
            replay: Some(args.replay),
            history: Some(args.history),
            mixed: Some(args.mixed),
            talk: Some(args.talk),
        }
    }
}

fn main() -> ExitCode {
    let none = Chosen::default();
    let outcome = match Cli::parse().command {
        Command::Bare(args) => peers::bare::serve(args).map(|()| true),
        Command::Raw(args) => peers::raw::serve(args).map(|()| true),
        Command::Direct(args) => generate(args.common, Chosen { direct: Some(args.direct), ..none }),
        Command::Room(args) => generate(args.common, Chosen { room: Some(args.room), ..none }),
        Command::Idle(args) => generate(args.common, Chosen { idle: Some(args.idle), ..none }),
        Command::Storm(args) => generate(args.common, Chosen { storm: Some(args.storm), ..none }),
        Command::Replay(args) => {
            generate(args.common, Chosen { replay: Some(args.replay), talk: Some(args.talk), ..none })
        }
        Command::History(args) => generate(args.common, Chosen { history: Some(args.history), ..none }),
        Command::Mixed(args) => {
            generate(args.common, Chosen { mixed: Some(args.mixed), talk: Some(args.talk), ..none })
        }
        Command::All(args) => generate(args.common.clone(), args.into()),
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
fn generate(common: cli::Common, chosen: Chosen) -> Result<bool> {
    // Before the runtime, so that its threads inherit both.
    let machine = Machine::prepare(&common)?;
    let mut options = serde_json::to_value(&chosen)?;
    options["common"] = json!(common);
    let mut report = Report::new(&machine, &common, options);

    // One thread: the generator has one core, and its clients may share counters without locks.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let outcome = local.block_on(&runtime, async {
        let bench = scenario::Bench::new(&common, &machine)?;
        let work = Box::pin(run(&bench, &mut report, chosen));
        let mut terminated = signal(SignalKind::terminate())?;
        // The servers are killed as their handles drop, so an interrupted run leaves none behind.
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminated.recv() => bail!("terminated"),
        }
    });

    progress::end();
    // Also what was measured before something went wrong.
    report.print()?;
    outcome?;
    if let Some(file) = &common.json {
        report.write_json(file)?;
    }
    if let Some(file) = &common.svg {
        report.write_svg(file)?;
    }
    Ok(report.is_clean())
}

async fn run(bench: &scenario::Bench, report: &mut Report, chosen: Chosen) -> Result<()> {
    if let Some(args) = chosen.direct {
        scenario::direct::run(bench, &args, report).await?;
    }
    if let Some(args) = chosen.room {
        scenario::room::run(bench, &args, report).await?;
    }
    if let Some(args) = chosen.idle {
        scenario::idle::run(bench, &args, report).await?;
    }
    if let Some(args) = chosen.storm {
        scenario::storm::run(bench, &args, report).await?;
    }
    if let (Some(args), Some(talk)) = (chosen.replay, &chosen.talk) {
        scenario::replay::run(bench, &args, talk, report).await?;
    }
    if let Some(args) = chosen.history {
        scenario::history::run(bench, &args, report).await?;
    }
    if let (Some(args), Some(talk)) = (chosen.mixed, &chosen.talk) {
        scenario::mixed::run(bench, &args, talk, report).await?;
    }
    report.note_servers(bench.versions(), bench.left_out());
    Ok(())
}
