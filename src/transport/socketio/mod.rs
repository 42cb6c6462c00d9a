//! Socket.IO over Engine.IO 3 and 4, through socketioxide, for clients 1.x to 4.x.
//!
//! Two servers, since the parser is chosen per server: JSON under `/socket.io`, msgpack under `/socket.io-msgpack`.
//! socketioxide runs every async handler as a task of its own, in no order; so one plain handler puts each event
//! into the connection's inbox, and one task per connection works it off.

mod flow;
mod guest;
mod outbox;
pub mod packet;
mod registry;
mod text;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use axum::http::request::Parts;
use socketioxide::handler::connect::FromConnectParts;
use socketioxide::handler::{ConnectHandler, FromMessageParts};
use socketioxide::layer::SocketIoLayer;
use socketioxide::socket::{DisconnectReason, Socket};
use socketioxide::{ParserConfig, SocketIo, SocketIoBuilder};
use socketioxide_core::Value as Packet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::inbox::{Inbox, Incoming};
use super::pace::{Pace, Verdict};
use super::run::{refuse_unheard, run};
use super::tcp::{ClientAddress, Peer};
use super::{Call, Dialect, Link, Refusal, ReplySlot, Way};
use crate::chat::Ending;
use crate::config::Config;
use crate::metrics::Metrics;
use flow::Flow;
pub use guest::Guest;
pub use outbox::Outbox;
use outbox::{Encoding, Limits};
pub use registry::Registry;

/// What both servers share.
pub struct SocketIoTransport<D> {
    dialect: Arc<D>,
    config: Arc<Config>,
    registry: Arc<Registry>,
    servers: OnceLock<[(Encoding, SocketIo); 2]>,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

impl<D: Dialect> SocketIoTransport<D> {
    pub fn new(dialect: Arc<D>, config: Arc<Config>, tasks: TaskTracker, metrics: Arc<Metrics>) -> Arc<Self> {
        let heartbeat = Duration::from_millis(config.ping_interval_ms + config.ping_timeout_ms);
        let registry = Arc::new(Registry::new(heartbeat));
        Arc::new(Self { dialect, config, registry, servers: OnceLock::new(), tasks, metrics })
    }

    /// The live connections.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// The layer that serves clients with the JSON parser, and the one for those with msgpack.
    pub fn layers(self: &Arc<Self>) -> (SocketIoLayer, SocketIoLayer) {
        let (json, json_io) = self.builder("/socket.io").with_parser(ParserConfig::common()).build_layer();
        self.serve(&json_io, Encoding::Json);
        let (msgpack, msgpack_io) =
            self.builder("/socket.io-msgpack").with_parser(ParserConfig::msgpack()).build_layer();
        self.serve(&msgpack_io, Encoding::Msgpack);
        self.servers.get_or_init(|| [(Encoding::Json, json_io), (Encoding::Msgpack, msgpack_io)]);
        (json, msgpack)
    }

    /// Ends connections that the library has lost. It removes a socket by its session's id some time after the client
    /// has left the namespace; if the client leaves twice and enters in between, that is the new one, which is then
    /// told of nothing any more.
    pub fn sweep(&self) {
        let servers = self.servers.get().map(|servers| servers.as_slice()).unwrap_or_default();
        self.registry
            .sweep(|sid, encoding| servers.iter().any(|(of, io)| *of == encoding && io.get_socket(sid).is_some()));
    }

    fn builder(&self, path: &'static str) -> SocketIoBuilder {
        let config = &self.config;
        SocketIo::builder()
            .req_path(path)
            .ping_interval(Duration::from_millis(config.ping_interval_ms))
            .ping_timeout(Duration::from_millis(config.ping_timeout_ms))
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .upgrade_timeout(Duration::from_millis(config.header_timeout_ms))
            .max_buffer_size(config.socket_buffer_packets)
            .max_payload(config.frame_max_bytes as u64)
            .ws_max_message_size(config.frame_max_bytes)
            .ws_max_frame_size(config.frame_max_bytes)
            // The library's default of 4 KiB is held by every idle connection.
            .ws_read_buffer_size(1024)
    }

