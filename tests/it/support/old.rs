//! A client of Socket.IO 0.9, over each of its transports: what goes over the wire is what the test wrote.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::{Client, Gone, PASSWORD, Server, code, within};

/// The transports, by the names that stand in addresses.
pub(crate) const TRANSPORTS: [&str; 3] = ["websocket", "xhr-polling", "jsonp-polling"];

/// One session.
pub(crate) struct Old {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) http: Http,
    socket: Option<WebSocketStream<TcpStream>>,
    packets: VecDeque<String>,
    /// Every packet that came, as it came.
    pub(crate) transcript: Vec<String>,
    next_tag: i64,
}

/// A session's requests.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) client: reqwest::Client,
    pub(crate) address: SocketAddr,
    pub(crate) transport: &'static str,
    pub(crate) sid: String,
}

impl Http {
    /// Asks for a session.
    pub(crate) async fn handshake(address: SocketAddr, transport: &'static str) -> Self {
        let client = reqwest::Client::new();
        let response = within("a handshake", client.get(format!("http://{address}/socket.io/1/?t=1")).send()).await;
        let body = response.unwrap().text().await.unwrap();
        let sid = body.split(':').next().unwrap().to_owned();
        Self { client, address, transport, sid }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/socket.io/1/{}/{}", self.address, self.transport, self.sid)
    }

    /// The body of a poll's answer, as it came.
    pub(crate) async fn get_body(&self) -> String {
        let response = within("a poll", self.client.get(format!("{}?t=1&i=3", self.url())).send()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }

    /// The packets of a poll's answer.
    pub(crate) async fn get(&self) -> Vec<String> {
        let body = self.get_body().await;
        if self.transport == "xhr-polling" {
            return unframe(&body);
        }
        let json = body.strip_prefix("io.j[3](").and_then(|rest| rest.strip_suffix(");"));
        unframe(&serde_json::from_str::<String>(json.unwrap_or_else(|| panic!("no script: {body}"))).unwrap())
    }

    /// A poll whose answer is wanted later.
    pub(crate) fn poll(&self) -> Poll {
        let (http, mut task) = (self.clone(), JoinSet::new());
        task.spawn(async move { http.get().await });
        Poll(task)
    }

    /// Sends a payload as it is.
    pub(crate) async fn try_post(&self, payload: &str) -> reqwest::Result<reqwest::Response> {
        let request = self.client.post(format!("{}?t=1&i=3", self.url()));
        let request = if self.transport == "xhr-polling" {
            request.header("content-type", "text/plain;charset=UTF-8").body(payload.to_owned())
        } else {
            let json = Value::from(payload).to_string();
            let bytes = json.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            request.header("content-type", "application/x-www-form-urlencoded").body(format!("d={bytes}"))
        };
        within("a POST", request.send()).await
    }

    pub(crate) async fn post(&self, payload: &str) {
        let response = self.try_post(payload).await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, "1"));
    }

    /// A websocket for this session, over a stream of one's own.
    pub(crate) async fn websocket_over(&self, stream: TcpStream) -> WebSocketStream<TcpStream> {
        let url = format!("ws://{}/socket.io/1/websocket/{}", self.address, self.sid);
        within("the websocket handshake", tokio_tungstenite::client_async(url, stream)).await.unwrap().0
    }

    pub(crate) async fn websocket(&self) -> WebSocketStream<TcpStream> {
        self.websocket_over(TcpStream::connect(self.address).await.unwrap()).await
    }
}

/// A poll under way.
pub(crate) struct Poll(JoinSet<Vec<String>>);

impl Poll {
    /// The packets of its answer.
    pub(crate) async fn answer(mut self) -> Vec<String> {
        within("the answer to a poll", self.0.join_next()).await.unwrap().unwrap()
    }
}

/// Several packets in one body, as clients put them.
pub(crate) fn frame(packets: &[&str]) -> String {
    packets.iter().map(|packet| format!("\u{fffd}{}\u{fffd}{packet}", packet.encode_utf16().count())).collect()
}

