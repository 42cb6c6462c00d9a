//! A fan-out on nothing but tokio and WebSocket frames: the ceiling, as no library and no rule stands in its way.
//!
//! A message is written as one frame that all its receivers share. Each has a queue and a task that hands whatever has
//! gathered there to the kernel in one call.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use serde_json::json;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame};
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::bind;
use super::wire::{Credentials, Direct, Message, Padding, RoomId, ToRoom, Users, lock};
use crate::cli::Peer;

/// As many as the bare peer buffers.
const FRAMES_QUEUED: usize = 4096;
/// Written at a time.
const FRAMES_GATHERED: usize = 64;
const READ_BUFFER_BYTES: usize = 4096;

type Outbox = mpsc::Sender<Bytes>;

struct Hub {
    users: Users,
    online: Mutex<HashMap<u64, Outbox>>,
    /// The members of room 1 come first.
    rooms: Mutex<Vec<Vec<Outbox>>>,
    padding: Padding,
}

/// Serves until it is told to end.
pub(crate) fn serve(args: Peer) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(args.listen, args.frame_bytes))
}

async fn listen(addr: SocketAddr, frame_bytes: usize) -> Result<()> {
    let hub = Arc::new(Hub {
        users: Users::default(),
        online: Mutex::default(),
        rooms: Mutex::default(),
        padding: Padding::to(frame_bytes),
    });
    let listener = bind(addr)?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = terminated.recv() => return Ok(()),
        };
        let hub = Arc::clone(&hub);
        tokio::spawn(async move {
            if let Err(error) = Box::pin(attend(stream, hub)).await {
                eprintln!("a connection ended: {error:#}");
            }
        });
    }
}

/// One connection.
async fn attend(stream: TcpStream, hub: Arc<Hub>) -> Result<()> {
    stream.set_nodelay(true)?;
    // A client says nothing before the open packet, so nothing is lost with what the handshake has read.
    let (reader, writer) = accept_async(stream).await?.into_inner().into_split();
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    // What the library would answer by itself goes nowhere: the load sends neither pings nor a close that waits.
    let half = tokio::io::join(reader, tokio::io::sink());
    let mut frames = WebSocketStream::from_raw_socket(half, Role::Server, Some(config)).await;

    let (outbox, queue) = mpsc::channel(FRAMES_QUEUED);
    let writing = tokio::spawn(async move {
        if let Err(error) = write(writer, queue).await {
            eprintln!("cannot write: {error}");
        }
    });
    // No pings: the load does not miss them, and a ceiling needs none.
    let open = json!({ "sid": "raw", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000 });
    outbox.try_send(text_frame(&format!("0{open}")))?;

    let mut client = Client { hub, outbox, id: 0 };
    while let Some(Ok(frame)) = frames.next().await {
        if let Frame::Text(text) = frame {
            client.on_packet(&text)?;
        }
    }
    writing.abort();
    Ok(())
}

struct Client {
    hub: Arc<Hub>,
    outbox: Outbox,
    /// Once signed in
    id: u64,
}

