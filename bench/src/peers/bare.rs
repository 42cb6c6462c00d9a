//! A bare socketioxide program: what a chat on that library costs before it stores anything.
//!
//! Whoever comes is let in, nothing is remembered, and a room is a room of the library.

use std::collections::HashMap;
use std::fmt::Display;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::serve::ListenerExt;
use serde_json::json;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide::handler::ConnectHandler;
use tokio::signal::unix::{SignalKind, signal};

use super::bind;
use super::wire::{Credentials, Direct, Message, Padding, RoomId, ToRoom, Users, lock};
use crate::cli::Peer;

/// With the default of 128 it drops messages of healthy clients under load.
const PACKETS_BUFFERED: usize = 4096;

struct State {
    users: Users,
    online: Mutex<HashMap<u64, SocketRef>>,
    rooms: AtomicU64,
    padding: Padding,
}

/// Serves until it is told to end.
pub(crate) fn serve(args: Peer) -> Result<()> {
    // The same kind of runtime as nodeim's; pinned to one core, it has one worker.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(args.listen, args.frame_bytes))
}

async fn listen(addr: SocketAddr, frame_bytes: usize) -> Result<()> {
    let (layer, io) = SocketIo::builder().max_buffer_size(PACKETS_BUFFERED).build_layer();
    let state = Arc::new(State {
        users: Users::default(),
        online: Mutex::default(),
        rooms: AtomicU64::new(0),
        padding: Padding::to(frame_bytes),
    });
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

fn on_connect(io: &SocketIo, socket: &SocketRef, state: &Arc<State>) {
    let me = Arc::new(AtomicU64::new(0));

    let users = Arc::clone(state);
    socket.on("signup", async move |Data(who): Data<Credentials>, ack: AckSender| {
        let id = users.users.id(who.username);
        reply(ack, &json!({ "code": 200, "message": "welcome", "id": id }));
    });

    let (online, myself) = (Arc::clone(state), Arc::clone(&me));
    socket.on("signin", async move |socket: SocketRef, Data(who): Data<Credentials>, ack: AckSender| {
        let id = online.users.id(who.username);
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
        let sent = receiver.emit("message", &Message::direct(from, &direct));
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
        let frame = state.padding.room_message(from, &to);
        let sent = io.to(to.room.to_string()).emit("message", &frame).await;
        reply(ack, &outcome(sent));
    });
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
