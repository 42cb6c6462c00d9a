//! Frames on their way into one write.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Past it nothing more is added: a write that the kernel does not take whole keeps the rest in memory.
const FULL_BYTES: usize = 16 * 1024;
/// Answers to pings that may wait. A peer that pings and does not read gets no more of them.
const CONTROL_MAX_BYTES: usize = 512;

/// Encoded frames. Its memory is given back when they are written, since most connections are idle most of the time.
#[derive(Default)]
pub(in crate::transport) struct Batch {
    bytes: Vec<u8>,
    written: usize,
    control_bytes: usize,
}

impl Batch {
    /// Whether what is in it should be written first.
    pub(in crate::transport) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }

    /// Adds a text frame.
    pub(in crate::transport) fn text(&mut self, text: &str) {
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        let length = text.len() as u64;
        self.bytes.reserve(header.len(length) + text.len());
        header.format(length, &mut self.bytes).expect("writing to memory does not fail");
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Adds a ping without a payload.
    pub(in crate::transport) fn ping(&mut self) {
        let header = FrameHeader { opcode: OpCode::Control(Control::Ping), ..FrameHeader::default() };
        header.format(0, &mut self.bytes).expect("writing to memory does not fail");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds a frame that the library made: a pong or a close. False if too many of them wait.
    pub(super) fn control(&mut self, frame: &[u8]) -> bool {
        let has_room = self.control_bytes < CONTROL_MAX_BYTES;
        if has_room {
            self.control_bytes += frame.len();
            self.bytes.extend_from_slice(frame);
        }
        has_room
    }

    /// Writes until nothing is left.
    pub(super) fn poll_write(
        &mut self,
        mut io: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            let count = ready!(io.as_mut().poll_write(cx, &self.bytes[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        ready!(io.poll_flush(cx))?;
        *self = Self::default();
        Poll::Ready(Ok(()))
    }
}
