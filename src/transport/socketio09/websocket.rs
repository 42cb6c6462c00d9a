//! The websocket transport: one packet per text frame.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::packet::{DISCONNECT, RECONNECT};
use super::session::{Refused09, Session};
use super::state::{Phase, Turn};
use crate::transport::tcp::Peer;
use crate::transport::websocket::{Batch, Socket, Talk, converse};

/// Carries the session's packets over `socket` until one of them ends. `refuse` is told of calls for which there is
/// no room.
pub(super) async fn carry<S>(session: Arc<Session>, socket: Socket<S>, peer: Peer, refuse: impl Fn(Refused09) + Sync)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (turn, wake) = session.state().begin_websocket(peer, Instant::now(), &session.times);
    session.changed_transport();
    let carriage = Carriage { session: &session, turn, wake, refuse };
    let end = converse(socket, &carriage).await;
    session.websocket_ended(turn, end);
}

struct Carriage<'a, F> {
    session: &'a Session,
    turn: Turn,
    wake: Arc<Notify>,
    refuse: F,
}

impl<F: Fn(Refused09) + Sync> Talk for Carriage<'_, F> {
    fn hear(&self, message: Message) {
        // A websocket that was replaced is not listened to; nothing here is binary.
        if let Message::Text(text) = message
            && self.session.state().is_current(self.turn)
            && let Err(refused) = self.session.hear(&text, Some(self.turn))
        {
            (self.refuse)(refused);
        }
    }

    fn fill(&self, batch: &mut Batch) -> ControlFlow<()> {
        let mut state = self.session.state();
        while !batch.is_full()
            && let Some(packet) = state.next_packet(self.turn)
        {
            batch.text(&packet);
        }
        let is_leaving = state.phase == Phase::Leaving && state.is_current(self.turn) && !batch.is_full();
        drop(state);
        self.session.progressed();
        if is_leaving {
            batch.text(DISCONNECT);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn wrote(&self) {
        self.session.state().wrote(self.turn);
        self.session.progressed();
    }

    async fn news(&self) {
        self.wake.notified().await;
    }

    fn is_cut(&self) -> bool {
        self.session.is_shut()
    }
}

/// Tells a client that its session is unknown: it comes back with a new one.
pub(super) struct Stranger;

impl Talk for Stranger {
    fn hear(&self, _: Message) {}

    fn fill(&self, batch: &mut Batch) -> ControlFlow<()> {
        batch.text(RECONNECT);
        ControlFlow::Break(())
    }

    fn wrote(&self) {}

    async fn news(&self) {
        std::future::pending().await
    }

    fn is_cut(&self) -> bool {
        false
    }
}
