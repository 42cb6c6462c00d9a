//! A bare socketioxide program: what a chat on that library costs before it stores anything.
//!
//! Whoever comes is let in, nothing is remembered, and a room is a room of the library.

use std::collections::HashMap;
use std::fmt::Display;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::Router;
use axum::serve::ListenerExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide::handler::ConnectHandler;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Bare;

/// With the default of 128 it drops messages of healthy clients under load.
const PACKETS_BUFFERED: usize = 4096;

const LISTEN_QUEUE: u32 = 4096;

#[derive(Debug, Deserialize)]
struct Credentials {
    username: String,
}

#[derive(Debug, Deserialize)]
struct Direct {
    to: u64,
    message: String,
}

#[derive(Debug, Deserialize)]
struct RoomId {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct ToRoom {
    room: u64,
    message: String,
}

/// nodeim's `message` event.
#[derive(Debug, Serialize)]
struct Message<'a> {
    from: From<'a>,
    to: u64,
    message: &'a str,
    time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<u64>,
    readed: u8,
    #[serde(skip_serializing_if = "str::is_empty")]
    pad: &'a str,
}

#[derive(Debug, Serialize)]
struct From<'a> {
    id: u64,
    username: &'a str,
}

#[derive(Default)]
struct State {
    users: Mutex<HashMap<String, u64>>,
    online: Mutex<HashMap<u64, SocketRef>>,
    rooms: AtomicU64,
    frame_bytes: usize,
    pad: OnceLock<String>,
}

impl State {
    /// The id of a user, who need not have been here before.
    fn user(&self, username: String) -> u64 {
        let mut users = lock(&self.users);
        let next = users.len() as u64 + 1;
        *users.entry(username).or_insert(next)
    }
}

/// Serves until it is told to end.
pub(crate) fn serve(args: Bare) -> Result<()> {
    // The same kind of runtime as nodeim's; pinned to one core, it has one worker.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(args.listen, args.frame_bytes))
}

async fn listen(addr: SocketAddr, frame_bytes: usize) -> Result<()> {
    let (layer, io) = SocketIo::builder().max_buffer_size(PACKETS_BUFFERED).build_layer();
    let state = Arc::new(State { frame_bytes, ..State::default() });
    // Handlers registered after the connection is answered miss its first event, so here.
    let register = move |io: SocketIo, socket: SocketRef| {
        on_connect(&io, &socket, &state);
        ready(Ok::<(), std::convert::Infallible>(()))
    };
    io.ns("/", (async || {}).with(register));

    let listener = bind(addr)?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let listener = listener.tap_io(|stream| {
        // As Node does by itself; otherwise small answers wait up to 40 ms for the peer's TCP ack.
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("no TCP_NODELAY: {error}");
        }
    });
    let server = axum::serve(listener, Router::new().layer(layer)).into_future();
    tokio::select! {
        served = server => served?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// Not with the library's queue of 128: when it is full, the kernel makes clients wait for seconds.
fn bind(addr: SocketAddr) -> Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket.listen(LISTEN_QUEUE)?)
}

fn on_connect(io: &SocketIo, socket: &SocketRef, state: &Arc<State>) {
    let me = Arc::new(AtomicU64::new(0));

    let users = Arc::clone(state);
    socket.on("signup", async move |Data(who): Data<Credentials>, ack: AckSender| {
        let id = users.user(who.username);
        reply(ack, &json!({ "code": 200, "message": "welcome", "id": id }));
    });

    let (online, myself) = (Arc::clone(state), Arc::clone(&me));
    socket.on("signin", async move |socket: SocketRef, Data(who): Data<Credentials>, ack: AckSender| {
        let id = online.user(who.username);
        myself.store(id, Ordering::Relaxed);
        lock(&online.online).insert(id, socket);
        reply(ack, &json!({ "code": 200, "message": "welcome back", "rooms": [] }));
    });

    let (to, myself) = (Arc::clone(state), Arc::clone(&me));
    socket.on("message", async move |Data(direct): Data<Direct>, ack: AckSender| {
        let Some(receiver) = lock(&to.online).get(&direct.to).cloned() else {
            return reply(ack, &json!({ "code": 404, "message": "unknown" }));
        };
        let from = myself.load(Ordering::Relaxed);
        let sent = receiver.emit("message", &message(from, direct.to, &direct.message, None, ""));
        reply(ack, &outcome(sent));
    });

    let rooms = Arc::clone(state);
    socket.on("room.create", async move |socket: SocketRef, ack: AckSender| {
        let id = rooms.rooms.fetch_add(1, Ordering::Relaxed) + 1;
        socket.join(id.to_string());
        reply(ack, &json!({ "code": 200, "room": { "id": id } }));
    });

    socket.on("room.join", async move |socket: SocketRef, Data(room): Data<RoomId>, ack: AckSender| {
        socket.join(room.id.to_string());
        reply(ack, &json!({ "code": 200 }));
    });

    let (io, state) = (io.clone(), Arc::clone(state));
    socket.on("room.message", async move |Data(to): Data<ToRoom>, ack: AckSender| {
        let from = me.load(Ordering::Relaxed);
        let pad = pad(&state, from, &to);
        let frame = message(from, from, &to.message, Some(to.room), pad);
        let sent = io.to(to.room.to_string()).emit("message", &frame).await;
        reply(ack, &outcome(sent));
    });
}

fn message<'a>(from: u64, to: u64, message: &'a str, room: Option<u64>, pad: &'a str) -> Message<'a> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = now.map_or(0, |elapsed| elapsed.as_millis());
    Message {
        from: From { id: from, username: "somebody" },
        to,
        message,
        time: u64::try_from(time).unwrap_or(u64::MAX),
        room,
        readed: 0,
        pad,
    }
}

/// What the first message lacked of the wanted length; later ones are as long.
fn pad<'a>(state: &'a State, from: u64, to: &ToRoom) -> &'a str {
    state.pad.get_or_init(|| {
        let empty = message(from, from, &to.message, Some(to.room), "");
        let json = serde_json::to_string(&empty).unwrap_or_default();
        let bare = json.len() + r#"42["message",],"pad":"""#.len();
        "x".repeat(state.frame_bytes.saturating_sub(bare))
    })
}

fn outcome<E: Display>(sent: Result<(), E>) -> serde_json::Value {
    match sent {
        Ok(()) => json!({ "code": 200 }),
        Err(error) => json!({ "code": 500, "message": error.to_string() }),
    }
}

fn reply(ack: AckSender, body: &serde_json::Value) {
    if let Err(error) = ack.send(body) {
        eprintln!("an ack was lost: {error}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
