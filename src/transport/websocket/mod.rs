//! Raw websockets, for the wires that no library speaks: the upgrade, and a socket that costs little while nothing
//! happens.
//!
//! A wire says through [`Talk`] what it has to send and hears what comes; [`converse`] does the rest on one task:
//! frames that wait go out in one write, pings are answered, and a peer that does not read is never waited for,
//! since whoever must end the connection cuts its TCP stream.

mod batch;
mod socket;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

pub(super) use batch::Batch;
pub(super) use socket::Socket;
use socket::Turn;

/// What a wire makes of a websocket. Nothing here waits but [`news`](Talk::news).
pub(super) trait Talk {
    /// A text or binary message has come.
    fn hear(&self, message: Message);

    /// A frame of any kind has come, a pong too.
    fn hear_sign(&self) {}

    /// Puts frames that wait into the batch, until it is full or there are no more. `Break` says that these are the
    /// last ones: when they are written, the socket is closed.
    fn fill(&self, batch: &mut Batch) -> ControlFlow<()>;

    /// All that [`fill`](Talk::fill) has given so far was taken by the kernel.
    fn wrote(&self);

    /// Resolves when there may be something to fill in, or the connection is to be cut. What happens while nobody
    /// waits is remembered.
    fn news(&self) -> impl Future<Output = ()> + Send;

    /// Whether the connection is to end now, without a word and whatever still waits.
    fn is_cut(&self) -> bool;
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The client said goodbye, with a close frame.
    Closed,
    /// The stream ended without one, failed, or what came was no websocket frame or too large a message.
    Broken,
    /// This side ended it.
    Ours,
}

/// Talks until one side ends it.
pub(super) async fn converse<S, T>(mut socket: Socket<S>, talk: &T) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: Talk,
{
    let mut said_all = false;
    loop {
        if talk.is_cut() {
            return End::Ours;
        }
        if socket.is_idle() && !said_all {
            said_all = talk.fill(socket.batch()).is_break();
        }
        if socket.is_idle() && said_all {
            socket.say_goodbye().await;
            return End::Ours;
        }
        tokio::select! {
            turn = socket.turn() => match turn {
                Ok(Turn::Wrote) => talk.wrote(),
                Ok(Turn::Heard(Message::Close(_))) => {
                    socket.return_goodbye().await;
                    return End::Closed;
                }
                Ok(Turn::Heard(message)) => {
                    talk.hear_sign();
                    if let Message::Text(_) | Message::Binary(_) = message {
                        talk.hear(message);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "a websocket broke");
                    return End::Broken;
                }
            },
            () = talk.news() => {}
        }
    }
}

/// A websocket that is about to be.
pub(super) struct Upgrade {
    upgraded: OnUpgrade,
    message_max_bytes: usize,
}

impl Upgrade {
    /// The answer that accepts the request, and what becomes of its TCP connection then.
    ///
    /// # Errors
    /// The answer to a request that is no upgrade to a websocket of RFC 6455.
    pub(super) fn accept(request: &mut Request, message_max_bytes: usize) -> Result<(Response, Self), Box<Response>> {
        let response = create_response_with_body(request, Body::empty);
        let response = response.map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response())?;
        Ok((response, Self { upgraded: hyper::upgrade::on(request), message_max_bytes }))
    }

    /// The socket, once the answer is written. Nothing if the client has gone before.
    pub(super) async fn socket(self) -> Option<Socket<TokioIo<Upgraded>>> {
        let upgraded = self.upgraded.await;
        let upgraded = upgraded.inspect_err(|error| tracing::debug!(%error, "a websocket was not opened")).ok()?;
        Some(Socket::new(TokioIo::new(upgraded), self.message_max_bytes))
    }
}
