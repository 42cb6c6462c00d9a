//! What a message is beside its text: what it answers, what it shows, what it brings about.

use std::sync::Arc;

use super::Chat;
use super::draft::Change;
use super::error::{Error, Reason, Result};
use super::files::names_in;
use super::history::STAYS_MAX;
use super::html;
use super::ids::{ConversationId, Seq, UserId};
use super::message::{Extras, Kind, Quote};
use super::messages::Said;

const QUOTE_CHARS: usize = 200;

/// What a message is beside its text.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    pub(super) kind: Kind,
    pub(super) change: Option<Change>,
    pub(super) extras: Option<Arc<Extras>>,
    /// The name of the upload that it is about.
    pub(super) file: Option<String>,
}

impl Meaning {
    /// A message that goes with a change.
    pub(super) fn change(kind: Kind, change: Change) -> Self {
        Self { kind, change: Some(change), ..Self::default() }
    }

    /// The names of all uploads that the message shows, in its text too.
    pub(super) fn files(&self, body: &str) -> Vec<String> {
        let mut names = names_in(body);
        names.extend(self.file.clone());
        names
    }
}

impl Chat {
    /// What `said` is beside its text, in a conversation; none if it has not begun.
    ///
    /// # Errors
    /// `NotFound` if it answers a message that `me` does not see, or shows a file that is not one's own.
    pub(super) async fn meaning(
        &self,
        conversation: Option<ConversationId>,
        me: UserId,
        said: Said<'_>,
    ) -> Result<Meaning> {
        if said.answers.is_none() && said.file.is_none() {
            return Ok(Meaning::default());
        }
        let mut meaning = Meaning::default();
        let mut extras = Extras::default();
        if let Some(seq) = said.answers {
            let conversation = conversation.ok_or(Error::NotFound(Reason::NoSuchMessage))?;
            extras.quote = Some(self.quote(conversation, me, seq).await?);
            extras.about = Some(seq);
        }
        if let Some(url) = said.file {
            let (name, card) = self.attachment(me, url).await?;
            meaning.kind = if card.media_type.starts_with("image/") { Kind::Image } else { Kind::File };
            meaning.file = Some(name);
            extras.file = Some(card);
        }
        meaning.extras = Some(Arc::new(extras));
        Ok(meaning)
    }

    async fn quote(&self, conversation: ConversationId, me: UserId, seq: Seq) -> Result<Quote> {
        let unknown = Error::NotFound(Reason::NoSuchMessage);
        let stays = self.store.stays(me, &[conversation], STAYS_MAX).await?;
        if !stays.iter().any(|stay| stay.after < seq && seq <= stay.last) {
            return Err(unknown);
        }
        let message = self.store.message(conversation, seq).await?.filter(|message| message.kind.is_said());
        let message = message.ok_or(unknown)?;
        let text = html::plain(&message);
        let name = || message.extras.as_ref()?.file.as_ref().map(|file| file.name.clone());
        let text = if text.trim().is_empty() { name().unwrap_or_default() } else { text };
        Ok(Quote { sender: message.sender, text: text.chars().take(QUOTE_CHARS).collect() })
    }
}
