//! What a handler has at hand: the core, the connection, and who is signed in on it.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tracing::warn;

use super::loose::Id;
use super::modern::attention::Typing;
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::{RoomId, UserId};
use crate::chat::{Chat, Ending, SignedIn};
use crate::hub::Connection;
use crate::transport::Link;

/// One connection's state in this dialect.
pub(super) struct Context {
    pub(super) chat: Arc<Chat>,
    pub(super) link: Link,
    pub(super) connection: Arc<Connection>,
    /// Who has just signed in: told to the others after the reply.
    arriving: Option<SignedIn>,
    pub(super) typing: Typing,
    /// The digest of the password that this session has set last. Old clients post it again with every later
    /// change of the profile, which must not undo a reset made elsewhere.
    applied_password: Option<[u8; 32]>,
}

impl Context {
    pub(super) fn new(chat: Arc<Chat>, link: Link) -> Self {
        let connection = chat.hub().open(link.port(), link.address);
        Self { chat, link, connection, arriving: None, typing: Typing::default(), applied_password: None }
    }

    /// Who is signed in here.
    pub(super) fn user(&self) -> Result<UserId> {
        self.connection.user().ok_or(Error::NotSignedIn)
    }

    /// The user whom a parameter names. Whether they exist is for the core to say.
    pub(super) fn target(id: Id) -> Result<UserId> {
        match id {
            Id::Absent => Err(Error::missing()),
            Id::Nobody => Err(Error::NotFound(Reason::NoSuchUser)),
            Id::Given(id) => Ok(UserId(id)),
        }
    }

    /// The room that a parameter names.
    pub(super) fn room(id: Id) -> Result<RoomId> {
        match id {
            Id::Absent => Err(Error::missing()),
            Id::Nobody => Err(Error::NotFound(Reason::NoSuchRoom)),
            Id::Given(id) => Ok(RoomId(id)),
        }
    }

    /// Lets somebody arrive once the reply is on its way.
    pub(super) fn arrives(&mut self, signed_in: SignedIn) {
        self.applied_password = None;
        self.arriving = Some(signed_in);
    }

    /// What follows the reply to a sign-in.
    pub(super) async fn arrive(&mut self) {
        let Some(signed_in) = self.arriving.take() else {
            return;
        };
        if let Err(error) = self.chat.arrive(&self.connection, &signed_in).await {
            warn!(%error, cause = error.cause(), "a user could not arrive, the connection is closed");
            self.connection.close();
        }
    }

    /// The password, unless this session has set this very one before.
    pub(super) fn new_password(&self, password: Option<String>) -> Option<String> {
        password.filter(|password| self.applied_password != Some(digest(password)))
    }

    /// Notes what this session has set.
    pub(super) fn applied(&mut self, password: Option<&str>) {
        if let Some(password) = password {
            self.applied_password = Some(digest(password));
        }
    }

    pub(super) async fn close(self, ending: Ending) {
        self.chat.sign_out(&self.connection, ending).await;
        self.chat.hub().close(&self.connection);
    }
}

fn digest(password: &str) -> [u8; 32] {
    Sha256::digest(password.as_bytes()).into()
}
