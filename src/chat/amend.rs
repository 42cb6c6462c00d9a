//! Changing what one has said, and taking it back.

use std::sync::Arc;

use super::Chat;
use super::delivery::Ticket;
use super::draft::{Change, Draft};
use super::error::{Error, Reason, Result};
use super::event::Place;
use super::files::names_in;
use super::ids::{ConversationId, Seq, UserId};
use super::message::{Extras, Format, Kind, Message};
use super::messages::Said;
use crate::clock::now_ms;
use crate::hub::Connection;

impl Chat {
    /// Gives one's message another text.
    ///
    /// # Errors
    /// `NotFound` if it is not there, not one's own, taken back, or nothing that was said; `Forbidden` if it is too
    /// late; otherwise as for saying something there.
    pub async fn edit(
        &self,
        connection: &Connection,
        me: UserId,
        place: Place,
        target: Seq,
        said: Said<'_>,
    ) -> Result<Arc<Message>> {
        let since_ms = now_ms() - self.limits.edit_max_ms;
        let body = self.body(said).await?;
        let amendment = Amendment {
            target,
            since_ms,
            kind: Kind::Edit,
            format: said.format,
            body,
            change: Change::Edit { target, since_ms },
        };
        self.amend(connection, me, place, amendment).await
    }

    /// Takes one's message back.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub async fn recall(&self, connection: &Connection, me: UserId, place: Place, target: Seq) -> Result<Arc<Message>> {
        let since_ms = now_ms() - self.limits.recall_max_ms;
        let amendment = Amendment {
            target,
            since_ms,
            kind: Kind::Recall,
            format: Format::Plain,
            body: "".into(),
            change: Change::Recall { target, since_ms },
        };
        self.amend(connection, me, place, amendment).await
    }

    async fn amend(
        &self,
        connection: &Connection,
        me: UserId,
        place: Place,
        amendment: Amendment,
    ) -> Result<Arc<Message>> {
        let spot = self.own_spot(connection, me, place).await?;
        let conversation = spot.conversation.ok_or(Error::NotFound(Reason::NoSuchMessage))?;
        // Another text is something said; taking one back is not.
        match (amendment.kind, place) {
            (Kind::Edit, Place::Room(id)) => self.may_speak(id, me).await?,
            (Kind::Edit, Place::User(peer)) => self.may_write_to(peer, me).await?,
            _ => {}
        }
        let recipient = self.check_target(conversation, me, &amendment).await?;
        let from = self.user(me).await?;
        let Amendment { target, kind, format, body, change, .. } = amendment;
        let draft = Draft {
            conversation,
            sender: me,
            recipient,
            kind,
            format,
            files: names_in(&body),
            body,
            claimed_ms: now_ms(),
            client_id: None,
            extras: Some(Arc::new(Extras { about: Some(target), ..Extras::default() })),
            change: Some(change),
        };
        self.append(draft, |done| Ticket { from, room: spot.room, done })?.stored().await
    }

    /// The store checks once more, in the transaction; here is said what is wrong. Returns the message's recipient.
    async fn check_target(
        &self,
        conversation: ConversationId,
        me: UserId,
        amendment: &Amendment,
    ) -> Result<Option<UserId>> {
        let target = self.store.message(conversation, amendment.target).await?;
        let target = target.filter(|message| message.sender == me && message.kind.is_said());
        let target = target.ok_or(Error::NotFound(Reason::NoSuchMessage))?;
        if target.stored_ms < amendment.since_ms {
            return Err(Error::Forbidden(Reason::TooLate));
        }
        Ok(target.recipient)
    }
}

/// What becomes of an earlier message.
struct Amendment {
    target: Seq,
    /// It must have been said since then.
    since_ms: i64,
    kind: Kind,
    format: Format,
    body: Arc<str>,
    change: Change,
}
