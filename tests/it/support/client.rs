//! A small Socket.IO client over a websocket. It reads only when asked to, and keeps everything it was sent.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{code, within};

/// The revision of Engine.IO: 3 for clients 1.x and 2.x, 4 for 3.x and 4.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revision {
    V3,
    V4,
}

/// One connection, and who signed in on it last.
pub(crate) struct Client {
    pub(crate) id: i64,
    pub(crate) username: String,
    /// Of the session that the last sign-in with the password made.
    pub(crate) token: String,
    socket: WebSocketStream<TcpStream>,
    next_ack: i64,
    events: VecDeque<(String, Value)>,
    replies: HashMap<i64, Value>,
    answered: HashSet<i64>,
    /// Every text frame that came, as it came.
    pub(crate) transcript: Vec<String>,
}

/// The connection has ended.
#[derive(Debug)]
pub(crate) struct Gone;

impl Client {
    /// Connects and enters the main namespace.
    pub(crate) async fn connect(address: SocketAddr, revision: Revision) -> Self {
        let mut client = Self::open(address, revision, &[]).await;
        client.enter(revision).await;
        client
    }

    /// The same, with further HTTP headers.
    pub(crate) async fn connect_with(address: SocketAddr, headers: &[(&'static str, &str)]) -> Self {
        let mut client = Self::open(address, Revision::V4, headers).await;
        client.enter(Revision::V4).await;
        client
    }

    /// The same, over a socket that takes little without being read.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut client = Self::over(socket.connect(address).await.unwrap(), Revision::V4, &[]).await;
        client.enter(Revision::V4).await;
        client
    }

    /// Connects and enters no namespace.
    pub(crate) async fn open(address: SocketAddr, revision: Revision, headers: &[(&'static str, &str)]) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), revision, headers).await
    }

    /// The same over a stream that exists.
    pub(crate) async fn over(stream: TcpStream, revision: Revision, headers: &[(&'static str, &str)]) -> Self {
        let address = stream.peer_addr().unwrap();
        let eio = if revision == Revision::V3 { 3 } else { 4 };
        let url = format!("ws://{address}/socket.io/?EIO={eio}&transport=websocket");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let handshake = tokio_tungstenite::client_async(request, stream);
        let (socket, _) = within("the websocket handshake", handshake).await.unwrap();
        Self {
            id: 0,
            username: String::new(),
            token: String::new(),
            socket,
            next_ack: 0,
            events: VecDeque::new(),
            replies: HashMap::new(),
            answered: HashSet::new(),
            transcript: Vec::new(),
        }
    }

    /// Enters the main namespace: revision 4 asks for it, in revision 3 it comes by itself.
    pub(crate) async fn enter(&mut self, revision: Revision) {
        let before = self.transcript.len();
        if revision == Revision::V4 {
            self.raw("40").await;
        }
        let entered = async {
            while !self.transcript[before..].iter().any(|frame| frame.starts_with("40")) {
                self.receive().await.unwrap();
            }
        };
        within("entering the namespace", entered).await;
    }

    /// Sends an event that asks for an acknowledgement, and waits for it.
    pub(crate) async fn ack(&mut self, name: &str, data: Value) -> Value {
        let id = self.fire(name, data).await;
        self.reply(id).await
    }

    /// The same; the reply must have code 200.
    pub(crate) async fn ok(&mut self, name: &str, data: Value) -> Value {
        let reply = self.ack(name, data.clone()).await;
        assert_eq!(code(&reply), 200, "{name} {data} -> {reply}");
        reply
    }

    /// The same; the code alone is of interest.
    pub(crate) async fn code(&mut self, name: &str, data: Value) -> u64 {
        code(&self.ack(name, data).await)
    }

    /// Sends an event that asks for an acknowledgement and returns its id.
    pub(crate) async fn fire(&mut self, name: &str, data: Value) -> i64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.raw(&format!("42{id}{}", json!([name, data]))).await;
        id
    }

    /// Puts an event that asks for an acknowledgement into the socket's buffer only; [`flush`](Self::flush) sends.
    pub(crate) async fn feed(&mut self, name: &str, data: Value) -> i64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.socket.feed(Message::text(format!("42{id}{}", json!([name, data])))).await.unwrap();
        id
    }

    pub(crate) async fn flush(&mut self) {
        within("writing", self.socket.flush()).await.unwrap();
    }

    /// The same, to a server that may end the connection meanwhile.
    pub(crate) async fn flushes(&mut self) -> Result<(), Gone> {
        within("writing", self.socket.flush()).await.map_err(|_| Gone)
    }

    /// The acknowledgement with this id.
    pub(crate) async fn reply(&mut self, id: i64) -> Value {
        let reply = async {
            loop {
                if let Some(reply) = self.replies.remove(&id) {
                    return reply;
                }
                self.receive().await.unwrap();
            }
        };
        within("an acknowledgement", reply).await
    }

    /// The acknowledgement with this id, or nothing if the connection ends before.
    pub(crate) async fn reply_or_end(&mut self, id: i64) -> Option<Value> {
        self.ends_or_answers(id).await;
        self.replies.remove(&id)
    }

    /// Lets the id of an acknowledgement be used once more.
    pub(crate) fn forget(&mut self, id: i64) {
        self.answered.remove(&id);
    }

    /// Sends an event that asks for no acknowledgement.
    pub(crate) async fn emit(&mut self, name: &str, data: Value) {
        self.raw(&format!("42{}", json!([name, data]))).await;
    }

    /// A command as the client of 2013 sends it, ported to this socket; returns the reply inside of `rspn`.
    pub(crate) async fn command(&mut self, id: Value, name: &str, data: Value) -> Value {
        self.emit(name, json!({"id": id, "data": data})).await;
        self.rspn(&id, name).await
    }

    /// The next event is the `rspn` of this command; returns the reply inside of it.
    pub(crate) async fn rspn(&mut self, id: &Value, name: &str) -> Value {
        let mut rspn = self.next("rspn").await;
        let reply = rspn["data"].take();
        assert_eq!(rspn, json!({"id": id, "cmd": name, "data": null}), "the reply was {reply}");
        code(&reply);
        reply
    }

    /// The argument of the next event, which must be a `name`.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        let (received, data) = self.next_event(name).await;
        assert_eq!(received, name, "another event came: {data}");
        data
    }

    /// The next event, whatever it is.
    pub(crate) async fn next_event(&mut self, wanted: &str) -> (String, Value) {
        let next = async {
            loop {
                if let Some(event) = self.events.pop_front() {
                    return event;
                }
                if self.receive().await.is_err() {
                    panic!("the connection ended before `{wanted}` came");
                }
            }
        };
        within(&format!("the event `{wanted}`"), next).await
    }

    /// The events that are here already.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &(String, Value)> {
        self.events.iter()
    }

    /// Sends a text frame as it is.
    pub(crate) async fn raw(&mut self, text: &str) {
        within("writing", self.socket.send(Message::text(text))).await.unwrap();
    }

    /// Sends a text frame whose bytes need not be text. The server may end the connection meanwhile.
    pub(crate) async fn raw_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        let frame = Frame::message(Bytes::from(bytes), OpCode::Data(Data::Text), true);
        within("writing", self.socket.send(Message::Frame(frame))).await.map_err(|_| Gone)
    }

