//! The whole program, small and short, against the peer that it brings along.

use std::process::Command;

use serde_json::Value;

#[test]
fn all_scenarios_run_against_the_bare_peer() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let json = dir.path().join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_nodeim-bench"))
        .args(["all", "--only", "bare", "--no-pin"])
        .args(["--repeats", "1", "--seconds", "1", "--warmup-seconds", "0"])
        .args(["--pairs", "5", "--members", "20", "--room-senders", "4"])
        .args(["--connections", "50"])
        .arg("--work-dir")
        .arg(dir.path())
        .arg("--json")
        .arg(&json)
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");

    let figures = std::fs::read_to_string(&json).expect("figures were written");
    let figures: Value = serde_json::from_str(&figures).expect("figures are JSON");
    let runs = figures["runs"].as_array().expect("a list of runs");
    let scenarios: Vec<_> = runs.iter().map(|run| &run["scenario"]).collect();
    let expected = ["direct", "room, everyday", "room, one busy sender", "room, saturated", "idle"];
    assert_eq!(scenarios, expected);
    for run in runs {
        let values = &run["values"];
        assert_eq!(values["closed"], 0.0, "{run}");
        if run["scenario"] != "idle" {
            assert!(values["delivered"].as_f64() > Some(10.0), "{run}");
            assert_eq!(values["lost"], 0.0, "{run}");
        }
    }
}
