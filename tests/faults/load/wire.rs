//! A Socket.IO connection over a websocket that may end at any moment.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{PASSWORD, within};

/// One connection in the main namespace.
pub(crate) struct Wire {
    socket: WebSocketStream<TcpStream>,
    next_ack: u64,
}

/// What came.
pub(crate) enum Frame {
    Event(String, Value),
    Reply(u64, Value),
    Other,
}

/// The connection is over, or none came about.
#[derive(Debug)]
pub(crate) struct Gone;

impl Wire {
    /// Connects and enters the namespace.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Gone> {
        let connect = async {
            let stream = TcpStream::connect(address).await.map_err(|_| Gone)?;
            Self::over(stream).await
        };
        within("a connection or its end", connect).await
    }

    /// The same over a socket that exists.
    pub(crate) async fn over(stream: TcpStream) -> Result<Self, Gone> {
        let address = stream.peer_addr().map_err(|_| Gone)?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.map_err(|_| Gone)?;
        let mut wire = Self { socket, next_ack: 0 };
        wire.write("40").await?;
        while !wire.read_text().await?.starts_with("40") {}
        Ok(wire)
    }

    /// Sends a command; its reply will have the number that is returned.
    pub(crate) async fn send(&mut self, command: &str, data: &Value) -> Result<u64, Gone> {
        let ack = self.next_ack;
        self.next_ack += 1;
        self.write(&format!("42{ack}{}", json!([command, data]))).await?;
        Ok(ack)
    }

    /// Sends a command and waits for its reply. Events that come before it are put into `events`.
    pub(crate) async fn ask(
        &mut self,
        command: &str,
        data: &Value,
        events: &mut Vec<(String, Value)>,
    ) -> Result<Value, Gone> {
        let ack = self.send(command, data).await?;
        let reply = async {
            loop {
                match self.read().await? {
                    Frame::Reply(number, reply) if number == ack => return Ok(reply),
                    Frame::Reply(number, _) => panic!("a reply to {number}, which nobody waits for"),
                    Frame::Event(name, data) => events.push((name, data)),
                    Frame::Other => {}
                }
            }
        };
        within(command, reply).await
    }

    /// The same for a command that must succeed, where no events are expected.
    pub(crate) async fn ok(&mut self, command: &str, data: Value) -> Value {
        let reply = self.ask(command, &data, &mut Vec::new()).await.expect("the server is there");
        assert_eq!(reply["code"], 200, "{command} {data} -> {reply}");
        reply
    }

    /// Makes an account and signs in with it.
    pub(crate) async fn become_new(&mut self, username: &str) -> Person {
        self.ok("signup", json!({"username": username, "password": PASSWORD})).await;
        let reply = self.ok("signin", json!({"username": username, "password": PASSWORD})).await;
        let (id, token) = (reply["doc"]["id"].as_i64().unwrap(), reply["token"].as_str().unwrap().to_owned());
        Person { id, token }
    }

    /// The next frame. Heartbeats are answered.
    pub(crate) async fn read(&mut self) -> Result<Frame, Gone> {
        let text = self.read_text().await?;
        if let Some(event) = text.strip_prefix("42") {
            let (name, data) = serde_json::from_str(event).unwrap();
            return Ok(Frame::Event(name, data));
        }
        let Some(reply) = text.strip_prefix("43") else {
            return Ok(Frame::Other);
        };
        let (number, reply) = reply.split_at(reply.find('[').unwrap());
        let [reply] = serde_json::from_str(reply).unwrap();
        Ok(Frame::Reply(number.parse().unwrap(), reply))
    }

    /// The same as it came.
    pub(crate) async fn read_text(&mut self) -> Result<String, Gone> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.write("3").await?,
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                Some(Ok(_)) => {}
            }
        }
    }

    async fn write(&mut self, text: &str) -> Result<(), Gone> {
        within("writing", self.socket.send(Message::text(text))).await.map_err(|_| Gone)
    }
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) token: String,
}

impl Person {
    /// Connects and signs in, in the words of modern clients or of those of 2013, once. Events that came meanwhile are
    /// put into `events`.
    pub(crate) async fn enter(
        &self,
        address: SocketAddr,
        is_modern: bool,
        events: &mut Vec<(String, Value)>,
    ) -> Result<Wire, Gone> {
        let mut wire = Wire::connect(address).await?;
        let api = if is_modern { 2 } else { 1 };
        let reply = wire.ask("signin", &json!({"token": self.token, "api": api}), events).await?;
        match reply["code"].as_u64() {
            Some(200) => Ok(wire),
            // The database is away, or the server about to end.
            Some(500) => Err(Gone),
            _ => panic!("signin -> {reply}"),
        }
    }
}

/// Between two attempts to come back.
pub(crate) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

const PAUSE: Duration = Duration::from_millis(20);
