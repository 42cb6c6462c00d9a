//! A real server in this process, on a port and a database of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;

use nodeim::app::App;
use nodeim::config::Config;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Client, Database, Revision, within};

/// A running server. It ends, in order, with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Of the listener for MumiChat alone, if there is one.
    pub(crate) mumichat_address: Option<SocketAddr>,
    config: Config,
    // Before the database: fields are dropped from first to last.
    running: Running,
    pub(crate) database: Database,
}

impl Server {
    /// With the default configuration, but quick password hashes.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With some fields of the configuration changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = Database::new().await;
        let mut config = Config {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            data_dir: database.data_dir(),
            database_url: database.url(),
            database_connections: 4,
            bcrypt_cost: 4,
            ..Config::defaults()
        };
        change(&mut config);
        Self::run(config, database).await
    }

    async fn run(config: Config, database: Database) -> Self {
        let (running, address, mumichat_address) = Running::start(config.clone()).await;
        Self { address, mumichat_address, config, running, database }
    }

    /// Shuts down in order and starts again on the same data, on another port.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same, with some fields of the configuration changed.
    pub(crate) async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        drop(self.running);
        let mut config = self.config;
        change(&mut config);
        Self::run(config, self.database).await
    }

    /// A connection over websocket, of the newest revision.
    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address, Revision::V4).await
    }

    /// Somebody new, signed in.
    pub(crate) async fn person(&self, username: &str) -> Client {
        let mut client = self.connect().await;
        client.become_new(username).await;
        client
    }

    /// Another connection of somebody who has an account, signed in.
    pub(crate) async fn device(&self, username: &str) -> Client {
        let mut client = self.newcomer(username).await;
        client.sign_in().await;
        client
    }

    /// A connection of somebody who has an account and has not signed in on it yet.
    pub(crate) async fn newcomer(&self, username: &str) -> Client {
        let mut client = self.connect().await;
        client.username = username.to_owned();
        client
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(self.url(path)).await.unwrap()
    }

    /// Tasks that the server has at this moment, its libraries' too.
    pub(crate) fn tasks(&self) -> usize {
        self.running.runtime.metrics().num_alive_tasks()
    }

    /// The value of the figure whose line begins with `series`; 0 if there is none yet.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map(|value| value.parse().unwrap()).unwrap_or_default()
    }
}

/// The server's own thread and runtime, as a process would have them.
struct Running {
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    async fn start(config: Config) -> (Self, SocketAddr, Option<SocketAddr>) {
        let (started, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all().build().unwrap().block_on(async {
                let app = App::start(config).await.unwrap();
                started.send((Handle::current(), app.address(), app.mumichat_address())).unwrap();
                // Ends as well when the other side is dropped.
                drop(stopped.await);
                app.shutdown().await;
            });
        });
        let started = within("the start of the server", address).await;
        let (runtime, address, mumichat_address) = started.unwrap();
        (Self { runtime, stop: Some(stop), thread: Some(thread) }, address, mumichat_address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        // A second panic would hide what failed first.
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the server's thread panicked");
    }
}
