//! Arguments, then configuration, then the server.

mod cli;

use std::io::Write;

use anyhow::{Context, anyhow};
use clap::Parser;
use nodeim::app::App;
use nodeim::config::Config;
use nodeim::logging;
use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let config =
        Config::load(cli.flags.config.as_deref(), std::env::vars(), cli.flags.given()).map_err(|e| anyhow!(e))?;
    match cli.command {
        Some(Command::Config) => print(&config),
        None | Some(Command::Serve) => serve(config).await,
    }
}

fn print(config: &Config) -> anyhow::Result<()> {
    let text = toml::to_string(&config.redacted()).context("the configuration cannot be written as TOML")?;
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to the terminal")
}

async fn serve(config: Config) -> anyhow::Result<()> {
    logging::start(&config).map_err(|e| anyhow!(e))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let app = App::start(config).await.map_err(|e| anyhow!(e))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    app.shutdown().await;
    Ok(())
}
