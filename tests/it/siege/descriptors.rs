//! As many connections as there are file descriptors for, and never more.

use serde_json::json;
use tokio::net::TcpStream;

use super::hears;
use crate::support::{Client, Database, PASSWORD, Process, run_to_end, until};

const DESCRIPTORS: u32 = 300;

async fn person(server: &Process, name: &str) -> Client {
    let mut client = server.connect().await;
    client.ok("signup", json!({"username": name, "password": PASSWORD})).await;
    client.username = name.to_owned();
    client.sign_in().await;
    client
}

fn open_descriptors(server: &Process) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count()
}

#[tokio::test]
async fn a_flood_of_connections_leaves_descriptors_for_everything_else() {
    let database = Database::new().await;
    let server = Process::start_with_descriptors(&database, DESCRIPTORS);
    let mut alee = person(&server, "alee").await;
    let mut bob = person(&server, "bob").await;
    alee.say(bob.id, "before").await;
    bob.hears("before").await;
    let before = open_descriptors(&server);
    let mut streams = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        streams.push(TcpStream::connect(server.address).await.unwrap());
    }
    // Files can be opened all the while.
    let http = reqwest::Client::new();
    let picture = crate::support::picture(64, 64, image::ImageFormat::Png);
    let mut sent_away = 0;
    for stream in streams.split_off(100) {
        let heard = hears(stream).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 503 "), "{heard}");
        sent_away += 1;
        assert!(open_descriptors(&server) < DESCRIPTORS as usize);
    }
    assert_eq!(sent_away, 500);
    alee.say(bob.id, "during").await;
    bob.hears("during").await;
    drop(streams);
    until("the end of the others", async || open_descriptors(&server) <= before).await;
    let form = crate::support::Form::file("cat.png", picture);
    let request = http.post(format!("http://{}/api/files", server.address)).bearer_auth(&alee.token);
    let request = request.header("content-type", crate::support::Form::content_type()).body(form.body());
    assert_eq!(request.send().await.unwrap().status(), 200);
    server.terminate();
    let (status, log) = server.ended();
    assert!(status.success());
    assert!(!log.iter().any(|line| line.contains("open files") || line.contains("cannot accept")), "{log:?}");
}

#[test]
fn a_limit_that_cannot_be_kept_is_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()];
    let output = run_to_end(&arguments, &[("NODEIM_CONNECTIONS_MAX", "10000000")]);
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && line.lines().count() == 1, "{line}");
    assert!(line.contains("10000000 connections need") && line.contains("lower connections_max"), "{line}");
}
