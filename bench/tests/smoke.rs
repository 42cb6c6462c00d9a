//! The whole program, small and short: against the peers that it brings along, and against nodeim.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// All scenarios, as small as they get, against `servers` alone; returns what the program said and measured.
fn measure(dir: &Path, servers: &[&str], options: &[&str]) -> (Output, Value) {
    let mut command = vec!["all", "--connections", "50", "--storm-clients", "50", "--storm-at-once", "10"];
    command.extend(["--pairs", "5", "--members", "20", "--room-senders", "4", "--small-members", "3"]);
    command.extend(options);
    run(dir, servers, &command)
}

/// Runs a short round of `command` against `servers` alone.
fn run(dir: &Path, servers: &[&str], command: &[&str]) -> (Output, Value) {
    let json = dir.join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_nodeim-bench"))
        .args(command)
        .args(servers.iter().flat_map(|server| ["--only", server]))
        .args(["--repeats", "1", "--seconds", "1", "--warmup-seconds", "0"])
        .arg("--work-dir")
        .arg(dir)
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

#[test]
fn all_scenarios_run_against_the_bare_peer() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let svg = dir.path().join("chart.svg");
    let svg = svg.to_str().expect("a path of plain letters");
    let (_, figures) = measure(dir.path(), &["bare"], &["--no-pin", "--svg", svg]);

    let scenarios: Vec<_> = runs(&figures).iter().map(|run| &run["scenario"]).collect();
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
    assert_eq!(scenarios, expected);
    for run in runs(&figures) {
        let values = &run["values"];
        assert_eq!(values["closed"], 0.0, "{run}");
        match run["scenario"].as_str() {
            Some("idle") => assert_eq!(values["held"], 50.0, "{run}"),
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

/// Each takes a message of a sender after the other, so nothing may overtake anything.
#[test]
fn the_other_peers_deliver_everything_once_and_in_order() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let servers = ["raw", "node", "node-sqlite"];
    let (_, figures) = measure(dir.path(), &servers, &[]);
    let missing = figures["missing"].as_object().expect("a map of servers");
    assert!(!missing.contains_key("raw"));
    for server in servers.iter().filter(|server| !missing.contains_key(**server)) {
        let runs: Vec<_> = runs(&figures).iter().filter(|run| run["server"] == *server).collect();
        assert!(runs.len() >= 3, "{server}: {runs:?}");
        for run in runs.into_iter().filter(|run| run["scenario"] != "idle" && run["scenario"] != "storm") {
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
    let dir = tempfile::tempdir().expect("a temporary folder");
    let nowhere = dir.path().join("nowhere");
    let nowhere = nowhere.to_str().expect("a path of plain letters");
    let servers = ["bare", "node", "node-sqlite", "nodeim-pg"];
    let command = ["direct", "--pairs", "5", "--no-pin", "--peers", nowhere];
    let (output, figures) = run(dir.path(), &servers, &command);
    assert!(runs(&figures).iter().all(|run| run["server"] == "bare"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for server in ["node", "node-sqlite", "nodeim-pg"] {
        assert!(figures["missing"][server].is_string(), "{server}: {figures}");
        let line = format!("{server} is not measured: ");
        assert!(stdout.contains(&line) && stderr.contains(&line), "{server}: {stdout} {stderr}");
    }
    let row = stdout.lines().find(|line| line.contains("nodeim / node-sqlite")).expect("a row that tells the goal");
    assert!(row.contains("not measured") && row.contains("NO"), "{row}");
}

/// The same with nodeim. Nothing may have gone wrong.
fn runs_of_nodeim(servers: &[&str], command: &[&str]) -> Vec<Value> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let nodeim = nodeim();
    let nodeim = nodeim.to_str().expect("a path of plain letters");
    let (_, figures) = run(dir.path(), servers, &[command, &["--no-pin", "--nodeim", nodeim]].concat());
    for run in runs(&figures) {
        for fault in ["lost", "extra", "out_of_order", "unanswered", "unsent", "refused", "closed"] {
            assert!(run["values"][fault].as_f64().is_none_or(|count| count == 0.0), "{fault}: {run}");
        }
    }
    runs(&figures).to_vec()
}

/// `cargo test --workspace` builds it, for its own tests.
fn nodeim() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_nodeim-bench")).with_file_name("nodeim");
    assert!(path.is_file(), "there is no {}: run `cargo build --workspace` first", path.display());
    path
}

fn all<'a>(runs: &'a [Value], key: &str) -> Vec<&'a Value> {
    runs.iter().map(|run| &run[key]).collect()
}

#[test]
fn old_clients_share_a_room() {
    let runs = runs_of_nodeim(&["nodeim-sio09"], &["room", "--members", "20", "--room-senders", "4"]);
    assert_eq!(all(&runs, "scenario"), ["room, everyday", "room, saturated"]);
    assert!(runs.iter().all(|run| run["values"]["delivered"].as_f64() > Some(100.0)), "{runs:?}");
}

#[test]
fn clients_of_all_wires_are_held() {
    let servers = ["nodeim", "nodeim-sio09", "nodeim-mumichat"];
    let runs = runs_of_nodeim(&servers, &["idle", "--connections", "50"]);
    assert_eq!(all(&runs, "server"), servers);
    assert!(runs.iter().all(|run| run["values"]["held"] == 50.0), "{runs:?}");
}

#[test]
fn everybody_comes_back_with_a_token() {
    let runs = runs_of_nodeim(&["nodeim"], &["storm", "--storm-clients", "100", "--storm-at-once", "20"]);
    assert_eq!(runs[0]["values"]["arrived"], 100.0, "{runs:?}");
}

#[test]
fn all_that_was_missed_comes_while_others_talk() {
    let missed = ["replay", "--missed", "2000", "--missed-from", "5", "--talk-pairs", "2", "--talk-rate", "200"];
    let runs = runs_of_nodeim(&["nodeim"], &missed);
    assert_eq!(all(&runs, "scenario"), ["replay, old client", "replay, resume"]);
    assert!(runs.iter().all(|run| run["values"]["with_p99_ms"].as_f64() > Some(0.0)), "{runs:?}");
}

#[test]
fn a_long_conversation_is_read_to_its_beginning() {
    let runs = runs_of_nodeim(&["nodeim"], &["history", "--history-messages", "1030"]);
    assert!(runs[0]["values"]["last_p50_ms"].as_f64() > Some(0.0), "{runs:?}");
}

#[test]
fn people_talk_while_others_sign_in() {
    let runs = runs_of_nodeim(&["nodeim"], &["mixed", "--sign-ins", "5", "--talk-pairs", "2", "--talk-rate", "100"]);
    let values = &runs[0]["values"];
    assert!(values["with_p99_ms"].as_f64() > Some(0.0) && values["sign_ins_per_s"].as_f64() > Some(0.0), "{values}");
}
