//! Socket.IO 0.9, the protocol of 2013: a handshake that promises a session, and three transports that carry it.
//!
//! No library speaks it. It lives below `/socket.io/1`, in front of the layer that claims all of `/socket.io` for
//! Engine.IO ([`SocketIo09::gate`]). A session outlives the transport that carries it: the newest request or
//! websocket with its id takes over, packets wait for it in between (`state.rs`), and the connection's own task
//! carries out what the client asks for, as on every other transport.

mod address;
mod event;
mod incoming;
mod packet;
mod payload;
mod polling;
mod response;
mod session;
mod sessions;
mod state;
#[cfg(test)]
mod tests;
mod times;
mod waiting;
mod websocket;

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};

use self::session::{Refused09, Session};
use self::sessions::Sessions;
use self::state::Kind;
use self::times::Times;
use self::waiting::{Refusal, Sid};
use self::websocket::{Stranger, carry};
use super::admission::Admission;
use super::run::{refuse_unheard, run};
use super::tcp::{ClientAddress, Peer};
use super::websocket::{Upgrade, converse};
use super::{Connections, Dialect, Link, Way};
use crate::config::Config;
use crate::metrics::Metrics;
use address::{Address, parameter};

/// Offered to clients, in this order. Not htmlfile, which Internet Explorer alone would take.
const TRANSPORTS: &str = "websocket,xhr-polling,jsonp-polling";

/// Socket.IO 0.9 for one dialect.
pub struct SocketIo09<D> {
    dialect: Arc<D>,
    config: Arc<Config>,
    times: Times,
    sessions: Arc<Sessions>,
    tasks: TaskTracker,
    metrics: Arc<Metrics>,
}

impl<D: Dialect> SocketIo09<D> {
    pub fn new(
        dialect: Arc<D>,
        config: Arc<Config>,
        admission: Admission,
        tasks: TaskTracker,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let sessions = Arc::new(Sessions::new(&config, admission, tasks.clone()));
        Arc::new(Self { dialect, times: Times::of(&config), config, sessions, tasks, metrics })
    }

    /// The live connections.
    pub fn connections(&self) -> Arc<dyn Connections> {
        Arc::clone(&self.sessions) as Arc<dyn Connections>
    }

