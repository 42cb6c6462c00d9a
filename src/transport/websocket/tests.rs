use std::collections::VecDeque;
use std::ops::ControlFlow;

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{Batch, End, Socket, Talk, converse};

const MESSAGE_MAX_BYTES: usize = 100_000;

/// Says what it is given and remembers what it hears.
#[derive(Default)]
struct Parrot {
    to_say: Mutex<VecDeque<String>>,
    heard: Mutex<Vec<Message>>,
    written: Mutex<usize>,
    news: Notify,
    ends: bool,
    is_cut: Mutex<bool>,
}

impl Talk for Parrot {
    fn hear(&self, message: Message) {
        self.heard.lock().push(message);
    }

    fn fill(&self, batch: &mut Batch) -> ControlFlow<()> {
        while let Some(text) = self.to_say.lock().pop_front() {
            batch.text(&text);
            if batch.is_full() {
                return ControlFlow::Continue(());
            }
        }
        if self.ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn wrote(&self) {
        *self.written.lock() += 1;
    }

    async fn news(&self) {
        self.news.notified().await;
    }

    fn is_cut(&self) -> bool {
        *self.is_cut.lock()
    }
}

impl Parrot {
    fn say(&self, text: impl Into<String>) {
        self.to_say.lock().push_back(text.into());
        self.news.notify_one();
    }
}

/// A parrot's end, and the stream of its client.
fn pair(buffer_bytes: usize) -> (Socket<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(buffer_bytes);
    (Socket::new(server, MESSAGE_MAX_BYTES), client)
}

async fn client(stream: DuplexStream) -> WebSocketStream<DuplexStream> {
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

#[tokio::test]
async fn texts_of_all_sizes_go_both_ways_and_pings_are_answered() {
    let (socket, stream) = pair(1 << 20);
    let parrot = Parrot::default();
    let texts = [0, 1, 125, 126, 65_535, 65_536, 90_000].map(|size| "é".repeat(size / 2) + &"x".repeat(size % 2));
    let talk = async {
        let mut client = client(stream).await;
        for text in &texts {
            parrot.say(text);
            assert_eq!(client.next().await.unwrap().unwrap(), Message::text(text));
            client.send(Message::text(text)).await.unwrap();
            client.send(Message::Ping("p".into())).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("p".into()));
        }
        client.close(None).await.unwrap();
        while let Some(Ok(_)) = client.next().await {}
    };
    let (end, ()) = tokio::join!(converse(socket, &parrot), talk);
    assert_eq!(end, End::Closed);
    assert_eq!(*parrot.heard.lock(), texts.map(Message::text));
}

#[tokio::test]
async fn what_waits_goes_out_in_one_write() {
    let (socket, mut stream) = pair(1 << 20);
    let parrot = Parrot { ends: true, ..Parrot::default() };
    for n in 0..100 {
        parrot.say(n.to_string());
    }
    let reader = async {
        let mut bytes = vec![0; 1 << 20];
        let first = stream.read(&mut bytes).await.unwrap();
        drop(stream);
        first
    };
    let (end, first) = tokio::join!(converse(socket, &parrot), reader);
    assert_eq!(end, End::Ours);
    assert!(first >= 100 * 3, "{first}");
    assert_eq!(*parrot.written.lock(), 1);
}

#[tokio::test]
async fn the_last_words_are_written_before_the_close() {
    let (socket, stream) = pair(64);
    let parrot = Parrot { ends: true, ..Parrot::default() };
    parrot.say("x".repeat(50_000));
    parrot.say("bye");
    let talk = async {
        let mut client = client(stream).await;
        assert_eq!(client.next().await.unwrap().unwrap().len(), 50_000);
        assert_eq!(client.next().await.unwrap().unwrap(), Message::text("bye"));
        assert!(matches!(client.next().await, Some(Ok(Message::Close(None)))));
        while let Some(Ok(_)) = client.next().await {}
    };
    let (end, ()) = tokio::join!(converse(socket, &parrot), talk);
    assert_eq!(end, End::Ours);
}

#[tokio::test]
async fn an_end_without_a_goodbye_is_a_break() {
    let (socket, stream) = pair(64);
    drop(stream);
    assert_eq!(converse(socket, &Parrot::default()).await, End::Broken);
}

#[tokio::test]
async fn junk_and_large_messages_are_a_break() {
    // Not masked; reserved bits; a length that is over the limit, of which nothing comes.
    for frame in [&[0x81, 0x01, b'x'][..], &[0xf1, 0x80, 0, 0, 0, 0], &[0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4]]
    {
        let (socket, mut stream) = pair(1024);
        stream.write_all(frame).await.unwrap();
        assert_eq!(converse(socket, &Parrot::default()).await, End::Broken, "{frame:?}");
    }
}

/// Neither waits the server for a client that does not read, nor does it heap up answers for it.
#[tokio::test]
async fn a_client_that_does_not_read_can_be_cut_and_costs_no_memory_for_pongs() {
    let (socket, mut stream) = pair(64);
    let parrot = Parrot::default();
    parrot.say("x".repeat(1000));
    let ping = [0x89, 0x84, 0, 0, 0, 0, 1, 2, 3, 4];
    let flood = async {
        for _ in 0..10_000 {
            stream.write_all(&ping).await.unwrap();
        }
        *parrot.is_cut.lock() = true;
        parrot.news.notify_one();
        // Held up to here: its end would be a reason to stop as well.
        stream
    };
    let (end, stream) = tokio::join!(converse(socket, &parrot), flood);
    assert_eq!(end, End::Ours);
    drop(stream);
}
