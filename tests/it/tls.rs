//! TLS on listeners: what is served, certificates that change, and strangers without TLS.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nodeim::config::{Config, Listening};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

use crate::support::{Mumi, Server, answer, run_to_end, until, within};

/// A certificate for `localhost` that signs itself, in files.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        files.renew();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Another certificate and key in the same files.
    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        write(&self.path("key.pem"), &made.signing_key.serialize_pem());
        write(&self.path("chain.pem"), &made.cert.pem());
    }

    fn configure(&self, config: &mut Config) {
        config.tls_certificate = self.path("chain.pem");
        config.tls_key = self.path("key.pem");
        config.tls_reload_interval_ms = 10;
    }

    /// A connection that takes no other certificate than the one that is in the file now.
    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("chain.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        within("a TLS handshake", TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }

    async fn mumi(&self, address: SocketAddr) -> Mumi {
        Mumi::over(Box::new(self.connect(address).await.unwrap()), "wss://localhost/").await
    }
}

/// Never twice with the same time of change, however coarse the file system's clock is.
fn write(path: &Path, text: &str) {
    let last = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    std::fs::write(path, text).unwrap();
    let next = last.map_or_else(|_| SystemTime::now(), |last| last + Duration::from_secs(1));
    std::fs::File::options().write(true).open(path).unwrap().set_modified(next).unwrap();
}

#[tokio::test]
async fn people_talk_over_tls() {
    let files = Files::new();
    let server = Server::with(|config| files.configure(config)).await;
    let mut alee = files.mumi(server.address).await;
    alee.register("alee@example.com").await;
    alee.login("alee@example.com").await;
    let mut bob = files.mumi(server.address).await;
    bob.register("bob@example.com").await;
    bob.login("bob@example.com").await;
    for n in 0..100 {
        // Larger than one record of TLS, and together more than the kernel's buffers.
        let text = format!("{n} {}", "字".repeat(5000));
        assert_eq!(alee.say(&bob.id, &text).await, 201);
        bob.hears(&text).await;
    }
    // An orderly end: nothing comes again.
    bob.close().await;
    let mut bob = files.mumi(server.address).await;
    until("the lock is free", async || {
        bob.code("login", json!({"email": "bob@example.com", "password": "111111"})).await == 202
    })
    .await;
    bob.heard_nothing().await;
}

#[tokio::test]
async fn pages_are_served_over_tls_and_other_listeners_stay_plain() {
    let files = Files::new();
    let server = Server::with(|config| {
        files.configure(config);
        config.listen_mumichat = Some((Ipv4Addr::LOCALHOST, 0).into());
    })
    .await;
    let mut stream = files.connect(server.address).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    within("the answer", tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut text)).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    // The other listener was not named.
    Mumi::connect(server.mumichat_address.unwrap()).await.heard_nothing().await;
}

#[tokio::test]
async fn listeners_are_chosen_by_name() {
    let files = Files::new();
    let server = Server::with(|config| {
        files.configure(config);
        config.listen_mumichat = Some((Ipv4Addr::LOCALHOST, 0).into());
        config.tls_listeners = vec![Listening::ListenMumichat];
    })
    .await;
    assert_eq!(server.get("/healthz").await.status(), 200);
    files.mumi(server.mumichat_address.unwrap()).await.heard_nothing().await;
}

#[tokio::test]
async fn new_certificates_are_taken_and_broken_ones_are_not() {
    let files = Files::new();
    let server = Server::with(|config| files.configure(config)).await;
    let mut before = files.mumi(server.address).await;
    files.renew();
    until("the new certificate", async || files.connect(server.address).await.is_ok()).await;
    // Connections live on.
    before.heard_nothing().await;

    let good = [files.path("chain.pem"), files.path("key.pem")].map(|path| std::fs::read_to_string(path).unwrap());
    let keeper = Files { dir: tempfile::tempdir().unwrap() };
    write(&keeper.path("chain.pem"), &good[0]);
    for (chain, key) in [("junk", good[1].as_str()), (&good[0], "junk"), ("", "")] {
        write(&files.path("chain.pem"), chain);
        write(&files.path("key.pem"), key);
        for _ in 0..5 {
            keeper.connect(server.address).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    files.renew();
    until("the next certificate", async || files.connect(server.address).await.is_ok()).await;
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_sent_away() {
    let files = Files::new();
    let server = Server::with(|config| {
        files.configure(config);
        config.header_timeout_ms = 100;
    })
    .await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(!answer(&mut plain).await.contains("HTTP/1.1"));
    // Nor is anybody waited for.
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(answer(&mut silent).await, "");
    files.mumi(server.address).await.heard_nothing().await;
}

#[tokio::test]
async fn whoever_does_not_read_is_cut_off_below_tls() {
    let files = Files::new();
    let server = Server::with(|config| {
        files.configure(config);
        config.outbox_max_bytes = 64 * 1024;
        config.socket_buffer_bytes = 64 * 1024;
    })
    .await;
    let mut alee = files.mumi(server.address).await;
    alee.register("alee@example.com").await;
    alee.login("alee@example.com").await;
    let mut slow = files.mumi(server.address).await;
    slow.register("slow@example.com").await;
    slow.login("slow@example.com").await;
    let text = "x".repeat(16_000);
    let mut sent = 0;
    while alee.say(&slow.id, &text).await == 201 {
        sent += 1;
        assert!(sent < 5000, "it is never cut off");
    }
    slow.gone().await;
}

#[test]
fn a_missing_certificate_stops_the_start() {
    let variables = [("NODEIM_TLS_CERTIFICATE", "/nowhere/chain.pem"), ("NODEIM_TLS_KEY", "/nowhere/key.pem")];
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()];
    let output = run_to_end(&arguments, &variables);
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && line.contains("cannot read /nowhere/chain.pem"), "{line}");
}