    /// A middleware that answers what is for this transport and lets everything else pass.
    pub fn gate(
        self: &Arc<Self>,
    ) -> impl Fn(Request, Next) -> Pin<Box<dyn Future<Output = Response> + Send>> + Clone + Send + Sync + 'static {
        let transport = Arc::clone(self);
        move |request, next| {
            let transport = Arc::clone(&transport);
            Box::pin(async move {
                let uri = request.uri().clone();
                let query = uri.query().unwrap_or_default();
                match Address::of(uri.path(), query) {
                    Some(address) => transport.answer(address, query, request).await,
                    None => next.run(request).await,
                }
            })
        }
    }

    async fn answer(self: Arc<Self>, address: Address<'_>, query: &str, request: Request) -> Response {
        match address {
            Address::Root => response::text("Welcome to socket.io."),
            Address::OtherProtocol => {
                response::error(StatusCode::INTERNAL_SERVER_ERROR, "Protocol version not supported.")
            }
            Address::Handshake => response::handshake(query, self.handshake(&request)),
            Address::Session { sid, .. } if parameter(query, "disconnect").is_some() => {
                if let Some(session) = self.sessions.find(sid) {
                    session.leave();
                }
                response::text("")
            }
            Address::Session { transport: "websocket", sid } => self.websocket(sid, request),
            Address::Session { transport: "xhr-polling", sid } => self.polling(Kind::Xhr, sid, query, request).await,
            Address::Session { transport: "jsonp-polling", sid } => {
                self.polling(Kind::Jsonp, sid, query, request).await
            }
            // Old server: cut the connection.
            Address::Session { .. } => response::error(StatusCode::BAD_REQUEST, "Transport not supported."),
        }
    }

    fn handshake(&self, request: &Request) -> Result<String, (StatusCode, &'static str)> {
        // While a client reconnects, 403 would stop it for ever; after these it goes on trying.
        let sid = self.sessions.promise(client_address(request)).map_err(|refusal| match refusal {
            Refusal::Full => {
                debug!("too many sessions of Socket.IO 0.9, a client is sent away");
                (StatusCode::SERVICE_UNAVAILABLE, "Too many connections, try again later.")
            }
            Refusal::NoRandom(cause) => {
                error!(%cause, "no session id could be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "The server failed.")
            }
        })?;
        let timeout_s = self.times.told_s();
        Ok(format!("{sid}:{timeout_s}:{timeout_s}:{TRANSPORTS}"))
    }

    async fn polling(self: Arc<Self>, kind: Kind, sid: &str, query: &str, request: Request) -> Response {
        match *request.method() {
            Method::GET => {
                let body = match self.session(sid, client_address(&request)) {
                    Some(session) => polling::get(&session, kind).await,
                    None => packet::RECONNECT.to_owned(),
                };
                polling::respond(kind, query, body)
            }
            Method::POST => match self.sessions.find(sid) {
                Some(session) => {
                    let refuse = |refused| self.refuse(&session, refused);
                    polling::post(&session, kind, request, self.config.frame_max_bytes, refuse).await
                }
                None => polling::post_to_nobody(request, self.config.frame_max_bytes, self.times.timeout).await,
            },
            _ => response::error(StatusCode::METHOD_NOT_ALLOWED, "GET or POST."),
        }
    }

    fn websocket(self: Arc<Self>, sid: &str, mut request: Request) -> Response {
        let address = client_address(&request);
        let Some(peer) = request.extensions().get::<Peer>().cloned() else {
            error!("a request came over no TCP connection of this server's");
            return response::error(StatusCode::INTERNAL_SERVER_ERROR, "The server failed.");
        };
        let (response, upgrade) = match Upgrade::accept(&mut request, self.config.frame_max_bytes) {
            Ok(accepted) => accepted,
            Err(response) => return *response,
        };
        let sid: Sid = sid.into();
        self.tasks.clone().spawn(async move {
            let Some(socket) = upgrade.socket().await else {
                return;
            };
            match self.session(&sid, address) {
                Some(session) => {
                    let refuse = |refused| self.refuse(&session, refused);
                    carry(Arc::clone(&session), socket, peer, refuse).await;
                }
                None => {
                    converse(socket, &Stranger).await;
                }
            }
        });
        response
    }

    /// The session with this id; a promised one is opened.
    fn session(self: &Arc<Self>, sid: &str, address: IpAddr) -> Option<Arc<Session>> {
        let make = |sid, seat| Session::new(sid, seat, address, &self.config, Arc::clone(&self.metrics));
        let (session, is_new) = self.sessions.find_or_open(sid, make)?;
        if is_new {
            let (transport, session) = (Arc::clone(self), Arc::clone(&session));
            self.tasks.spawn(async move { transport.attend(session).await });
        }
        Some(session)
    }

    /// The connection's own task.
    async fn attend(&self, session: Arc<Session>) {
        let (dialect, pace, metrics) = (&*self.dialect, session.pace.as_ref(), &self.metrics);
        let calls = run(dialect, link(&session), &session.inbox, pace, metrics, |arrived| arrived.into_call(&session));
        tokio::select! {
            () = calls => {}
            never = session.watch() => match never {},
        }
        session.shut();
        self.sessions.remove(&session.sid);
    }

    fn refuse(&self, session: &Arc<Session>, (arrived, why): Refused09) {
        let call = arrived.into_call(session);
        refuse_unheard(&*self.dialect, &self.metrics, &link(session), call, why, session.pace.as_ref());
    }
}

fn link(session: &Arc<Session>) -> Link {
    let way = Arc::clone(session) as Arc<dyn Way>;
    Link { way, address: session.address, name: session.name, is_09: true }
}

fn client_address(request: &Request) -> IpAddr {
    request.extensions().get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |at| at.0)
}
