//! The client: a connection over one of the wires, and as little work per frame as that allows.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::packet::Packet;
use crate::wire::Wire;

/// The default of 128 KiB for each connection costs the generator its cache.
const READ_BUFFER_BYTES: usize = 16 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// One connection; with Socket.IO, in the main namespace.
pub(crate) struct Client {
    ws: WebSocketStream<TcpStream>,
    wire: Wire,
    next_ack: u64,
}

impl Client {
    /// Opens a WebSocket and enters the main namespace.
    pub(crate) async fn connect(addr: SocketAddr) -> Result<Self> {
        Self::connect_over(Wire::SocketIo, addr).await
    }

    /// Connects as the clients of `wire` do, up to the server's first word.
    pub(crate) async fn connect_over(wire: Wire, addr: SocketAddr) -> Result<Self> {
        timeout(CONNECT_TIMEOUT, Box::pin(Self::handshake(wire, addr)))
            .await
            .map_err(|_| anyhow!("connecting took too long"))?
            .context("cannot connect")
    }

    async fn handshake(wire: Wire, addr: SocketAddr) -> Result<Self> {
        match wire {
            Wire::SocketIo => {
                let mut client = Self::open(wire, addr, "/socket.io/?EIO=4&transport=websocket").await?;
                client.expect("0").await?;
                client.ws.send(Message::text("40")).await?;
                client.expect("40").await?;
                Ok(client)
            }
            Wire::SocketIo09 => {
                let sid = promised_session(addr).await?;
                let mut client = Self::open(wire, addr, &format!("/socket.io/1/websocket/{sid}")).await?;
                client.expect("1::").await?;
                Ok(client)
            }
            Wire::MumiChat => {
                let mut client = Self::open(wire, addr, "/").await?;
                client.expect("{\"key\":").await?;
                Ok(client)
            }
        }
    }

    async fn open(wire: Wire, addr: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
        let (ws, _) = client_async_with_config(format!("ws://{addr}{path}"), stream, Some(config)).await?;
        Ok(Client { ws, wire, next_ack: 1 })
    }

    async fn expect(&mut self, beginning: &str) -> Result<()> {
        let frame = self.recv().await?;
        ensure!(frame.starts_with(beginning), "expected {beginning}, got {frame}");
        Ok(())
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// The next packet; pings are answered on the way. Safe to cancel.
    pub(crate) async fn recv(&mut self) -> Result<Utf8Bytes> {
        loop {
            match self.ws.next().await {
                Some(Ok(Message::Text(text))) => match self.wire.pong(&text) {
                    Some(pong) => self.ws.send(Message::text(pong)).await?,
                    None => return Ok(text),
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("the server closed the connection"),
            }
        }
    }

    /// Sends `event` with `data`, which is JSON; returns the id that its ack will carry.
    pub(crate) async fn send(&mut self, event: &str, data: &str) -> Result<u64> {
        let id = self.next_ack;
        self.next_ack += 1;
        self.ws.send(Message::text(self.wire.command(id, event, data))).await?;
        Ok(id)
    }

    /// Reads on to the ack `id`; everything else is dropped.
    pub(crate) async fn ack(&mut self, id: u64) -> Result<Utf8Bytes> {
        loop {
            let text = self.recv().await?;
            match Packet::of(&text) {
                Packet::Ack { id: found, .. } if found == id => return Ok(text),
                _ => {}
            }
        }
    }

    /// Sends a command, waits, and returns the reply if its code is 200: for setting up, not for measuring.
    pub(crate) async fn call(&mut self, event: &str, data: &Value) -> Result<Value> {
        let exchange = async {
            let id = self.send(event, &data.to_string()).await?;
            self.ack(id).await
        };
        let text = timeout(CALL_TIMEOUT, Box::pin(exchange))
            .await
            .map_err(|_| anyhow!("{event} was not answered in time"))??;
        let Packet::Ack { body, .. } = Packet::of(&text) else {
            bail!("{event}: no ack");
        };
        let mut reply: Value = serde_json::from_str(body)?;
        let reply = reply[0].take();
        ensure!(reply["code"] == 200, "{event} was refused: {reply}");
        Ok(reply)
    }

    /// Logs in on MumiChat's wire, which has no acks: its replies come in the order of the requests.
    pub(crate) async fn log_in(&mut self, name: &str, password: &str) -> Result<()> {
        let data = serde_json::json!({ "email": name, "password": password });
        let exchange = async {
            self.send("login", &data.to_string()).await?;
            self.recv().await
        };
        let text = timeout(CALL_TIMEOUT, Box::pin(exchange)).await.map_err(|_| anyhow!("no answer to the login"))??;
        ensure!(text.starts_with("{\"code\":202,"), "the login was refused: {text}");
        Ok(())
    }
}

/// The handshake of Socket.IO 0.9: `GET /socket.io/1/` is answered by `sid:heartbeat:timeout:transports`.
async fn promised_session(addr: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!("GET /socket.io/1/ HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let sid = response.strip_prefix("HTTP/1.1 200").and_then(|response| {
        let (_, body) = response.split_once("\r\n\r\n")?;
        body.split_once(':').map(|(sid, _)| sid.to_owned())
    });
    sid.with_context(|| format!("no session id in {response}"))
}
