//! The whole program, small and short: against the peers that it brings along, and against nodeim.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// Runs the program; returns what it said, and all that it wrote down.
fn run(args: &[&str]) -> (Output, Value) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let json = dir.path().join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_nodeim-bench"))
        .args(args)
        .args(["--repeats", "1", "--seconds", "1", "--warmup-seconds", "0"])
        .arg("--work-dir")
        .arg(dir.path())
        .arg("--json")
        .arg(&json)
        .env_remove("NODEIM_BENCH_POSTGRES_URL")
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let figures = std::fs::read_to_string(&json).expect("figures were written");
    (output, serde_json::from_str(&figures).expect("figures are JSON"))
}

fn runs(figures: &Value) -> &[Value] {
    figures["runs"].as_array().expect("a list of runs")
}

/// Runs the program without binding anything to a core; returns what it measured.
fn figures(args: &[&str]) -> Vec<Value> {
    let (_, figures) = run(&[args, &["--no-pin"]].concat());
    runs(&figures).to_vec()
}

/// The same against nodeim, which this builds. Nothing may have gone wrong.
fn figures_of_nodeim(args: &[&str]) -> Vec<Value> {
    let nodeim = nodeim().to_str().expect("the path is text");
    let runs = figures(&[args, &["--nodeim", nodeim]].concat());
    for run in &runs {
        for fault in ["lost", "extra", "out_of_order", "unanswered", "refused", "closed"] {
            assert!(run["values"][fault].as_f64().is_none_or(|count| count == 0.0), "{fault}: {run}");
        }
    }
    runs
}

fn nodeim() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "nodeim", "--bin", "nodeim"])
            .args(profile)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo starts").success(), "nodeim cannot be built");
        Path::new(env!("CARGO_BIN_EXE_nodeim-bench")).with_file_name("nodeim")
    })
}

fn names<'a>(runs: &'a [Value], key: &str) -> Vec<&'a Value> {
    runs.iter().map(|run| &run[key]).collect()
}

/// All scenarios that peers take part in, as small as they get.
const SMALL: &[&str] = &[
    "all",
    "--pairs",
    "5",
    "--members",
    "20",
    "--room-senders",
    "4",
    "--small-members",
    "3",
    "--connections",
    "50",
    "--storm-clients",
    "50",
    "--storm-at-once",
    "10",
];

#[test]
fn all_scenarios_run_against_the_bare_peer() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let svg = dir.path().join("chart.svg");
    let svg = svg.to_str().expect("the path is text");
    let runs = figures(&[SMALL, &["--only", "bare", "--svg", svg]].concat());
    let expected = [
        "direct",
        "direct, 20 % of that rate",
        "direct, 50 % of that rate",
        "room, everyday",
        "room, one busy sender",
        "room, saturated",
        "small room, saturated",
        "idle",
        "storm",
    ];
    assert_eq!(names(&runs, "scenario"), expected);
    for run in runs {
        let values = &run["values"];
        assert_eq!(values["closed"], 0.0, "{run}");
        match run["scenario"].as_str() {
            Some("idle") => {}
            Some("storm") => assert_eq!(values["arrived"], 50.0, "{run}"),
            _ => {
                assert!(values["delivered"].as_f64() > Some(10.0), "{run}");
                assert_eq!(values["lost"], 0.0, "{run}");
            }
        }
    }

    let chart = std::fs::read_to_string(svg).expect("a chart was written");
    assert!(chart.starts_with("<svg ") && chart.ends_with("</svg>\n"), "{chart}");
    for text in ["Direct messages", "Room of 20, everyday", "Room of 3, saturated", "of 50,", "bare socketioxide"] {
        assert!(chart.contains(text), "no {text} in {chart}");
    }
}

