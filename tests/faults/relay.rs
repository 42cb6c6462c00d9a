//! A wire between the server and its database on which commits meet their fate.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How PostgreSQL's clients end a transaction.
const COMMIT: &[u8] = b"COMMIT\0";

/// What happens to a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It is carried out. Then the connection breaks, before the answer is back.
    AnswerLost,
    /// It arrives so much later. Then the connection breaks.
    Late(Duration),
    /// It does not arrive, and from then on nothing passes. Neither side is told: what is connected stays so, what
    /// connects waits.
    WireDead,
}

/// Hands on what comes in either direction, as long as it lives.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    wires: Arc<Wires>,
    _tasks: JoinSet<()>,
}

struct Wires {
    to: SocketAddr,
    /// Cancelled when the wires that there are go dead.
    alive: Mutex<CancellationToken>,
    /// Of the next commit, if it is a special one.
    fate: Mutex<Option<Fate>>,
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let wires = Arc::new(Wires { to, alive: Mutex::default(), fate: Mutex::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&wires)));
        Self { address, wires, _tasks: tasks }
    }

    /// The next commit meets this fate.
    pub(crate) fn doom(&self, fate: Fate) {
        *self.wires.fate.lock().unwrap() = Some(fate);
    }

    /// Whether it has.
    pub(crate) fn is_done(&self) -> bool {
        self.wires.fate.lock().unwrap().is_none()
    }

    /// New connections pass again. Those that went dead stay so.
    pub(crate) fn revive(&self) {
        *self.wires.alive.lock().unwrap() = CancellationToken::new();
    }
}

async fn accept(listener: TcpListener, wires: Arc<Wires>) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        connections.spawn(Arc::clone(&wires).connect(near));
    }
}

impl Wires {
    async fn connect(self: Arc<Self>, near: TcpStream) {
        let alive = self.alive.lock().unwrap().clone();
        if alive.is_cancelled() {
            return hold(near).await;
        }
        let Ok(far) = TcpStream::connect(self.to).await else {
            return;
        };
        // An error is that one side has ended; with that the other does.
        drop(self.carry(near, far, &alive).await);
    }

    async fn carry(&self, mut near: TcpStream, mut far: TcpStream, alive: &CancellationToken) -> io::Result<()> {
        let (mut question, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                biased;
                () = alive.cancelled() => hold((&near, &far)).await,
                read = near.read(&mut question) => {
                    let question = &question[..some(read)?];
                    match self.fate_of(question) {
                        None => far.write_all(question).await?,
                        Some(Fate::WireDead) => self.alive.lock().unwrap().cancel(),
                        Some(fate) => {
                            if let Fate::Late(by) = fate {
                                tokio::time::sleep(by).await;
                            }
                            far.write_all(question).await?;
                            some(far.read(&mut answer).await)?;
                            return Ok(());
                        }
                    }
                }
                read = far.read(&mut answer) => near.write_all(&answer[..some(read)?]).await?,
            }
        }
    }

    fn fate_of(&self, question: &[u8]) -> Option<Fate> {
        let is_commit = question.windows(COMMIT.len()).any(|window| window == COMMIT);
        self.fate.lock().unwrap().take_if(|_| is_commit)
    }
}

/// The end is an error, too.
fn some(read: io::Result<usize>) -> io::Result<usize> {
    read.and_then(|count| if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) })
}

/// Keeps something open until the end of the test.
async fn hold<T>(_open: T) {
    std::future::pending().await
}