    /// Handlers are set in a middleware, which runs before the client learns that it is connected: set later they
    /// would miss its first events.
    fn serve(self: &Arc<Self>, io: &SocketIo, encoding: Encoding) {
        let prepare = {
            let transport = Arc::clone(self);
            async move |At(socket): At| -> Result<(), &'static str> { transport.prepare(&socket) }
        };
        let transport = Arc::clone(self);
        let connected = move |At(socket): At| {
            transport.connected(socket, encoding);
            std::future::ready(())
        };
        io.ns("/", connected.with(prepare));
    }

    /// Entering the namespace costs as much as a command.
    ///
    /// # Errors
    /// What is said to a client that enters too often.
    fn prepare(&self, socket: &Arc<Socket>) -> Result<(), &'static str> {
        let guest = Guest::of(socket.req_parts());
        match guest.as_ref().and_then(|guest| guest.pace.as_ref()).map_or(Verdict::Allowed, Pace::command) {
            Verdict::Allowed => {}
            Verdict::TooFast => return Err("too fast"),
            Verdict::Flood => {
                if self.registry.end(socket.id, self.peer(socket).as_ref()) {
                    self.metrics.floods_ended.increment(1);
                }
                return Err("too fast");
            }
        }
        if let Some(guest) = &guest {
            guest.enters();
        }
        let door = Arc::new(Door {
            inbox: Arc::new(Inbox::new(self.config.inbox_max_commands, self.config.inbox_max_bytes)),
            link: OnceLock::new(),
            gone: CancellationToken::new(),
            has_left: AtomicBool::new(false),
            guest,
        });
        socket.extensions.insert(Arc::clone(&door));
        let (dialect, metrics) = (Arc::clone(&self.dialect), Arc::clone(&self.metrics));
        let inside = Arc::clone(&door);
        socket.on_fallback(move |event: Raised| {
            if let Err((incoming, why)) = inside.inbox.put(event.0) {
                inside.refuse(&*dialect, &metrics, incoming, why);
            }
            std::future::ready(())
        });
        socket.on_disconnect(move |reason: DisconnectReason| {
            door.has_left.store(reason == DisconnectReason::ClientNSDisconnect, Ordering::Release);
            door.close(ending(reason));
            std::future::ready(())
        });
        Ok(())
    }

    /// The TCP connection that carries a session that is not in the namespace, as far as it is known.
    fn peer(&self, socket: &Socket) -> Option<Peer> {
        let from_the_start =
            || socket.req_parts().extensions.get().filter(|_| is_websocket(socket.req_parts())).cloned();
        self.registry.flow(socket.id).lock().peer().cloned().or_else(from_the_start)
    }

    fn connected(&self, socket: Arc<Socket>, encoding: Encoding) {
        let Some(door) = socket.extensions.get::<Arc<Door>>() else {
            return;
        };
        let parts = socket.req_parts();
        let address = parts.extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |at| at.0);
        let flow = self.registry.flow(socket.id);
        if let Some(peer) = parts.extensions.get::<Peer>()
            && is_websocket(parts)
        {
            *flow.lock() = Flow::websocket(peer.clone());
        }
        let limits = Limits {
            max_frames: self.config.outbox_max_frames,
            max_bytes: self.config.outbox_max_bytes,
            window_bytes: self.config.socket_buffer_bytes,
        };
        let sid = socket.id;
        let (inbox, tasks) = (Arc::clone(&door.inbox), self.tasks.clone());
        let outbox = Outbox::new(socket, inbox, encoding, limits, flow, tasks, Arc::clone(&self.metrics));
        // The door is owned by the socket, and the outbox owns the socket.
        door.link.get_or_init(|| (Arc::downgrade(&outbox), address));
        self.registry.add(sid, Arc::clone(&door), Arc::clone(&outbox));