/// Each takes one message of a sender after the other, so nothing may overtake anything. They are bound to a core.
#[test]
fn the_other_peers_deliver_everything_once_and_in_order() {
    let servers = ["raw", "node", "node-sqlite"];
    let only = servers.map(|server| ["--only", server]).concat();
    let (_, figures) = run(&[SMALL, &only].concat());
    let missing = figures["missing"].as_object().expect("a map of servers");
    assert!(!missing.contains_key("raw"));
    for server in servers.iter().filter(|server| !missing.contains_key(**server)) {
        let runs: Vec<_> = runs(&figures).iter().filter(|run| run["server"] == *server).collect();
        let with_messages: Vec<_> = runs.into_iter().filter(|run| run["values"]["delivered"].is_number()).collect();
        assert!(with_messages.len() >= 4, "{server}: {with_messages:?}");
        for run in with_messages {
            let values = &run["values"];
            assert!(values["delivered"].as_f64() > Some(10.0), "{run}");
            for fault in ["lost", "extra", "out_of_order", "unanswered", "refused", "closed"] {
                assert_eq!(values[fault], 0.0, "{fault}: {run}");
            }
        }
    }
}

#[test]
fn what_cannot_run_is_named_and_the_rest_is_measured() {
    let servers = ["bare", "node", "node-sqlite", "nodeim-pg"];
    let only = servers.map(|server| ["--only", server]).concat();
    let (output, figures) = run(&[&["direct", "--pairs", "5", "--no-pin", "--peers", "/nowhere"], &only[..]].concat());
    assert!(runs(&figures).iter().all(|run| run["server"] == "bare"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for server in &servers[1..] {
        assert!(figures["missing"][server].is_string(), "{server}: {figures}");
        let line = format!("{server} is not measured: ");
        assert!(stdout.contains(&line) && stderr.contains(&line), "{server}: {stdout} {stderr}");
    }
    let row = stdout.lines().find(|line| line.contains("nodeim / node-sqlite")).expect("a row that tells the goal");
    assert!(row.contains("not measured") && row.contains("NO"), "{row}");
}

#[test]
fn old_clients_share_a_room() {
    let runs = figures_of_nodeim(&["room", "--only", "nodeim-sio09", "--members", "20", "--room-senders", "4"]);
    assert_eq!(names(&runs, "scenario"), ["room, everyday", "room, saturated"]);
    assert!(runs.iter().all(|run| run["values"]["delivered"].as_f64() > Some(100.0)), "{runs:?}");
}

#[test]
fn clients_of_all_wires_are_held() {
    let only = ["--only", "nodeim", "--only", "nodeim-sio09", "--only", "nodeim-mumichat"];
    let runs = figures_of_nodeim(&[&["idle", "--connections", "50"][..], &only].concat());
    assert_eq!(names(&runs, "server"), ["nodeim", "nodeim-sio09", "nodeim-mumichat"]);
    assert!(runs.iter().all(|run| run["values"]["held"] == 50.0), "{runs:?}");
}

#[test]
fn everybody_comes_back_with_a_token() {
    let runs = figures_of_nodeim(&["storm", "--only", "nodeim", "--storm-clients", "100", "--storm-at-once", "20"]);
    assert_eq!(runs[0]["values"]["arrived"], 100.0, "{runs:?}");
}

#[test]
fn all_that_was_missed_comes_while_others_talk() {
    let missed = ["--missed", "2000", "--missed-from", "5", "--talk-pairs", "2", "--talk-rate", "200"];
    let runs = figures_of_nodeim(&[&["replay"][..], &missed].concat());
    assert_eq!(names(&runs, "scenario"), ["replay, old client", "replay, resume"]);
    assert!(runs.iter().all(|run| run["values"]["with_p99_ms"].as_f64() > Some(0.0)), "{runs:?}");
}

#[test]
fn a_long_conversation_is_read_to_its_beginning() {
    let runs = figures_of_nodeim(&["history", "--history-messages", "1030"]);
    assert!(runs[0]["values"]["last_p50_ms"].as_f64() > Some(0.0), "{runs:?}");
}

#[test]
fn people_talk_while_others_sign_in() {
    let runs = figures_of_nodeim(&["mixed", "--sign-ins", "5", "--talk-pairs", "2", "--talk-rate", "100"]);
    let values = &runs[0]["values"];
    assert!(values["with_p99_ms"].as_f64() > Some(0.0) && values["sign_ins_per_s"].as_f64() > Some(0.0), "{values}");
}