impl Client {
    fn on_packet(&mut self, packet: &str) -> Result<()> {
        if packet == "40" {
            self.outbox.try_send(text_frame(r#"40{"sid":"raw"}"#))?;
            return Ok(());
        }
        let Some(event) = packet.strip_prefix("42") else {
            return Ok(());
        };
        let digits = event.bytes().take_while(u8::is_ascii_digit).count();
        let (ack, event) = event.split_at(digits);
        let (name, data) = event.split_once("\",").with_context(|| format!("not an event: {packet}"))?;
        let (name, data) = (name.trim_start_matches("[\""), data.trim_end_matches(']'));
        let reply = self.on_event(name, data)?;
        self.outbox.try_send(text_frame(&format!("43{ack}[{reply}]")))?;
        Ok(())
    }

    /// Returns the reply.
    fn on_event(&mut self, name: &str, data: &str) -> Result<String> {
        const DONE: &str = r#"{"code":200}"#;
        match name {
            "signup" => {
                let who: Credentials = serde_json::from_str(data)?;
                let id = self.hub.users.id(who.username);
                Ok(json!({ "code": 200, "message": "welcome", "id": id }).to_string())
            }
            "signin" => {
                let who: Credentials = serde_json::from_str(data)?;
                self.id = self.hub.users.id(who.username);
                lock(&self.hub.online).insert(self.id, self.outbox.clone());
                Ok(json!({ "code": 200, "message": "welcome back", "rooms": [] }).to_string())
            }
            "message" => {
                let direct: Direct = serde_json::from_str(data)?;
                let frame = message_frame(&Message::direct(self.id, &direct))?;
                let delivered = lock(&self.hub.online).get(&direct.to).is_some_and(|to| to.try_send(frame).is_ok());
                Ok(if delivered { DONE.to_owned() } else { json!({ "code": 500 }).to_string() })
            }
            "room.create" => {
                let mut rooms = lock(&self.hub.rooms);
                rooms.push(vec![self.outbox.clone()]);
                Ok(json!({ "code": 200, "room": { "id": rooms.len() } }).to_string())
            }
            "room.join" => {
                let room: RoomId = serde_json::from_str(data)?;
                let mut rooms = lock(&self.hub.rooms);
                let members = members(&mut rooms, room.id)?;
                // Who made the room is in it.
                if !members.iter().any(|member| member.same_channel(&self.outbox)) {
                    members.push(self.outbox.clone());
                }
                Ok(DONE.to_owned())
            }
            "room.message" => {
                let to: ToRoom = serde_json::from_str(data)?;
                let frame = message_frame(&self.hub.padding.room_message(self.id, &to))?;
                let mut rooms = lock(&self.hub.rooms);
                let members = members(&mut rooms, to.room)?;
                let missed = members.iter().filter(|member| member.try_send(frame.clone()).is_err()).count();
                Ok(if missed == 0 { DONE.to_owned() } else { json!({ "code": 500 }).to_string() })
            }
            _ => Ok(json!({ "code": 404 }).to_string()),
        }
    }
}

fn members(rooms: &mut [Vec<Outbox>], id: u64) -> Result<&mut Vec<Outbox>> {
    let index = usize::try_from(id)?.checked_sub(1);
    index.and_then(|index| rooms.get_mut(index)).context("no such room")
}

fn message_frame(message: &Message<'_>) -> Result<Bytes> {
    let json = serde_json::to_string(message)?;
    Ok(text_frame(&format!("42[\"message\",{json}]")))
}

/// A WebSocket frame as a server sends it: whole, and not masked.
fn text_frame(text: &str) -> Bytes {
    const WHOLE_TEXT: u8 = 0x81;
    let mut frame = Vec::with_capacity(text.len() + 10);
    frame.push(WHOLE_TEXT);
    match text.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame.into()
}

/// One receiver's queue, until nobody has the other end of it.
async fn write(mut socket: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Bytes>) -> io::Result<()> {
    let mut frames = Vec::with_capacity(FRAMES_GATHERED);
    while queue.recv_many(&mut frames, FRAMES_GATHERED).await > 0 {
        let mut slices: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let written = socket.write_vectored(rest).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
        frames.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

    use super::text_frame;

    #[test]
    fn headers_fit_every_length() {
        for (length, header_bytes) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let text = "x".repeat(length);
            let frame = text_frame(&text);
            let mut cursor = std::io::Cursor::new(&frame[..]);
            let (header, announced) = FrameHeader::parse(&mut cursor).expect("valid").expect("whole");
            assert!(header.is_final && header.mask.is_none());
            assert_eq!((announced, cursor.position()), (length as u64, header_bytes));
            assert_eq!(&frame[header_bytes as usize..], text.as_bytes());
        }
    }
}
