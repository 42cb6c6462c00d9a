//! The wire client: Socket.IO 5 over WebSocket, and as little work per frame as that allows.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::packet::Packet;

/// The default of 128 KiB for each connection costs the generator its cache.
const READ_BUFFER_BYTES: usize = 16 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// One connection in the main namespace.
pub(crate) struct Client {
    ws: WebSocketStream<TcpStream>,
    next_ack: u64,
}

impl Client {
    /// Opens a WebSocket and enters the main namespace.
    pub(crate) async fn connect(addr: SocketAddr) -> Result<Self> {
        timeout(CONNECT_TIMEOUT, Box::pin(Self::handshake(addr)))
            .await
            .map_err(|_| anyhow!("connecting took too long"))?
            .context("cannot connect")
    }

    async fn handshake(addr: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket");
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
        let (ws, _) = client_async_with_config(url, stream, Some(config)).await?;
        let mut client = Client { ws, next_ack: 0 };

        let open = client.recv().await?;
        ensure!(open.starts_with('0'), "expected an open packet, got {open}");
        client.ws.send(Message::text("40")).await?;
        let connected = client.recv().await?;
        ensure!(connected.starts_with("40"), "expected a connect packet, got {connected}");
        Ok(client)
    }

    /// The next packet; pings are answered on the way. Safe to cancel.
    pub(crate) async fn recv(&mut self) -> Result<Utf8Bytes> {
        loop {
            match self.ws.next().await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => {
                    self.ws.send(Message::text("3")).await?;
                }
                Some(Ok(Message::Text(text))) => return Ok(text),
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
        let frame = format!("42{id}[\"{event}\",{data}]");
        self.ws.send(Message::text(frame)).await?;
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
}
