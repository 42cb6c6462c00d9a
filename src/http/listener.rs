//! Accepts connections and serves HTTP on them. Our own loop, since every request needs to know its TCP
//! connection, and slow headers need a limit.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, warn};

use super::full::Doorkeeper;
use crate::config::Config;
use crate::transport::admission::Admission;
use crate::transport::tcp::{Peer, Stream};
use crate::transport::tls::Certificate;

/// After a failed accept (mostly: no file descriptors left) there is a pause, so that others can close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The first line of a request and its headers; past it the answer is 431.
const HEAD_MAX_BYTES: usize = 64 * 1024;

/// Connections that the kernel has made and nobody has accepted yet; it may allow fewer. When everybody comes back at
/// once, those who find no room wait for a second or more.
const BACKLOG: u32 = 4096;

/// A listening socket.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    header_timeout: Duration,
    user_timeout: Duration,
    certificate: Option<Arc<Certificate>>,
}

impl Listener {
    /// Binds an address; with a certificate everything there is encrypted.
    ///
    /// # Errors
    /// One line for the operator.
    pub async fn bind(
        address: SocketAddr,
        certificate: Option<Arc<Certificate>>,
        config: &Config,
    ) -> Result<Self, String> {
        let listener = listen(address);
        let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        Ok(Self {
            listener,
            address,
            header_timeout: Duration::from_millis(config.header_timeout_ms),
            user_timeout: Duration::from_millis(config.tcp_user_timeout_ms),
            certificate,
        })
    }

    /// Where it listens; tells the port when the configured one is 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether everything there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.certificate.is_some()
    }

    /// Accepts connections until `stopping`, as many as are admitted. Requests that are under way then are finished.
    pub async fn serve(self, router: Router, admission: Admission, stopping: CancellationToken, tasks: TaskTracker) {
        let doorkeeper = Doorkeeper::new(tasks.clone());
        while let Some(accepted) = stopping.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, address)) => {
                    // Over a socket of version 6 a client of version 4 is still itself.
                    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
                    let seat = match admission.connection(address.ip()) {
                        Ok(seat) => seat,
                        Err(full) => {
                            doorkeeper.send_away(stream, full, self.is_encrypted());
                            continue;
                        }
                    };
                    let (stream, peer) = Stream::accept(stream, address, seat, self.user_timeout);
                    let service = Service { router: router.clone(), header_timeout: self.header_timeout };
                    let (certificate, stopping) = (self.certificate.clone(), stopping.clone());
                    tasks.spawn(async move {
                        match certificate {
                            Some(certificate) => service.encrypted(&certificate, stream, peer, stopping).await,
                            None => service.serve(stream, peer, stopping).await,
                        }
                    });
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    async fn pause(&self, error: &io::Error) {
        warn!(%error, "cannot accept a connection");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart finds the port free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What serves one connection.
struct Service {
    router: Router,
    header_timeout: Duration,
}

impl Service {
    /// Shakes hands first, for which there is as much time as for the head of a request.
    async fn encrypted(self, certificate: &Certificate, stream: Stream, peer: Peer, stopping: CancellationToken) {
        let address = peer.address;
        let handshake = tokio::time::timeout(self.header_timeout, certificate.accept(stream));
        match stopping.run_until_cancelled(handshake).await {
            Some(Ok(Ok(stream))) => self.serve(stream, peer, stopping).await,
            Some(Ok(Err(error))) => debug!(%error, peer = %address, "a TLS handshake failed"),
            Some(Err(_)) => debug!(peer = %address, "a TLS handshake took too long"),
            None => {}
        }
    }

    async fn serve<S>(self, stream: S, peer: Peer, stopping: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = peer.address;
        let Self { router, header_timeout } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            router.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .max_header_size(HEAD_MAX_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let result = tokio::select! {
            result = &mut connection => result,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            debug!(%error, peer = %address, "an HTTP connection ended");
        }
    }
}
