//! Saying something to a person or a room.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Chat;
use super::delivery::{Answer, Ticket, Waiter};
use super::draft::Draft;
use super::error::{Error, Reason, Result};
use super::event::Place;
use super::html;
use super::ids::{RoomId, Seq, UserId};
use super::meaning::Meaning;
use super::message::{Format, Message};
use crate::clock::now_ms;
use crate::hub::Connection;
use crate::store::{Job, Work};

const MAX_CLIENT_ID_BYTES: usize = 64;
const MAX_INLINE_HTML_BYTES: usize = 4096;

/// What a client wants to say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    pub text: &'a str,
    pub format: Format,
    /// The sender's clock, UTC milliseconds; the server's where the sender gives none.
    pub claimed_ms: Option<i64>,
    /// An id of the sender's choice, at most 64 bytes, that makes a repeated send harmless.
    pub client_id: Option<&'a str>,
    /// The number of the message that this one answers.
    pub answers: Option<Seq>,
    /// The address of an upload of the sender's own.
    pub file: Option<&'a str>,
}

/// A message on its way to the disk and to people. It goes on if nobody waits for it.
#[must_use = "whether it was stored is not known yet"]
pub struct Sending(oneshot::Receiver<Result<Arc<Message>>>);

impl Sending {
    /// Waits until it is on disk and announced.
    ///
    /// # Errors
    /// `Unavailable` if it was not stored, or whatever forbade it meanwhile.
    pub async fn stored(self) -> Result<Arc<Message>> {
        self.0.await.map_err(Error::unavailable)?
    }
}

impl Chat {
    /// Says something to a person. They need not be a friend. It has its place in the order of things when this
    /// returns, and is said when [`Sending::stored`] does.
    ///
    /// # Errors
    /// `NotFound` if there is no such user, or no such message or file of what comes with it, `Forbidden` if they have blocked one, `Invalid` if the text is too long,
    /// `Unavailable` if it was not stored.
    pub async fn send_direct(&self, me: UserId, to: UserId, said: Said<'_>) -> Result<Sending> {
        let conversation = match said.answers {
            None => None,
            Some(_) => self.spot(me, Place::User(to)).await?.conversation,
        };
        let meaning = self.meaning(conversation, me, said).await?;
        self.begin_writing(me, to, said, meaning).await
    }

    /// Says something in a room.
    ///
    /// # Errors
    /// `NotFound` if there is no such room or one is not in it, `Forbidden` if one may not speak there, otherwise as
    /// [`send_direct`](Self::send_direct).
    pub async fn send_to_room(
        &self,
        connection: &Connection,
        me: UserId,
        id: RoomId,
        said: Said<'_>,
    ) -> Result<Sending> {
        let room = self.room(id).await?;
        self.check_member(connection, me, &room).await?;
        self.may_speak(id, me).await?;
        let from = self.user(me).await?;
        let meaning = self.meaning(Some(room.conversation), me, said).await?;
        let body = self.body(said).await?;
        let draft = Draft {
            conversation: room.conversation,
            sender: me,
            recipient: None,
            kind: meaning.kind,
            format: said.format,
            files: meaning.files(&body),
            body,
            claimed_ms: said.claimed_ms.unwrap_or_else(now_ms),
            client_id: client_id(said)?,
            extras: meaning.extras,
            change: None,
        };
        self.append(draft, |done| Ticket { from, room: Some(room), done })
    }

    /// Writes to a person, and waits until it is stored.
    pub(super) async fn write_to(
        &self,
        me: UserId,
        to: UserId,
        said: Said<'_>,
        meaning: Meaning,
    ) -> Result<Arc<Message>> {
        self.begin_writing(me, to, said, meaning).await?.stored().await
    }

    async fn begin_writing(&self, me: UserId, to: UserId, said: Said<'_>, meaning: Meaning) -> Result<Sending> {
        let body = self.body(said).await?;
        let recipient = self.user(to).await?.id;
        self.may_write_to(recipient, me).await?;
        let from = self.user(me).await?;
        let draft = Draft {
            conversation: self.pair(me, recipient).await?,
            sender: me,
            recipient: Some(recipient),
            kind: meaning.kind,
            format: said.format,
            files: meaning.files(&body),
            body,
            claimed_ms: said.claimed_ms.unwrap_or_else(now_ms),
            client_id: client_id(said)?,
            extras: meaning.extras,
            change: meaning.change,
        };
        self.append(draft, |done| Ticket { from, room: None, done })
    }

    /// Hands a draft to the commit batcher.
    pub(super) fn append(&self, draft: Draft, ticket: impl FnOnce(Answer) -> Ticket) -> Result<Sending> {
        let (done, outcome) = oneshot::channel();
        self.submit(Job { work: Work::Append(draft), ticket: Waiter::Message(ticket(Some(done))) })?;
        Ok(Sending(outcome))
    }

    pub(super) fn submit(&self, job: Job<Waiter>) -> Result<()> {
        let sent = self.jobs.try_send(job);
        sent.map_err(|error| Error::unavailable(format!("the commit queue takes nothing: {error}")))
    }

    pub(super) async fn body(&self, said: Said<'_>) -> Result<Arc<str>> {
        if said.text.len() > self.limits.message_max_bytes {
            return Err(Error::Invalid(Reason::TextTooLong));
        }
        match said.format {
            Format::Html if said.text.len() > MAX_INLINE_HTML_BYTES && said.text.contains('<') => {
                self.sanitize_aside(said.text.to_owned()).await
            }
            Format::Html => Ok(html::sanitize(said.text).into()),
            // PostgreSQL cannot store NUL.
            Format::Plain => Ok(said.text.replace('\0', "\u{fffd}").into()),
        }
    }

    /// Long markup takes milliseconds. One thread does it, so that others' messages do not wait.
    async fn sanitize_aside(&self, text: String) -> Result<Arc<str>> {
        let permit = Arc::clone(&self.sanitizing).acquire_owned().await.map_err(Error::unavailable)?;
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Arc::from(html::sanitize(&text))
        });
        work.await.map_err(Error::internal)
    }
}

fn client_id(said: Said<'_>) -> Result<Option<Arc<str>>> {
    match said.client_id {
        Some(id) if id.is_empty() || id.len() > MAX_CLIENT_ID_BYTES || id.contains('\0') => {
            Err(Error::Invalid(Reason::TextTooLong))
        }
        id => Ok(id.map(Arc::from)),
    }
}
