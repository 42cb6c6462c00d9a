//! A server that is attacked while people talk. In the end they have not noticed, and nothing of it is left: no
//! connection, no session, no task.

mod crowd;
mod descriptors;
mod floods;
mod frames;
mod half_open;
mod log;
mod memory;
mod namespaces;
mod outside;
mod passwords;
mod slow;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::SinkExt;
use nodeim::config::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Server, until, within};

/// Between two words.
const PAUSE: Duration = Duration::from_millis(20);

/// A server, and two people who talk.
struct Siege {
    server: Server,
    alee: Client,
    bob: Client,
    tasks: usize,
}

impl Siege {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let server = Server::with(|config| {
            // What is promised and not taken is forgotten after this.
            config.connect_timeout_ms = 3000;
            change(config);
        });
        Self::of(server.await).await
    }

    async fn of(server: Server) -> Self {
        let alee = server.person("alee").await;
        let bob = server.person("bob").await;
        let mut siege = Self { server, alee, bob, tasks: 0 };
        siege.undisturbed().await;
        siege.alone().await;
        siege.tasks = siege.server.tasks();
        siege
    }

    /// The two talk.
    async fn undisturbed(&mut self) {
        self.alee.say(self.bob.id, "undisturbed").await;
        self.bob.hears("undisturbed").await;
        self.bob.say(self.alee.id, "neither").await;
        self.alee.hears("neither").await;
    }

    /// They talk as long as an attack goes on.
    async fn during<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let talk = async {
            loop {
                self.undisturbed().await;
                tokio::time::sleep(PAUSE).await;
            }
        };
        let attack = within("the end of an attack", attack);
        tokio::select! {
            result = attack => result,
            never = talk => never,
        }
    }

    /// There are the connections of the two and the one that asks for figures, and nobody else's.
    async fn alone(&mut self) {
        until("the end of all other connections", async || {
            // Whoever waits answers heartbeats, too.
            self.alee.ok("friends", json!({})).await;
            self.bob.ok("friends", json!({})).await;
            self.server.metric("nodeim_tcp_connections").await == 3.0
                && self.server.metric("nodeim_socketio_sessions").await == 2.0
                && self.server.metric("nodeim_connections{transport=\"websocket\"}").await == 2.0
        })
        .await;
        for transport in ["polling", "websocket09", "xhr09", "jsonp09", "mumichat"] {
            let open = self.server.metric(&format!("nodeim_connections{{transport=\"{transport}\"}}")).await;
            assert_eq!(open, 0.0, "{transport}");
        }
    }

    /// Nothing is left of the attack, and the two go on.
    async fn over(&mut self) {
        self.alone().await;
        until("the end of all other tasks", async || {
            self.alee.ok("friends", json!({})).await;
            self.bob.ok("friends", json!({})).await;
            self.server.tasks() <= self.tasks
        })
        .await;
        self.undisturbed().await;
    }
}

/// A TCP connection from another address of this machine's own.
async fn from(source: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((source.parse::<IpAddr>().unwrap(), 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// What the server says on a new connection to these bytes, until it ends the connection.
async fn says(server: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    // It may have hung up already.
    drop(stream.write_all(bytes.as_bytes()).await);
    hears(stream).await
}

/// All that the server says on a connection until it ends it.
async fn hears(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end, too.
    drop(within("the end of a connection", stream.read_to_end(&mut text)).await);
    String::from_utf8_lossy(&text).into_owned()
}

/// A session of Engine.IO over a websocket that has entered no namespace.
async fn engine(server: SocketAddr, query: &str) -> WebSocketStream<TcpStream> {
    let url = format!("ws://{server}/socket.io/?transport=websocket&{query}");
    let stream = TcpStream::connect(server).await.unwrap();
    within("the websocket handshake", tokio_tungstenite::client_async(url, stream)).await.unwrap().0
}

/// Answers every heartbeat until the server ends the connection.
async fn lives_on(mut socket: WebSocketStream<TcpStream>) {
    use futures_util::StreamExt;

    within("the end of a connection", async {
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().is_ok_and(|text| text == "2") && socket.send(Message::text("3")).await.is_err() {
                break;
            }
        }
    })
    .await;
}
