//! The server as a whole: builds every part, holds them, shuts them down in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::blobs::Disk;
use crate::chat::error::Error;
use crate::chat::files::Files;
use crate::chat::{Announcer, Chat, Indexer};
use crate::config::{Config, Listening};
use crate::descriptors;
use crate::dialect::mumichat::Mumichat;
use crate::dialect::nodeim::Nodeim;
use crate::http::{self, Listener, Parts};
use crate::hub::{Hub, LocalBus};
use crate::logging;
use crate::metrics::Metrics;
use crate::store::{Batcher, Store};
use crate::transport::Connections;
use crate::transport::admission::Admission;
use crate::transport::jsonsocket::{JsonSockets, Options};
use crate::transport::socketio::SocketIoTransport;
use crate::transport::socketio09::SocketIo09;
use crate::transport::tls::Certificate;

/// Commits whose messages wait to be announced. A few: the batcher shall not run far ahead of the fan-out.
const SETTLED_QUEUE: usize = 4;
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// What is left for closing the database when clients took all the time there was.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const SHUTDOWN_POLL: Duration = Duration::from_millis(5);

/// A running server.
pub struct App {
    address: SocketAddr,
    mumichat_address: Option<SocketAddr>,
    config: Arc<Config>,
    store: Store,
    connections: Vec<Arc<dyn Connections>>,
    stopping: CancellationToken,
    /// Nothing is sent any more.
    sealed: CancellationToken,
    tasks: TaskTracker,
}

