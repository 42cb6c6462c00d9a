//! A small MumiChat client over a raw websocket. It reads only when asked to.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{PASSWORD, Server, keys, until, within};

/// What carries a client's websocket.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One connection, and who logged in on it last.
pub(crate) struct Mumi {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) socket: WebSocketStream<Box<dyn Stream>>,
}

impl Mumi {
    /// Connects, and takes the greeting.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_to(address, "/").await
    }

    /// The same, to another path than the root.
    pub(crate) async fn connect_to(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(Box::new(stream), &format!("ws://{address}{path}")).await
    }

    /// The same, over a socket that takes little without being read.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(address).await.unwrap();
        Self::over(Box::new(stream), &format!("ws://{address}/")).await
    }

    /// The same, over a stream that exists.
    pub(crate) async fn over(stream: Box<dyn Stream>, url: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("origin", "null".parse().unwrap());
        let handshake = tokio_tungstenite::client_async(request, stream);
        let (socket, _) = within("the websocket handshake", handshake).await.unwrap();
        let mut mumi = Self { id: String::new(), email: String::new(), socket };
        let greeting = mumi.next().await;
        assert_eq!(keys(&greeting), ["key"]);
        assert!(greeting["key"].as_str().is_some_and(|key| !key.is_empty()), "{greeting}");
        mumi
    }

    /// Sends a text frame as it is.
    pub(crate) async fn raw(&mut self, text: &str) {
        within("writing", self.socket.send(Message::text(text))).await.unwrap();
    }

    /// Sends an action.
    pub(crate) async fn act(&mut self, action: &str, data: Value) {
        self.raw(&json!({"type": "action", "action": action, "data": data}).to_string()).await;
    }

    /// Sends an action and takes the reply.
    pub(crate) async fn ask(&mut self, action: &str, data: Value) -> Value {
        self.act(action, data).await;
        self.reply().await
    }

    /// The same; the code alone is of interest.
    pub(crate) async fn code(&mut self, action: &str, data: Value) -> u64 {
        self.ask(action, data).await["code"].as_u64().unwrap()
    }

    /// Those who meet the criteria.
    pub(crate) async fn find(&mut self, criteria: Value) -> Vec<Value> {
        let reply = self.ask("query", criteria).await;
        assert_eq!(reply["code"], 200, "{reply}");
        reply["data"].as_array().unwrap().clone()
    }

    /// Waits until somebody is away.
    pub(crate) async fn sees_going(&mut self, id: &str) {
        until("somebody goes", async || self.find(json!({"id": id})).await[0]["isLogin"] == false).await;
    }

    /// Says something without waiting.
    pub(crate) async fn write_to(&mut self, recipient: &str, content: &str) {
        let data = json!({"recipient": recipient, "content": content});
        self.raw(&json!({"type": "message", "data": data}).to_string()).await;
    }

    /// Says something; returns the code of the reply.
    pub(crate) async fn say(&mut self, recipient: &str, content: &str) -> u64 {
        self.write_to(recipient, content).await;
        self.reply().await["code"].as_u64().unwrap()
    }

    /// Says something to everybody; returns the code of the reply.
    pub(crate) async fn broadcast(&mut self, content: &str) -> u64 {
        self.raw(&json!({"type": "broadcast", "data": {"content": content}}).to_string()).await;
        self.reply().await["code"].as_u64().unwrap()
    }

    /// The next frame, which must be a reply: exactly these three members.
    pub(crate) async fn reply(&mut self) -> Value {
        let reply = self.next().await;
        assert_eq!(keys(&reply), ["code", "data", "msg"], "{reply}");
        assert!(reply["code"].is_u64() && reply["msg"].as_str().is_some_and(|text| !text.is_empty()), "{reply}");
        reply
    }

    /// The next frame, which must be the message `content`; returns it.
    pub(crate) async fn hears(&mut self, content: &str) -> Value {
        let push = self.next().await;
        assert_eq!(keys(&push), ["content", "created_at", "id", "recipient", "sender"], "{push}");
        assert_eq!(push["content"], content, "{} heard {push}", self.email);
        push
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        let frame = within("a frame", self.receive()).await;
        frame.expect("the connection ended before a frame came")
    }

    /// Nothing came since the last frame that was taken: what is asked now is answered next.
    pub(crate) async fn heard_nothing(&mut self) {
        assert_eq!(self.ask("query", json!({"email": "nobody@nowhere"})).await["data"], json!([]));
    }

    /// Reads on until the server ends the connection.
    pub(crate) async fn gone(&mut self) {
        within("the end of the connection", async { while self.receive().await.is_some() {} }).await;
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        within("closing", self.socket.close(None)).await.unwrap();
        self.gone().await;
    }

    async fn receive(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Binary(_))) => panic!("the server sends text"),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Makes an account that is called after the part before the `@`.
    pub(crate) async fn register(&mut self, email: &str) {
        let name = email.split('@').next().unwrap();
        let data = json!({"email": email, "password": PASSWORD, "firstName": name, "lastName": "Chen"});
        assert_eq!(self.code("register", data).await, 203);
    }

    /// Logs in with the usual password, and finds out the own id.
    pub(crate) async fn login(&mut self, email: &str) {
        assert_eq!(self.code("login", json!({"email": email, "password": PASSWORD})).await, 202);
        self.email = email.to_owned();
        let found = self.find(json!({"email": email})).await;
        self.id = found.first().map(|user| user["id"].as_str().unwrap().to_owned()).unwrap_or_default();
    }
}

impl Server {
    /// A connection that nobody is logged in on.
    pub(crate) async fn mumi(&self) -> Mumi {
        Mumi::connect(self.address).await
    }

    /// Somebody new, logged in.
    pub(crate) async fn mumi_person(&self, email: &str) -> Mumi {
        let mut mumi = self.mumi().await;
        mumi.register(email).await;
        mumi.login(email).await;
        mumi
    }

    /// Somebody who has an account, logged in as soon as their last connection has been let go.
    pub(crate) async fn mumi_again(&self, email: &str) -> Mumi {
        let mut mumi = self.mumi().await;
        let credentials = json!({"email": email, "password": PASSWORD});
        let free = async {
            loop {
                match mumi.code("login", credentials.clone()).await {
                    202 => return,
                    code => assert_eq!(code, 10005),
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        within("a login", free).await;
        mumi.email = email.to_owned();
        mumi
    }
}

/// The id of a user of the other wires as this one writes it.
pub(crate) fn wire_id(id: i64) -> String {
    (100_000_000 + id).to_string()
}