/// The packets of a body, as the client takes it apart.
pub(crate) fn unframe(body: &str) -> Vec<String> {
    if !body.starts_with('\u{fffd}') {
        return vec![body.to_owned()];
    }
    let units: Vec<u16> = body.encode_utf16().collect();
    let (mut packets, mut at) = (Vec::new(), 0);
    while at < units.len() {
        assert_eq!(units[at], 0xfffd, "{body}");
        let end = at + 1 + units[at + 1..].iter().position(|unit| *unit == 0xfffd).unwrap();
        let length: usize = String::from_utf16(&units[at + 1..end]).unwrap().parse().unwrap();
        packets.push(String::from_utf16(&units[end + 1..end + 1 + length]).unwrap());
        at = end + 1 + length;
    }
    packets
}

impl Server {
    /// A new session over `transport`; its `1::` is taken.
    pub(crate) async fn old(&self, transport: &'static str) -> Old {
        Old::connect(self.address, transport).await
    }

    /// The same over a socket that takes little without being read.
    pub(crate) async fn old_narrow(&self) -> Old {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        Old::open(Http::handshake(self.address, "websocket").await, stream).await
    }

    /// Somebody new, signed in.
    pub(crate) async fn old_person(&self, username: &str, transport: &'static str) -> Old {
        let mut client = self.old(transport).await;
        client.ok("signup", json!({"username": username, "password": PASSWORD})).await;
        client.username = username.to_owned();
        client.sign_in().await;
        client
    }

    /// Another session of somebody who has an account, signed in.
    pub(crate) async fn old_device(&self, username: &str, transport: &'static str) -> Old {
        let mut client = self.old(transport).await;
        client.username = username.to_owned();
        client.sign_in().await;
        client
    }
}

impl Old {
    /// A new session over `transport`; its `1::` is taken.
    pub(crate) async fn connect(address: SocketAddr, transport: &'static str) -> Self {
        let http = Http::handshake(address, transport).await;
        let stream = TcpStream::connect(address).await.unwrap();
        Self::open(http, stream).await
    }

    async fn open(http: Http, stream: TcpStream) -> Self {
        let mut client = Self::unopened(http);
        if client.http.transport == "websocket" {
            client.socket = Some(client.http.websocket_over(stream).await);
        }
        assert_eq!(client.packet().await, "1::");
        client
    }

    /// A session that nobody has opened yet.
    pub(crate) fn unopened(http: Http) -> Self {
        let (packets, transcript) = Default::default();
        Self { id: 0, username: String::new(), http, socket: None, packets, transcript, next_tag: 0 }
    }

    /// Goes on over another transport with the same session; its `1::` is taken.
    pub(crate) async fn switch(&mut self, transport: &'static str) -> Option<WebSocketStream<TcpStream>> {
        self.http.transport = transport;
        let before = self.socket.take();
        if transport == "websocket" {
            self.socket = Some(self.http.websocket().await);
        }
        assert_eq!(self.packet().await, "1::");
        before
    }

    /// Sends a packet as it is.
    pub(crate) async fn send(&mut self, packet: &str) {
        match &mut self.socket {
            Some(socket) => within("writing", socket.send(Message::text(packet))).await.unwrap(),
            None => self.http.post(packet).await,
        }
    }

    /// The next packet, whatever it is. Heartbeats are answered and left out, as are those that end a poll.
    pub(crate) async fn packet(&mut self) -> String {
        let packet = async {
            loop {
                if let Some(packet) = self.packets.pop_front() {
                    return packet;
                }
                assert!(self.receive().await.is_ok(), "the session ended: {:?}", self.transcript);
            }
        };
        within("a packet", packet).await
    }

    /// Reads what comes next over the wire and files it.
    pub(crate) async fn receive(&mut self) -> Result<(), Gone> {
        let packets = match &mut self.socket {
            Some(socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => vec![text.as_str().to_owned()],
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                Some(Ok(_)) => vec![],
            },
            None => self.http.get().await,
        };
        for packet in packets {
            self.transcript.push(packet.clone());
            match packet.as_str() {
                "2::" => self.send("2::").await,
                "8::" => {}
                _ => self.packets.push_back(packet),
            }
        }
        Ok(())
    }