impl App {
    /// Opens the database and the listening socket, and starts to serve.
    ///
    /// # Errors
    /// One line for the operator.
    pub async fn start(config: Config) -> Result<Self, String> {
        let config = Arc::new(config);
        let metrics = Metrics::new().map_err(|error| error.to_string())?;
        let store = Store::open(&config).await?;
        let certificate = certificate(&config)?;
        let most = descriptors::connections(&config, descriptors::available())?;
        let admission = Admission::new(&config, most, Arc::clone(&metrics));
        let certificate_of = |listener| certificate.clone().filter(|_| config.is_encrypted(listener));
        let listener = Listener::bind(config.listen, certificate_of(Listening::Listen), &config).await?;
        let mumichat_listener = match config.listen_mumichat {
            Some(address) => Some(Listener::bind(address, certificate_of(Listening::ListenMumichat), &config).await?),
            None => None,
        };
        let tasks = TaskTracker::new();
        let stopping = CancellationToken::new();

        let hub = Arc::new(Hub::new(Arc::new(LocalBus), Arc::clone(&metrics)));
        let (jobs, queue) = mpsc::channel(config.commit_queue_max);
        let (settled, announced) = mpsc::channel(SETTLED_QUEUE);
        let (batch_max, sealed) = (config.commit_batch_max, CancellationToken::new());
        let batcher = Batcher::new(store.clone(), queue, settled, batch_max, sealed.clone(), Arc::clone(&metrics));
        tasks.spawn(batcher.run());
        let news = Arc::new(Notify::new());
        tasks.spawn(Announcer::new(Arc::clone(&hub), announced, Arc::clone(&news)).run());
        tasks.spawn(Indexer::new(store.clone(), news).run(stopping.clone()));

        let disk = Arc::new(Disk::open(&config).await?);
        let files = Files::open(&config, &store, Arc::clone(&disk) as _, Arc::clone(&metrics)).await;
        let files = files.map_err(|error| in_one_line(&error))?;
        let chat = Chat::new(&config, store.clone(), hub, files, jobs, tasks.clone());
        let chat = Arc::new(chat.map_err(|error| in_one_line(&error))?);
        let nodeim = Arc::new(Nodeim::new(Arc::clone(&chat), &config, Arc::clone(&metrics)));
        let transport =
            SocketIoTransport::new(Arc::clone(&nodeim), Arc::clone(&config), tasks.clone(), Arc::clone(&metrics));
        let old = SocketIo09::new(nodeim, Arc::clone(&config), admission.clone(), tasks.clone(), Arc::clone(&metrics));
        let mumichat = Arc::new(Mumichat::new(Arc::clone(&chat), &config, Arc::clone(&metrics)));
        let options = mumichat_options(&config);
        let mumichat = JsonSockets::new(mumichat, options, Arc::clone(&config), tasks.clone(), Arc::clone(&metrics));
        let registry = transport.registry();
        let connections =
            vec![Arc::clone(&registry) as Arc<dyn Connections>, old.connections(), mumichat.connections()];
        let parts = Parts {
            config: Arc::clone(&config),
            store: store.clone(),
            metrics: Arc::clone(&metrics),
            admission: admission.clone(),
            registry,
            connections: connections.clone(),
            chat: Arc::clone(&chat),
            disk,
            mumichat,
        };
        let mumichat_router = http::mumichat_router(parts.clone());
        let router = http::router(parts, transport.layers(), old.gate());
        tasks.spawn(keep_swept(transport, Duration::from_millis(config.ping_interval_ms), stopping.clone()));

        let address = listener.address();
        let mut listening = vec![format!("http{}://{address}", s_if(listener.is_encrypted()))];
        listening.extend(
            mumichat_listener
                .as_ref()
                .map(|listener| format!("ws{}://{} for MumiChat", s_if(listener.is_encrypted()), listener.address())),
        );
        let mumichat_address = mumichat_listener.as_ref().map(Listener::address);
        tasks.spawn(listener.serve(router, admission.clone(), stopping.clone(), tasks.clone()));
        if let Some(listener) = mumichat_listener {
            tasks.spawn(listener.serve(mumichat_router, admission, stopping.clone(), tasks.clone()));
        }
        tasks.spawn(keep_marks(Arc::clone(&chat), connections.clone(), heartbeat(&config), stopping.clone()));
        tasks.spawn(keep_clean(chat, Duration::from_millis(config.cleanup_interval_ms), stopping.clone()));
        tasks.spawn(keep_tidy(metrics, stopping.clone()));
        if let Some(certificate) = certificate {
            let interval = Duration::from_millis(config.tls_reload_interval_ms);
            tasks.spawn(certificate.keep_fresh(interval, stopping.clone()));
        }
        for listening in listening {
            info!("listening on {listening}");
        }
        info!(connections = most, "ready");
        Ok(Self { address, mumichat_address, config, store, connections, stopping, sealed, tasks })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for MumiChat's clients alone.
    pub fn mumichat_address(&self) -> Option<SocketAddr> {
        self.mumichat_address
    }

    /// Accepts nothing more, carries out what was accepted, commits it, lets the clients go so that they come back
    /// elsewhere, and closes the database.
    pub async fn shutdown(self) {
        info!("shutting down");
        let deadline = Instant::now() + Duration::from_millis(self.config.shutdown_timeout_ms);
        if timeout_at(deadline, self.finish()).await.is_err() {
            warn!("some connections did not finish in time");
        }
        // Cutting the connections, rather than saying goodbye, is what makes clients come back by themselves.
        for connections in &self.connections {
            connections.cut();
        }
        self.sealed.cancel();
        self.tasks.close();
        let deadline = deadline.max(Instant::now() + CLOSE_TIMEOUT);
        if timeout_at(deadline, self.tasks.wait()).await.is_err() {
            warn!(tasks = self.tasks.len(), "some tasks did not end in time");
        }
        let deadline = deadline.max(Instant::now() + CLOSE_TIMEOUT);
        if timeout_at(deadline, self.store.close()).await.is_err() {
            warn!("the database did not close in time");
        }
        info!("stopped");
    }

    async fn finish(&self) {
        self.stopping.cancel();
        loop {
            // Each time: a client that was just being accepted may still appear.
            for connections in &self.connections {
                connections.close_inboxes();
            }
            if self.connections.iter().all(|connections| connections.is_quiet()) {
                break;
            }
            tokio::time::sleep(SHUTDOWN_POLL).await;
        }
    }
}

/// For the operator, so with the cause.
fn in_one_line(error: &Error) -> String {
    match error.cause() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn certificate(config: &Config) -> Result<Option<Arc<Certificate>>, String> {
    if config.tls_certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let certificate = Certificate::open(config.tls_certificate.clone(), config.tls_key.clone())?;
    Ok(Some(Arc::new(certificate)))
}

fn s_if(encrypted: bool) -> &'static str {
    if encrypted { "s" } else { "" }
}

fn mumichat_options(config: &Config) -> Options {
    Options {
        name: "mumichat",
        frame_max_bytes: config.mumichat_frame_max_bytes,
        ping_interval: Duration::from_millis(config.mumichat_ping_interval_ms),
        ping_timeout: Duration::from_millis(config.mumichat_ping_timeout_ms),
    }
}

/// Marks age by generations of at least this length.
fn heartbeat(config: &Config) -> Duration {
    Duration::from_millis(config.ping_interval_ms + config.ping_timeout_ms)
}

/// A generation is long enough for every transport that is in use to notice that a client is dead: what was noted
/// before a whole one has arrived.
async fn keep_marks(
    chat: Arc<Chat>,
    connections: Vec<Arc<dyn Connections>>,
    least: Duration,
    stopping: CancellationToken,
) {
    let unnoticed = || connections.iter().map(|connections| connections.unnoticed()).fold(least, Duration::max);
    while stopping.run_until_cancelled(tokio::time::sleep(unnoticed())).await.is_some() {
        chat.store_aged_marks().await;
    }
}

async fn keep_swept(transport: Arc<SocketIoTransport<Nodeim>>, interval: Duration, stopping: CancellationToken) {
    while stopping.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
        transport.sweep();
    }
}

async fn keep_clean(chat: Arc<Chat>, interval: Duration, stopping: CancellationToken) {
    while stopping.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
        if let Some(Err(error)) = stopping.run_until_cancelled(chat.clean_up()).await {
            warn!(%error, cause = error.cause(), "the cleanup stopped early");
        }
    }
}

async fn keep_tidy(metrics: Arc<Metrics>, stopping: CancellationToken) {
    while stopping.run_until_cancelled(tokio::time::sleep(UPKEEP_INTERVAL)).await.is_some() {
        metrics.tidy();
        logging::tell_what_was_left_out();
    }
}