        let way = Arc::clone(&outbox) as Arc<dyn Way>;
        let link = Link { way, address, name: outbox.name(), is_09: false };
        let registry = Arc::clone(&self.registry);
        let (dialect, metrics) = (Arc::clone(&self.dialect), Arc::clone(&self.metrics));
        let grace = Duration::from_millis(self.config.connect_timeout_ms);
        self.tasks.spawn(async move {
            run(&*dialect, link, &door.inbox, door.pace(), &metrics, |incoming| incoming.into_call(&outbox)).await;
            outbox.shut();
            // Until the library has noticed too, requests for this session are refused.
            door.gone.cancelled().await;
            registry.remove(sid, &outbox);
            let has_left = door.has_left.load(Ordering::Acquire);
            if let Some(outside) = door.guest.as_ref().filter(|_| has_left).map(|guest| guest.outside()) {
                let flow = outbox.flow();
                drop((door, outbox));
                registry.see_out(sid, flow, &outside, grace).await;
            }
        });
    }
}

/// Where a socket's events come in.
struct Door {
    inbox: Arc<Inbox<Raw>>,
    /// The way back, once connected.
    link: OnceLock<(Weak<Outbox>, IpAddr)>,
    /// The library has let the socket go.
    gone: CancellationToken,
    /// The client has left the namespace, and its session lives on.
    has_left: AtomicBool,
    guest: Option<Arc<Guest>>,
}

impl Door {
    /// Nothing comes in any more.
    fn close(&self, ending: Ending) {
        self.inbox.close(ending);
        self.gone.cancel();
    }

    fn pace(&self) -> Option<&Pace> {
        self.guest.as_ref()?.pace.as_ref()
    }

    fn refuse<D: Dialect>(&self, dialect: &D, metrics: &Metrics, incoming: Raw, why: Refusal) {
        let Some((outbox, address)) = self.link.get() else {
            return;
        };
        if let Some(outbox) = outbox.upgrade() {
            let call = incoming.into_call(&outbox);
            let name = outbox.name();
            let link = Link { way: outbox, address: *address, name, is_09: false };
            refuse_unheard(dialect, metrics, &link, call, why, self.pace());
        }
    }
}

/// An event as it came in, not decoded yet.
struct Raw {
    packet: Packet,
    ack: Option<i64>,
}

impl Incoming for Raw {
    fn bytes(&self) -> usize {
        self.packet.len()
    }
}

impl Raw {
    fn into_call(self, outbox: &Arc<Outbox>) -> Call {
        let (event, payload) = packet::decode(&self.packet, outbox.may_encode_twice());
        let reply = self.ack.map(|ack| ReplySlot { way: Arc::clone(outbox) as Arc<dyn Way>, ack });
        Call { event, payload, reply }
    }
}

/// Whether a connection began with this request as a websocket. Asked later, it may have moved to one.
fn is_websocket(first_request: &Parts) -> bool {
    first_request.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "transport=websocket"))
}

/// Whether a connection that ended for this reason had taken everything that was written to it.
fn ending(reason: DisconnectReason) -> Ending {
    match reason {
        DisconnectReason::TransportClose | DisconnectReason::ClientNSDisconnect => Ending::Orderly,
        DisconnectReason::ServerNSDisconnect
        | DisconnectReason::MultipleHttpPollingError
        | DisconnectReason::PacketParsingError
        | DisconnectReason::TransportError
        | DisconnectReason::HeartbeatTimeout
        | DisconnectReason::ClosingServer => Ending::Broken,
    }
}

/// An event as the library hands it over, before it is decoded.
struct Raised(Raw);

impl FromMessageParts<socketioxide::adapter::LocalAdapter> for Raised {
    type Error = Infallible;

    fn from_message_parts(_: &Arc<Socket>, packet: &mut Packet, ack: &Option<i64>) -> Result<Self, Infallible> {
        let packet = std::mem::replace(packet, Packet::Bytes(Default::default()));
        Ok(Self(Raw { packet, ack: *ack }))
    }
}

/// The socket itself.
struct At(Arc<Socket>);

impl FromConnectParts<socketioxide::adapter::LocalAdapter> for At {
    type Error = Infallible;

    fn from_connect_parts(socket: &Arc<Socket>, _: &Option<Packet>) -> Result<Self, Infallible> {
        Ok(Self(Arc::clone(socket)))
    }
}