    /// Reads on until the websocket ends, or a poll says that the session is unknown.
    pub(crate) async fn gone(&mut self) {
        let end = async {
            while self.receive().await.is_ok() {
                if self.packets.iter().any(|packet| packet == "7:::1+0") {
                    return;
                }
            }
        };
        within("the end of the session", end).await;
    }

    /// Says goodbye as a browser does that closes the page, over a websocket.
    pub(crate) async fn close(mut self) {
        let mut socket = self.socket.take().unwrap();
        within("closing", async {
            socket.close(None).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        })
        .await;
    }

    /// What carries it, if that is a websocket.
    pub(crate) fn websocket_of_it(&mut self) -> Option<&mut WebSocketStream<TcpStream>> {
        self.socket.as_mut()
    }

    /// Ends without a word.
    pub(crate) fn vanish(self) {}

    /// A command as the client of 2013 sends it; returns the reply inside of `rspn`. Events before it are kept.
    pub(crate) async fn command(&mut self, name: &str, data: Value) -> Value {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.send(&format!("5:::{}", json!({"name": name, "args": [{"id": tag, "data": data}]}))).await;
        let mut kept = VecDeque::new();
        loop {
            let packet = self.packet().await;
            match event(&packet) {
                Some((event, mut rspn)) if event == "rspn" => {
                    self.packets = kept.into_iter().chain(self.packets.drain(..)).collect();
                    let reply = rspn["data"].take();
                    assert_eq!(rspn, json!({"id": tag, "cmd": name, "data": null}), "the reply was {reply}");
                    code(&reply);
                    return reply;
                }
                _ => kept.push_back(packet),
            }
        }
    }

    /// The same; the reply must have code 200.
    pub(crate) async fn ok(&mut self, name: &str, data: Value) -> Value {
        let reply = self.command(name, data.clone()).await;
        assert_eq!(code(&reply), 200, "{name} {data} -> {reply}");
        reply
    }

    /// Signs in with the usual password; returns the reply.
    pub(crate) async fn sign_in(&mut self) -> Value {
        let reply = self.ok("signin", json!({"username": self.username, "password": PASSWORD})).await;
        self.id = reply["doc"]["id"].as_i64().unwrap();
        reply
    }

    /// The argument of the next event, which must be a `name`.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        let packet = self.packet().await;
        let (event, data) = event(&packet).unwrap_or_else(|| panic!("no event: {packet}"));
        assert_eq!(event, name, "another event came: {data}");
        data
    }

    /// The next event is the message `text`; returns it.
    pub(crate) async fn hears(&mut self, text: &str) -> Value {
        let message = self.next("message").await;
        assert_eq!(message["message"], text, "{} heard {message}", self.username);
        message
    }

    /// Nothing came since the last event that was taken, but what this marker brings.
    pub(crate) async fn heard_nothing(&mut self, other: &mut Client) {
        let marker = format!("marker from {}", other.username);
        other.say(self.id, &marker).await;
        self.hears(&marker).await;
    }

    /// Makes friends with somebody on a newer client.
    pub(crate) async fn befriend(&mut self, other: &mut Client) {
        self.ok("subscribe", json!({"to": other.id, "message": ""})).await;
        other.next("message").await;
        other.ok("reply", json!({"to": self.id})).await;
        self.next("message").await;
    }
}

/// Name and only argument of an event packet.
fn event(packet: &str) -> Option<(String, Value)> {
    let mut event: Value = serde_json::from_str(packet.strip_prefix("5:::")?).unwrap();
    let arguments = event["args"].as_array_mut().unwrap();
    assert_eq!(arguments.len(), 1, "an event has one argument: {packet}");
    let data = arguments.remove(0);
    Some((event["name"].as_str().unwrap().to_owned(), data))
}
