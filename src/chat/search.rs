//! Finding what was said, by its words.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Chat;
use super::error::{Error, Result};
use super::event::{Person, Place};
use super::history::REPLY_BYTES;
use super::ids::{MessageId, UserId};
use super::message::Message;
use super::words::terms;
use crate::store::{PageSize, Store};

const PAGE_DEFAULT: usize = 20;
const PAGE_MAX: usize = 100;
const TEXT_MAX_BYTES: usize = 1024;

/// Messages made ready to be found in one transaction. With SQLite what is said meanwhile waits for its end.
const INDEX_BATCH: usize = 64;
/// Before indexing begins, so that a burst is indexed together.
const INDEX_DELAY: Duration = Duration::from_millis(100);
/// The indexer waits so many times as long as it worked: what people say now comes first.
const INDEX_REST: u32 = 9;
const INDEX_RETRY: Duration = Duration::from_secs(5);

/// What to look for.
#[derive(Debug, Clone)]
pub struct SearchQuery<'a> {
    /// All of its words must be there.
    pub text: &'a str,
    /// In this conversation only.
    pub place: Option<Place>,
    /// Older than this one.
    pub before: Option<MessageId>,
    /// Messages; 20 if it is not given, at most 100.
    pub limit: Option<usize>,
}

/// What was found, the newest first.
#[derive(Debug, Default)]
pub struct Found {
    pub messages: Vec<Message>,
    pub more: bool,
    /// The senders.
    pub people: Vec<Person>,
}

impl Chat {
    /// Messages in one's own conversations that have all the words.
    ///
    /// # Errors
    /// `Invalid` if there is no word in the text or it is longer than 1 KiB, `NotFound` if there is no such place.
    pub async fn search(&self, me: UserId, query: SearchQuery<'_>) -> Result<Found> {
        let terms = terms(query.text);
        if terms.is_empty() || query.text.len() > TEXT_MAX_BYTES {
            return Err(Error::missing());
        }
        let only = match query.place {
            None => None,
            Some(place) => match self.spot(me, place).await?.conversation {
                Some(conversation) => Some(conversation),
                None => return Ok(Found::default()),
            },
        };
        let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
        let size = PageSize { messages: limit + 1, bytes: REPLY_BYTES };
        let mut messages = self.store.search(me, &terms, only, query.before, size).await?;
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        let more = messages.len() > limit || bytes >= REPLY_BYTES;
        messages.truncate(limit);
        let people = self.senders(me, &messages).await?;
        Ok(Found { messages, more, people })
    }
}

/// Makes messages ready to be found, in the background and at its leisure.
pub struct Indexer {
    store: Store,
    /// Something was stored.
    news: Arc<Notify>,
}

impl Indexer {
    pub fn new(store: Store, news: Arc<Notify>) -> Self {
        Self { store, news }
    }

    /// Runs until `stopping`. What is left then is done after the next start.
    pub async fn run(self, stopping: CancellationToken) {
        while stopping.run_until_cancelled(self.round()).await.is_some() {}
    }

    async fn round(&self) {
        let started = Instant::now();
        match self.store.index_messages(INDEX_BATCH).await {
            Ok(0) => {
                self.news.notified().await;
                tokio::time::sleep(INDEX_DELAY).await;
            }
            Ok(_) => tokio::time::sleep(started.elapsed() * INDEX_REST).await,
            Err(error) => {
                warn!(%error, cause = error.cause(), "could not index messages");
                tokio::time::sleep(INDEX_RETRY).await;
            }
        }
    }
}
