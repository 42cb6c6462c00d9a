use std::collections::VecDeque;
use std::ops::ControlFlow;

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use proptest::prelude::*;
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

/// One frame of a client: with any head, and a payload of another length than it says.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let head = (any::<u8>(), any::<bool>(), prop_oneof![0_u64..200, 60_000_u64..70_000, any::<u64>()]);
    (head, any::<[u8; 4]>(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(
        |((first, masked, length), key, rest)| {
            let mask = if masked { 0x80 } else { 0 };
            let mut frame = vec![first];
            match length {
                0..126 => frame.push(mask | length as u8),
                126..0x1_0000 => {
                    frame.push(mask | 126);
                    frame.extend((length as u16).to_be_bytes());
                }
                _ => {
                    frame.push(mask | 127);
                    frame.extend(length.to_be_bytes());
                }
            }
            frame.extend(key);
            frame.extend(rest);
            frame
        },
    )
}

/// The same, in order.
fn good_frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop::collection::vec(any::<u8>(), 0..120);
    let opcode = prop_oneof![Just(0_u8), Just(1), Just(2), Just(9), Just(10)];
    (opcode, any::<bool>(), any::<[u8; 4]>(), payload).prop_map(|(opcode, is_last, key, payload)| {
        let mut frame = vec![opcode | if is_last { 0x80 } else { 0 }, 0x80 | payload.len() as u8];
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    })
}

proptest! {
    #[test]
    fn no_frames_are_too_strange(
        before in prop::collection::vec(good_frame(), 0..6),
        frames in prop::collection::vec(any_frame(), 0..4),
        pieces in 1_usize..200,
    ) {
        let bytes = [before, frames].concat().concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let heard = runtime.block_on(async {
            let (socket, mut stream) = pair(1024);
            let parrot = Parrot::default();
            let (mut reader, mut writer) = tokio::io::split(&mut stream);
            let say = async {
                for piece in bytes.chunks(pieces) {
                    if writer.write_all(piece).await.is_err() {
                        break;
                    }
                }
                // The end, also for what is half said.
                drop(writer.shutdown().await);
            };
            let hear = async { drop(tokio::io::copy(&mut reader, &mut tokio::io::sink()).await) };
            let _ends = tokio::join!(converse(socket, &parrot), say, hear);
            parrot.heard.into_inner()
        });
        prop_assert!(heard.iter().all(|message| message.len() <= MESSAGE_MAX_BYTES));
        prop_assert!(heard.iter().map(Message::len).sum::<usize>() <= bytes.len());
    }
}
