//! Arguments, then configuration, then the server.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use nodeim::app::App;
use nodeim::config::Config;
use nodeim::logging;
use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nodeim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), String> {
    let config = Config::load(cli.flags.config.as_deref(), std::env::vars(), cli.flags.given())?;
    match cli.command {
        Some(Command::Config) => print(&config),
        Some(Command::Backup { file }) => nodeim::store::backup(&config, &file).await,
        None | Some(Command::Serve) => serve(config).await,
    }
}

fn print(config: &Config) -> Result<(), String> {
    let text = toml::to_string(&config.redacted()).map_err(|error| error.to_string())?;
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

async fn serve(config: Config) -> Result<(), String> {
    logging::start(&config)?;
    let on = |kind| signal(kind).map_err(|error| error.to_string());
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let app = App::start(config).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    app.shutdown().await;
    Ok(())
}
