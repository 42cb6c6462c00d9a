//! One websocket: the library's decoder in front of small buffers of our own.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Batch;

/// Held by every idle connection.
const READ_BUFFER_BYTES: usize = 1024;
/// Messages of this size and more live in a buffer that the decoder made for them.
const LARGE_BYTES: usize = 16 * 1024;
/// How long the last words may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A server's end of a websocket.
pub(in crate::transport) struct Socket<S> {
    stream: S,
    context: WebSocketContext,
    batch: Batch,
    /// The last message, if it was large, until the next read. While it lives the decoder cannot take its buffer up
    /// again, and so makes itself a new small one; else one large message would cost memory for all that follows.
    large: Option<Message>,
}

/// What has happened on a socket.
pub(super) enum Turn {
    /// The batch is written.
    Wrote,
    Heard(Message),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(super) fn new(stream: S, message_max_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            // Only answers to pings and closes go through the library's buffer; more than these does not gather there.
            .write_buffer_size(0)
            .max_write_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(message_max_bytes))
            .max_frame_size(Some(message_max_bytes));
        Self {
            stream,
            context: WebSocketContext::new(Role::Server, Some(config)),
            batch: Batch::default(),
            large: None,
        }
    }

    /// Whether nothing is being written.
    pub(super) fn is_idle(&self) -> bool {
        self.batch.is_empty()
    }

    /// The frames that are written next.
    pub(super) fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Writes and reads until the batch is written or a message is here. May be given up at any point.
    pub(super) async fn turn(&mut self) -> Result<Turn, Error> {
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Turn, Error>> {
        if !self.batch.is_empty()
            && let Poll::Ready(written) = self.batch.poll_write(Pin::new(&mut self.stream), cx)
        {
            return Poll::Ready(written.map(|()| Turn::Wrote).map_err(Error::from));
        }
        let before = self.batch.is_empty();
        let message = self.poll_read(cx);
        if before && !self.batch.is_empty() && message.is_pending() {
            // The library has answered a ping while it was reading.
            cx.waker().wake_by_ref();
        }
        message.map_ok(Turn::Heard)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let mut tap = Tap { stream: &mut self.stream, cx, batch: &mut self.batch };
        let message = self.context.read(&mut tap);
        self.large = message.as_ref().ok().filter(|message| message.len() >= LARGE_BYTES).cloned();
        if is_pending(&message) { Poll::Pending } else { Poll::Ready(message) }
    }

    /// Closes from this side: a close frame, and a short while for the client to answer it, so that what was
    /// written before is read and not lost to a reset.
    pub(super) async fn say_goodbye(mut self) {
        let asked = poll_fn(|cx| {
            let mut tap = Tap { stream: &mut self.stream, cx, batch: &mut self.batch };
            Poll::Ready(self.context.close(&mut tap, None))
        });
        if asked.await.is_ok() {
            let answered = async { while !matches!(self.turn().await, Err(_) | Ok(Turn::Heard(Message::Close(_)))) {} };
            // Whoever takes longer has lost interest.
            let _in_time = tokio::time::timeout(GOODBYE, answered).await;
        }
    }

    /// Answers the client's close frame.
    pub(super) async fn return_goodbye(mut self) {
        let answered = async {
            poll_fn(|cx| {
                let mut tap = Tap { stream: &mut self.stream, cx, batch: &mut self.batch };
                // Its answer lies in the batch then; that there is nothing after it is what it calls an error.
                let _ends_here = self.context.flush(&mut tap);
                self.batch.poll_write(Pin::new(&mut self.stream), cx)
            })
            .await
        };
        // A client that has gone already needs no answer.
        let _in_time = tokio::time::timeout(GOODBYE, answered).await;
    }
}

fn is_pending(message: &Result<Message, Error>) -> bool {
    matches!(message, Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock)
}

/// The stream as the library wants it: what it reads comes from the network, what it writes goes into the batch.
struct Tap<'a, 'b, S> {
    stream: &'a mut S,
    cx: &'a mut Context<'b>,
    batch: &'a mut Batch,
}

impl<S: AsyncRead + Unpin> Read for Tap<'_, '_, S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(bytes);
        match Pin::new(&mut *self.stream).poll_read(self.cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S> Write for Tap<'_, '_, S> {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        if self.batch.control(frame) { Ok(frame.len()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
