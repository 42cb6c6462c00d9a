//! Listeners of their own for wires that want the root.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

use crate::support::{Mumi, Server, run_to_end};

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

#[tokio::test]
async fn mumichat_has_the_root_of_its_own_listener() {
    let server = Server::with(|config| config.listen_mumichat = Some(any_port())).await;
    let address = server.mumichat_address.unwrap();
    assert_ne!(address, server.address);
    let mut alee = Mumi::connect(address).await;
    alee.register("alee@example.com").await;
    alee.login("alee@example.com").await;
    let mut bob = server.mumi_person("bob@example.com").await;
    assert_eq!(alee.say(&bob.id, "over there").await, 201);
    bob.hears("over there").await;

    let get = async |path: &str| reqwest::get(format!("http://{address}{path}")).await.unwrap();
    assert_eq!(get("/test").await.json::<Value>().await.unwrap(), json!({"message": "test"}));
    // Nothing else is there.
    assert_eq!(get("/").await.status(), 426);
    for path in ["/metrics", "/healthz", "/socket.io/?EIO=4&transport=polling", "/app/app.js"] {
        assert_eq!(get(path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn both_listeners_end_in_order() {
    let server = Server::with(|config| config.listen_mumichat = Some(any_port())).await;
    let mut alee = Mumi::connect(server.mumichat_address.unwrap()).await;
    alee.register("alee@example.com").await;
    alee.login("alee@example.com").await;
    let server = server.restart().await;
    alee.gone().await;
    Mumi::connect(server.mumichat_address.unwrap()).await.login("alee@example.com").await;
}

#[test]
fn a_wrong_listener_is_one_clear_line() {
    for (variable, value, expected) in [
        ("NODEIM_LISTEN_MUMICHAT", "nowhere", "listen_mumichat"),
        ("NODEIM_TLS_CERTIFICATE", "x.pem", "tls_certificate and tls_key must be given together"),
        ("NODEIM_TLS_LISTENERS", "listen,elsewhere", "tls_listeners"),
    ] {
        let output = run_to_end(&["config"], &[(variable, value)]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && line.lines().count() == 1 && line.contains(expected), "{value}: {line}");
    }
}
