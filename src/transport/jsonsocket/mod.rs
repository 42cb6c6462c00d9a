//! One JSON value in each websocket frame, without names or acknowledgements: for wires that are nothing but that.
//!
//! Each connection has two tasks: one talks with the socket, the other is the connection's own and carries out what
//! the client asks for. A client that is silent is pinged, and cut off when it does not answer.

mod clock;
mod connection;
mod talk;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::error;

use self::connection::{Arrived, Connection};
use self::talk::Conversation;
use super::run::{refuse_unheard, run};
use super::tcp::{ClientAddress, Peer};
use super::websocket::{Socket, Upgrade, converse};
use super::{Connections, Dialect, Link, Name, Way};
use crate::chat::Ending;
use crate::config::Config;
use crate::hub::Port;
use crate::metrics::Metrics;
use clock::Clock;

/// What is particular to one wire.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// For the figures and the log.
    pub name: &'static str,
    /// A larger frame ends the connection.
    pub frame_max_bytes: usize,
    /// A client that was silent for so long is pinged.
    pub ping_interval: Duration,
    /// It is cut off when it stays silent for so long after that.
    pub ping_timeout: Duration,
}

/// The websockets of one dialect.
pub struct JsonSockets<D> {
    dialect: Arc<D>,
    options: Options,
    config: Arc<Config>,
    open: Arc<Open>,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

/// The live connections.
struct Open {
    connections: DashMap<u64, Arc<Connection>>,
    options: Options,
}

impl<D: Dialect> JsonSockets<D> {
    pub fn new(
        dialect: Arc<D>,
        options: Options,
        config: Arc<Config>,
        tasks: TaskTracker,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let open = Arc::new(Open { connections: DashMap::new(), options });
        Arc::new(Self { dialect, options, config, open, tasks, metrics })
    }

    /// The live connections.
    pub fn connections(&self) -> Arc<dyn Connections> {
        Arc::clone(&self.open) as Arc<dyn Connections>
    }

    /// Answers a request for a websocket, which is served from then on. Any origin will do.
    pub fn accept(self: &Arc<Self>, mut request: Request) -> Response {
        let Some(peer) = request.extensions().get::<Peer>().cloned() else {
            error!("a request came over no TCP connection of this server's");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let address = request.extensions().get::<ClientAddress>().map_or(unknown, |at| at.0);
        let (response, upgrade) = match Upgrade::accept(&mut request, self.options.frame_max_bytes) {
            Ok(accepted) => accepted,
            Err(response) => return *response,
        };
        let sockets = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Some(socket) = upgrade.socket().await {
                sockets.serve(socket, peer, address).await;
            }
        });
        response
    }

    /// Talks until the connection has ended.
    async fn serve<S>(self: Arc<Self>, socket: Socket<S>, peer: Peer, address: IpAddr)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let name = Name::of(self.options.name);
        let clock = Clock::new(self.options.ping_interval, self.options.ping_timeout, Instant::now());
        let connection = Arc::new(Connection::new(name, address, peer, clock, &self.config, Arc::clone(&self.metrics)));
        self.open.connections.insert(name.number(), Arc::clone(&connection));
        let session = self.tasks.spawn(Arc::clone(&self).attend(Arc::clone(&connection)));

        let refuse = |(arrived, why): (Arrived, _)| {
            let call = arrived.into_call();
            refuse_unheard(&*self.dialect, &self.metrics, &link(&connection), call, why, connection.pace.as_ref());
        };
        let end = converse(socket, &Conversation::new(&connection, refuse)).await;
        connection.has_ended(end);
        // Until then the shutdown waits for it.
        if let Err(error) = session.await {
            error!(%error, conn.id = %connection.name, "a connection's task failed");
        }
        self.open.connections.remove(&name.number());
    }

    /// The connection's own task.
    async fn attend(self: Arc<Self>, connection: Arc<Connection>) {
        let (pace, metrics) = (connection.pace.as_ref(), &self.metrics);
        run(&*self.dialect, link(&connection), &connection.inbox, pace, metrics, Arrived::into_call).await;
        connection.leave();
    }
}

fn link(connection: &Arc<Connection>) -> Link {
    let way = Arc::clone(connection) as Arc<dyn Way>;
    Link { way, address: connection.address, name: connection.name, is_09: false }
}

impl Connections for Open {
    fn close_inboxes(&self) {
        for connection in &self.connections {
            connection.inbox.close(Ending::Orderly);
        }
    }

    fn is_quiet(&self) -> bool {
        self.connections.iter().all(|connection| connection.is_over())
    }

    fn cut(&self) {
        for connection in &self.connections {
            connection.close();
        }
    }

    fn count(&self) -> Vec<(&'static str, usize)> {
        vec![(self.options.name, self.connections.len())]
    }

    /// A ping that was on its way before proves nothing when it is answered; the next one does.
    fn unnoticed(&self) -> Duration {
        match self.connections.is_empty() {
            true => Duration::ZERO,
            false => self.options.ping_interval + 2 * self.options.ping_timeout,
        }
    }
}
