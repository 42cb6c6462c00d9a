//! TCP streams that can be cut off from elsewhere.
//!
//! A writer that waits for a peer who does not read cannot be told to stop through the libraries above; shutting
//! the socket down under it does it.

use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::balance::Balance;
use super::crowd::Seat;

const KEEPALIVE: Duration = Duration::from_secs(60);

/// The other end of a TCP connection. Found in the extensions of every request that came over it.
#[derive(Debug, Clone)]
pub struct Peer {
    pub address: SocketAddr,
    socket: Weak<Socket>,
    written: Written,
}

/// A socket, and its place among all connections.
#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    seat: Seat,
}

/// A count of bytes that is shared by those who write and those who want to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<AtomicU64>);

impl Written {
    /// Moves the count on, for who counts otherwise than the stream itself.
    pub(crate) fn raise(&self, bytes: u64) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }
}

impl Peer {
    /// Bytes that the kernel has taken for the peer so far; with TLS those before encryption.
    pub fn written(&self) -> u64 {
        self.written.0.load(Ordering::Relaxed)
    }

    /// Ends the connection at once, whatever is being written to it.
    pub fn cut(&self) {
        if let Some(socket) = self.socket.upgrade()
            && let Err(error) = SockRef::from(&socket.stream).shutdown(Shutdown::Both)
        {
            tracing::debug!(%error, peer = %self.address, "the connection was gone already");
        }
    }

    /// Does something with the connection's place, as long as it lives.
    pub(crate) fn with_seat<T>(&self, act: impl FnOnce(&Seat) -> T) -> Option<T> {
        self.socket.upgrade().map(|socket| act(&socket.seat))
    }
}

/// Where the client is: the peer, or the one for whom a trusted proxy speaks.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// A stream that shares its socket with a [`Peer`].
///
/// A failure is told to who reads before it is told to who writes a little: engineioxide keeps a session for ever if its
/// very first packet cannot be written, but notices when it can read no more. What could not be written is not counted.
#[derive(Debug)]
pub struct Stream {
    socket: Arc<Socket>,
    written: Written,
    balance: Balance,
    failure: Failure,
}

/// How much is taken for written after a write has failed, until the reader knows: the answer to a request for a
/// websocket and the first packet on it.
const UNTOLD_MAX_BYTES: usize = 4096;

/// What is known of a socket that a write has failed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    None,
    Untold {
        kind: io::ErrorKind,
        bytes: usize,
    },
    /// The reader knows.
    Told,
}

impl Stream {
    /// Prepares an accepted socket: no delay for small packets, and an end for peers who are gone without a word
    /// or do not take what is sent to them for `user_timeout`.
    pub fn accept(stream: TcpStream, address: SocketAddr, seat: Seat, user_timeout: Duration) -> (Self, Peer) {
        let socket = SockRef::from(&stream);
        let options = [
            stream.set_nodelay(true),
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4)),
            set_user_timeout(&socket, user_timeout),
        ];
        for error in options.into_iter().filter_map(Result::err) {
            tracing::debug!(%error, peer = %address, "a socket option was refused");
        }
        let socket = Arc::new(Socket { stream, seat });
        let written = Written::default();
        let peer = Peer { address, socket: Arc::downgrade(&socket), written: written.clone() };
        (Self { socket, written, balance: Balance::default(), failure: Failure::None }, peer)
    }

    /// The same stream, and the count of its peer for who counts in its place.
    pub(crate) fn uncounted(self) -> (Self, Written) {
        let written = self.written.clone();
        (Self { written: Written::default(), ..self }, written)
    }
}

#[cfg(target_os = "linux")]
fn set_user_timeout(socket: &SockRef<'_>, timeout: Duration) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(timeout))
}

#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_socket: &SockRef<'_>, _timeout: Duration) -> io::Result<()> {
    Ok(())
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.balance.poll_may_read(cx));
        if let Failure::Untold { kind, .. } = self.failure {
            self.failure = Failure::Told;
            return Poll::Ready(Err(kind.into()));
        }
        loop {
            ready!(self.socket.stream.poll_read_ready(cx))?;
            let room = buffer.remaining();
            let mut count = None;
            let attempt = self.socket.stream.try_io(Interest::READABLE, || {
                let read = self.socket.stream.try_read(buffer.initialize_unfilled())?;
                count = Some(read);
                // There was no more: said so here, the next read need not ask the kernel to learn it.
                if 0 < read && read < room { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (count, attempt) {
                (Some(count), _) => {
                    buffer.advance(count);
                    self.balance.read(count);
                    return Poll::Ready(Ok(()));
                }
                (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                (None, _) => {}
            }
        }
    }
}

impl Stream {
    /// A write of `bytes` has failed.
    fn failed(&mut self, error: io::Error, bytes: usize) -> io::Result<usize> {
        let before = match self.failure {
            Failure::None => 0,
            Failure::Untold { bytes, .. } => bytes,
            Failure::Told => return Err(error),
        };
        self.failure = Failure::Untold { kind: error.kind(), bytes: before.saturating_add(bytes) };
        if before.saturating_add(bytes) > UNTOLD_MAX_BYTES { Err(error) } else { Ok(bytes) }
    }

    /// Writes. `bytes` says how much.
    fn poll_try(
        &mut self,
        cx: &mut Context<'_>,
        bytes: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.socket.stream.poll_write_ready(cx)?.is_pending() {
                self.balance.stalled();
                return Poll::Pending;
            }
            match write(&self.socket.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    self.balance.wrote(0);
                    return Poll::Ready(self.failed(error, bytes));
                }
                Ok(count) => {
                    self.written.0.fetch_add(count as u64, Ordering::Relaxed);
                    self.balance.wrote(count);
                    return Poll::Ready(Ok(count));
                }
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_try(cx, bytes.len(), |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        self.poll_try(cx, bytes, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&self.socket.stream).shutdown(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}
