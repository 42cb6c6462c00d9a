//! The whole program, small and short, against the peers that it brings along.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// All scenarios, as small as they get, against `servers` alone; returns what the program said and measured.
fn measure(dir: &Path, servers: &[&str], options: &[&str]) -> (Output, Value) {
    let json = dir.join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_nodeim-bench"))
        .arg("all")
        .args(servers.iter().flat_map(|server| ["--only", server]))
        .args(["--repeats", "1", "--seconds", "1", "--warmup-seconds", "0"])
        .args(["--pairs", "5", "--members", "20", "--room-senders", "4", "--small-members", "3"])
        .args(["--connections", "50"])
        .args(options)
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
    ];
    assert_eq!(scenarios, expected);
    for run in runs(&figures) {
        let values = &run["values"];
        assert_eq!(values["closed"], 0.0, "{run}");
        if run["scenario"] != "idle" {
            assert!(values["delivered"].as_f64() > Some(10.0), "{run}");
            assert_eq!(values["lost"], 0.0, "{run}");
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
        for run in runs.into_iter().filter(|run| run["scenario"] != "idle") {
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
    let (output, figures) = measure(dir.path(), &servers, &["--no-pin", "--peers", nowhere]);
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
