//! A wire between the server and its database that can go dead, or lose an answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How PostgreSQL's clients end a transaction.
const COMMIT: &[u8] = b"COMMIT\0";

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
    dead: Mutex<bool>,
    /// Commits whose answers are to be lost.
    to_lose: AtomicUsize,
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let alive = Mutex::new(CancellationToken::new());
        let wires = Arc::new(Wires { to, alive, dead: Mutex::default(), to_lose: AtomicUsize::new(0) });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&wires)));
        Self { address, wires, _tasks: tasks }
    }

    /// From now on nothing passes, and neither side is told: what is connected stays so, what connects waits.
    pub(crate) fn go_dead(&self) {
        *self.wires.dead.lock().unwrap() = true;
        self.wires.alive.lock().unwrap().cancel();
    }

    /// New connections pass again. Those from before stay dead.
    pub(crate) fn revive(&self) {
        *self.wires.alive.lock().unwrap() = CancellationToken::new();
        *self.wires.dead.lock().unwrap() = false;
    }

    /// The connection of the next commit breaks, after the database has carried it out and before the answer is back.
    pub(crate) fn lose_answer(&self) {
        self.wires.to_lose.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether every answer that was to be lost has been.
    pub(crate) fn has_lost_all(&self) -> bool {
        self.wires.to_lose.load(Ordering::Relaxed) == 0
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
        if *self.dead.lock().unwrap() {
            return hold(near).await;
        }
        let Ok(far) = TcpStream::connect(self.to).await else {
            return;
        };
        self.carry(near, far, &alive).await;
    }

    /// Until one side ends, or an answer is lost. A dead wire holds both sides for ever.
    async fn carry(&self, mut near: TcpStream, mut far: TcpStream, alive: &CancellationToken) {
        let (mut question, mut answer) = ([0; 1 << 16], [0; 1 << 16]);
        let mut is_losing = false;
        loop {
            tokio::select! {
                () = alive.cancelled() => return hold((near, far)).await,
                read = near.read(&mut question) => {
                    let Ok(count @ 1..) = read else { return };
                    let question = &question[..count];
                    is_losing = question.windows(COMMIT.len()).any(|window| window == COMMIT) && self.takes_a_loss();
                    if far.write_all(question).await.is_err() {
                        return;
                    }
                }
                read = far.read(&mut answer) => {
                    let Ok(count @ 1..) = read else { return };
                    if is_losing || near.write_all(&answer[..count]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn takes_a_loss(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.to_lose.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

/// Keeps something open until the end of the test.
async fn hold<T>(_open: T) {
    std::future::pending().await
}
