//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use crate::subject::Subject;

/// Measure nodeim beside its peers, in one run on one machine.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Durable direct messages: acked messages per second and latency
    Direct(DirectArgs),
    /// One large room, at an everyday rate and saturated: server CPU per delivery
    Room(RoomArgs),
    /// Connections that do nothing: server memory for each
    Idle(IdleArgs),
    /// Everybody comes back at once, with a token: connects and sign-ins per second
    Storm(StormArgs),
    /// Somebody signs in who has missed a great many messages: what their neighbours notice, and the server's memory
    Replay(ReplayArgs),
    /// Paging through a very long conversation: time for a page
    History(HistoryArgs),
    /// Sign-ins by password while others talk: what those notice
    Mixed(MixedArgs),
    /// All of the above
    All(AllArgs),
    /// The bare socketioxide peer, as a server (started by the scenarios)
    #[command(hide = true)]
    Bare(Peer),
    /// The raw WebSocket peer, likewise
    #[command(hide = true)]
    Raw(Peer),
}

#[derive(Debug, Args)]
pub(crate) struct DirectArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) direct: Direct,
}

#[derive(Debug, Args)]
pub(crate) struct RoomArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) room: Room,
}

#[derive(Debug, Args)]
pub(crate) struct IdleArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) idle: Idle,
}

#[derive(Debug, Args)]
pub(crate) struct StormArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) storm: Storm,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) replay: Replay,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) history: History,
}

#[derive(Debug, Args)]
pub(crate) struct MixedArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) mixed: Mixed,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

#[derive(Debug, Args)]
pub(crate) struct AllArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) direct: Direct,
    #[command(flatten)]
    pub(crate) room: Room,
    #[command(flatten)]
    pub(crate) idle: Idle,
    #[command(flatten)]
    pub(crate) storm: Storm,
    #[command(flatten)]
    pub(crate) replay: Replay,
    #[command(flatten)]
    pub(crate) history: History,
    #[command(flatten)]
    pub(crate) mixed: Mixed,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// What every scenario needs to know.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Common {
    /// The nodeim binary [default: `nodeim` beside this binary]
    #[arg(long, value_name = "PATH")]
    #[serde(skip)]
    pub(crate) nodeim: Option<PathBuf>,

    /// An empty PostgreSQL database to run nodeim on, too (`direct` only)
    #[arg(long, value_name = "URL", env = "NODEIM_BENCH_POSTGRES_URL", hide_env_values = true)]
    #[serde(skip)]
    pub(crate) postgres_url: Option<String>,

    /// The folder of the peers that are not part of this program [default: the one in the source tree]
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub(crate) peers: Option<PathBuf>,

    /// Rounds; every round runs each server once, in alternating order
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) repeats: u32,

    /// Length of one measured window
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,

    /// Load before each measured window
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub(crate) warmup_seconds: u64,

    /// Run only this server (repeatable)
    #[arg(long, value_name = "SERVER")]
    pub(crate) only: Vec<Subject>,

    /// Write everything measured to this file
    #[arg(long, value_name = "FILE", overrides_with = "json")]
    #[serde(skip)]
    pub(crate) json: Option<PathBuf>,

    /// Write a chart of the medians to this file
    #[arg(long, value_name = "FILE", overrides_with = "svg")]
    #[serde(skip)]
    pub(crate) svg: Option<PathBuf>,

    /// Where the databases go, each in a temporary folder [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub(crate) work_dir: Option<PathBuf>,

    /// Leave it to the kernel which core runs what
    #[arg(long)]
    pub(crate) no_pin: bool,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Direct {
    /// Pairs: each sender has one message in flight to its own receiver
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub(crate) pairs: u32,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Room {
    /// Members of the room
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) members: u32,

    /// How many of the members send when the room is saturated
    #[arg(long = "room-senders", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) senders: u32,

    /// Members of the small room, all of whom may send
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) small_members: u32,

    /// Messages per second at the everyday rate, from one member
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) rate: u32,

    /// Messages that may be on their way to the members at a time, from busy senders
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) window: u32,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Idle {
    /// Connections to hold
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) connections: u32,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Storm {
    /// Clients that come back
    #[arg(long = "storm-clients", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) clients: u32,

    /// How many of them are on their way at a time; who finds a server's listen queue full waits for whole seconds
    #[arg(long = "storm-at-once", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) at_once: u32,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Replay {
    /// Messages that were missed
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) missed: u32,

    /// Users who sent them, each as many
    #[arg(id = "missed-from", long, value_name = "USERS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) senders: u32,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct History {
    /// Messages in the conversation
    #[arg(long = "history-messages", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(100..=50_000_000))]
    pub(crate) messages: u32,
}

#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Mixed {
    /// Sign-ins by password a second, each over a connection of its own
    #[arg(long = "sign-ins", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) sign_ins: u32,
}

/// Those who talk while something else happens.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Talk {
    /// Pairs that talk meanwhile, in `replay` and `mixed`
    #[arg(id = "talk-pairs", long, value_name = "PAIRS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) pairs: u32,

    /// Messages a second, of all pairs together
    #[arg(id = "talk-rate", long, value_name = "RATE", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Peer {
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Pad broadcast frames to this length
    #[arg(long, default_value_t = 0)]
    pub(crate) frame_bytes: usize,
}
