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

const KEEPALIVE: Duration = Duration::from_secs(60);

/// The other end of a TCP connection. Found in the extensions of every request that came over it.
#[derive(Debug, Clone)]
pub struct Peer {
    pub address: SocketAddr,
    stream: Weak<TcpStream>,
    written: Written,
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
        if let Some(stream) = self.stream.upgrade()
            && let Err(error) = SockRef::from(&*stream).shutdown(Shutdown::Both)
        {
            tracing::debug!(%error, peer = %self.address, "the connection was gone already");
        }
    }
}

/// Where the client is: the peer, or the one for whom a trusted proxy speaks.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// A stream that shares its socket with a [`Peer`].
#[derive(Debug)]
pub struct Stream {
    socket: Arc<TcpStream>,
    written: Written,
}

impl Stream {
    /// Prepares an accepted socket: no delay for small packets, and an end for peers who are gone without a word
    /// or do not take what is sent to them for `user_timeout`.
    pub fn accept(stream: TcpStream, address: SocketAddr, user_timeout: Duration) -> (Self, Peer) {
        let socket = SockRef::from(&stream);
        let options = [
            stream.set_nodelay(true),
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4)),
            set_user_timeout(&socket, user_timeout),
        ];
        for error in options.into_iter().filter_map(Result::err) {
            tracing::debug!(%error, peer = %address, "a socket option was refused");
        }
        let stream = Arc::new(stream);
        let written = Written::default();
        let peer = Peer { address, stream: Arc::downgrade(&stream), written: written.clone() };
        (Self { socket: stream, written }, peer)
    }

    /// The same stream, and the count of its peer for who counts in its place.
    pub(crate) fn uncounted(self) -> (Self, Written) {
        (Self { socket: self.socket, written: Written::default() }, self.written)
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
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.socket.poll_read_ready(cx))?;
            let room = buffer.remaining();
            let mut count = None;
            let attempt = self.socket.try_io(Interest::READABLE, || {
                let read = self.socket.try_read(buffer.initialize_unfilled())?;
                count = Some(read);
                // There was no more: said so here, the next read need not ask the kernel to learn it.
                if 0 < read && read < room { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (count, attempt) {
                (Some(count), _) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                (None, _) => {}
            }
        }
    }
}

impl Stream {
    fn poll_try(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_write_ready(cx))?;
            match write(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    self.written.0.fetch_add(count as u64, Ordering::Relaxed);
                    return Poll::Ready(Ok(count));
                }
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_try(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_try(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&*self.socket).shutdown(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}