    /// Sends a binary frame.
    pub(crate) async fn raw_binary(&mut self, bytes: &[u8]) {
        within("writing", self.socket.send(Message::binary(bytes.to_vec()))).await.unwrap();
    }

    /// Says goodbye as a browser does that closes the page.
    pub(crate) async fn close(mut self) {
        within("closing", self.socket.close(None)).await.unwrap();
        self.gone().await;
    }

    /// Reads on until the server ends the connection.
    pub(crate) async fn gone(&mut self) {
        within("the end of the connection", async { while self.receive().await.is_ok() {} }).await;
    }

    /// Reads on until acknowledgement `id` comes or the connection ends, whichever the server prefers.
    pub(crate) async fn ends_or_answers(&mut self, id: i64) {
        let end = async { while !self.replies.contains_key(&id) && self.receive().await.is_ok() {} };
        within("an end or an answer", end).await;
    }

    /// Reads one frame and files what is in it.
    pub(crate) async fn receive(&mut self) -> Result<(), Gone> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => self.file(text.as_str()).await,
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
            Some(Ok(_)) => Ok(()),
        }
    }

    async fn file(&mut self, frame: &str) -> Result<(), Gone> {
        self.transcript.push(frame.to_owned());
        if frame == "2" {
            return self.socket.send(Message::text("3")).await.map_err(|_| Gone);
        }
        if let Some(event) = frame.strip_prefix("42") {
            let mut event: Vec<Value> = serde_json::from_str(event).unwrap();
            assert_eq!(event.len(), 2, "an event has one argument: {frame}");
            let data = event.remove(1);
            self.events.push_back((event[0].as_str().unwrap().to_owned(), data));
        } else if let Some(reply) = frame.strip_prefix("43") {
            let start = reply.find('[').unwrap();
            let id = reply[..start].parse().unwrap();
            let mut arguments: Vec<Value> = serde_json::from_str(&reply[start..]).unwrap();
            assert_eq!(arguments.len(), 1, "an acknowledgement has one argument: {frame}");
            assert!(self.answered.insert(id), "answered twice: {frame}");
            self.replies.insert(id, arguments.remove(0));
        }
        Ok(())
    }
}
