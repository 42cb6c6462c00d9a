//! TLS under everything else: the certificate, which is read again when its files change, and a stream whose bytes are
//! counted as on a plain one.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::tcp::{Stream, Written};

/// What the library may hold of encrypted bytes that the kernel has not taken yet.
const BUFFER_MAX_BYTES: usize = 64 * 1024;

/// A certificate with its key, for all listeners that want one.
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: RwLock<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    modified: Modified,
}

/// When the two files were changed last, as far as the file system tells.
type Modified = [Option<SystemTime>; 2];

impl Certificate {
    /// Reads PEM files: the chain, beginning with the server's own certificate, and its key.
    ///
    /// # Errors
    /// One line for the operator.
    pub fn open(chain_file: PathBuf, key_file: PathBuf) -> Result<Self, String> {
        let modified = modified(&chain_file, &key_file);
        let config = read(&chain_file, &key_file)?;
        let current = RwLock::new(Current { config, modified });
        Ok(Self { chain_file, key_file, current })
    }

    /// Looks each `interval` whether the files have changed, and if so reads them. From then on new connections get the
    /// new certificate. As long as the files cannot be used, they get the one before.
    pub async fn keep_fresh(self: Arc<Self>, interval: Duration, stopping: CancellationToken) {
        while stopping.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
            let certificate = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || certificate.refresh()).await {
                warn!(%error, "could not look at the certificate");
            }
        }
    }

    fn refresh(&self) {
        let modified = modified(&self.chain_file, &self.key_file);
        if self.current.read().modified == modified {
            return;
        }
        match read(&self.chain_file, &self.key_file) {
            Ok(config) => {
                *self.current.write() = Current { config, modified };
                info!(file = %self.chain_file.display(), "took a new certificate");
            }
            Err(error) => {
                // Said once for each change, not at each look.
                self.current.write().modified = modified;
                warn!(error, "the new certificate cannot be used, the one before stays");
            }
        }
    }

    /// Shakes hands on an accepted connection.
    pub(crate) async fn accept(&self, stream: Stream) -> io::Result<Encrypted> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.read().config));
        let (stream, written) = stream.uncounted();
        let mut stream = acceptor.accept(stream).await?;
        stream.get_mut().1.set_buffer_limit(Some(BUFFER_MAX_BYTES));
        Ok(Encrypted { stream, accepted: 0, written })
    }
}

fn modified(chain_file: &PathBuf, key_file: &PathBuf) -> Modified {
    [chain_file, key_file].map(|file| std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok())
}

fn read(chain_file: &PathBuf, key_file: &PathBuf) -> Result<Arc<ServerConfig>, String> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(chain_file).and_then(|certificates| certificates.collect());
    let chain = chain.map_err(|error| format!("cannot read {}: {error}", chain_file.display()))?;
    let key = PrivateKeyDer::from_pem_file(key_file);
    let key = key.map_err(|error| format!("cannot read {}: {error}", key_file.display()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_no_client_auth())
        .and_then(|builder| builder.with_single_cert(chain, key));
    let mut config =
        config.map_err(|error| format!("cannot use {} with {}: {error}", chain_file.display(), key_file.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// An encrypted stream. Its [`Peer`](super::tcp::Peer) counts the bytes before encryption, so that those who compare the
/// count with what they have sent need not know of TLS. It never counts what has not reached the kernel: while the
/// library holds something, as much is left out as it may hold.
pub(crate) struct Encrypted {
    stream: TlsStream<Stream>,
    accepted: u64,
    written: Written,
}

impl Encrypted {
    fn count(&self) {
        let held = if self.stream.get_ref().1.wants_write() { BUFFER_MAX_BYTES as u64 } else { 0 };
        self.written.raise(self.accepted.saturating_sub(held));
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &result {
            self.accepted += *count as u64;
        }
        self.count();
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.count();
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    use super::*;
    use crate::transport::crowd::Crowd;

    const BYTES: usize = 64 << 20;

    /// A server's end of an encrypted connection with its peer, and the client's end.
    async fn pair() -> (Encrypted, crate::transport::tcp::Peer, tokio_rustls::client::TlsStream<TcpStream>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let certificate = Certificate::open(chain, key).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, address) = listener.accept().await.unwrap();
        let (accepted, peer) =
            Stream::accept(accepted, address, Crowd::new(1, 1).seat().unwrap(), Duration::from_secs(30));
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let (server, client) = tokio::join!(certificate.accept(accepted), connector.connect(name, stream));
        (server.unwrap(), peer, client.unwrap())
    }

    #[tokio::test]
    async fn the_count_is_of_plain_bytes_that_the_kernel_has() {
        let (mut server, peer, mut client) = pair().await;
        assert_eq!(peer.written(), 0);
        server.write_all(b"hello").await.unwrap();
        server.flush().await.unwrap();
        assert_eq!(peer.written(), 5);

        // More than the kernel takes while nobody reads: what waits is not counted.
        let text = vec![b'x'; BYTES];
        let writing = async {
            server.write_all(&text).await.unwrap();
            server.flush().await.unwrap();
        };
        tokio::pin!(writing);
        while peer.written() == 5 {
            assert!(std::future::poll_fn(|cx| Poll::Ready(writing.as_mut().poll(cx))).await.is_pending());
            tokio::task::yield_now().await;
        }
        assert!(peer.written() < BYTES as u64);
        let mut read = vec![0; BYTES + 5];
        let ((), result) = tokio::join!(writing, client.read_exact(&mut read));
        result.unwrap();
        assert_eq!(peer.written(), BYTES as u64 + 5);
    }

    #[tokio::test]
    async fn a_writer_who_waits_can_be_cut_off() {
        let (mut server, peer, _client) = pair().await;
        let text = vec![b'x'; 64 << 20];
        let (result, ()) = tokio::join!(
            async {
                server.write_all(&text).await?;
                server.flush().await
            },
            async { peer.cut() }
        );
        assert!(result.is_err());
    }
}
