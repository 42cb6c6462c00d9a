//! What a connection has to say to its websocket, and hears from it.

use std::ops::ControlFlow;

use tokio::time::sleep_until;
use tokio_tungstenite::tungstenite::Message;

use super::connection::{Arrived, Connection};
use crate::transport::Refusal;
use crate::transport::websocket::{Batch, Talk};

/// One connection's; `refuse` is told of calls for which there is no room.
pub(super) struct Conversation<'a, F> {
    connection: &'a Connection,
    refuse: F,
}

impl<'a, F: Fn((Arrived, Refusal))> Conversation<'a, F> {
    pub(super) fn new(connection: &'a Connection, refuse: F) -> Self {
        Self { connection, refuse }
    }
}

impl<F: Fn((Arrived, Refusal)) + Sync> Talk for Conversation<'_, F> {
    /// Text or binary: old servers took both.
    fn hear(&self, message: Message) {
        if let Err(refused) = self.connection.inbox.put(Arrived::from(message)) {
            (self.refuse)(refused);
        }
    }

    fn hear_sign(&self) {
        self.connection.set_clock_back();
    }

    fn fill(&self, batch: &mut Batch) -> ControlFlow<()> {
        self.connection.fill(batch)
    }

    fn wrote(&self) {
        self.connection.wrote();
    }

    async fn news(&self) {
        tokio::select! {
            () = self.connection.wake.notified() => {}
            () = sleep_until(self.connection.clock_is_due()) => self.connection.look_at_clock(),
        }
    }

    fn is_cut(&self) -> bool {
        self.connection.is_shut()
    }
}
