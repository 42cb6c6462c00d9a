//! A file on its way in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use tracing::warn;

use super::blobs::{Incoming, Kept, Purpose};
use super::names::{NAME_BYTES, clean};
use super::{Chat, card};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::UserId;
use crate::chat::message::FileCard;
use crate::chat::tokens::random_text;
use crate::clock::now_ms;
use crate::store::StoredFile;

/// A file on its way in. Dropped before it is finished, it leaves nothing behind.
pub struct Upload {
    chat: Arc<Chat>,
    owner: UserId,
    incoming: Box<dyn Incoming>,
    size: u64,
    /// What the owner had left when it began.
    quota_left: u64,
    place: Place,
}

/// One of the uploads that may run at the same time.
struct Place {
    owner: UserId,
    uploaders: Arc<Mutex<HashMap<UserId, usize>>>,
    _permit: OwnedSemaphorePermit,
}

impl Chat {
    /// Whether somebody at `address` may try to upload, whoever they turn out to be.
    ///
    /// # Errors
    /// `TooMany` if uploads are tried too often from there.
    pub fn may_try_upload(&self, address: IpAddr) -> Result<()> {
        self.guard.upload_from(address)
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// `TooMany` if `owner` uploads too often or too much at once, `Unavailable` if too many others do.
    pub async fn begin_upload(self: &Arc<Self>, owner: UserId) -> Result<Upload> {
        self.guard.upload(owner)?;
        let place = self.files.place(owner)?;
        let used = self.store.file_bytes(owner).await?;
        let quota_left = self.files.limits.quota_bytes.saturating_sub(used);
        let incoming = self.files.blobs.begin().await?;
        Ok(Upload { chat: Arc::clone(self), owner, incoming, size: 0, quota_left, place })
    }
}

impl super::Files {
    fn place(&self, owner: UserId) -> Result<Place> {
        let permit = Arc::clone(&self.uploads).try_acquire_owned().map_err(Error::unavailable)?;
        let mut uploaders = self.uploaders.lock();
        let running = uploaders.entry(owner).or_default();
        if *running >= self.limits.per_user {
            return Err(Error::TooMany);
        }
        *running += 1;
        Ok(Place { owner, uploaders: Arc::clone(&self.uploaders), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut uploaders = self.uploaders.lock();
        if let Some(running) = uploaders.get_mut(&self.owner) {
            *running -= 1;
            if *running == 0 {
                uploaders.remove(&self.owner);
            }
        }
    }
}

impl Upload {
    /// Appends to it.
    ///
    /// # Errors
    /// `Forbidden` if it grows too large, or no room is left.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.chat.files.limits.max_bytes {
            return Err(Error::Forbidden(Reason::TooLarge));
        }
        if self.size > self.quota_left {
            return Err(Error::Forbidden(Reason::QuotaUsedUp));
        }
        self.incoming.write(bytes).await
    }

    /// Keeps the file, which its owner calls `original`.
    ///
    /// # Errors
    /// `Invalid` if it is empty or, for an avatar, no picture; `Forbidden` if no room is left.
    pub async fn finish(self, purpose: Purpose, original: &str) -> Result<FileCard> {
        if self.size == 0 {
            return Err(Error::Invalid(Reason::NoFile));
        }
        let original = clean(original);
        // On a task of its own: whoever waits may go away, but what is begun here must come to an end.
        let tasks = self.chat.tasks.clone();
        tasks.spawn(self.keep(purpose, original)).await.map_err(Error::internal)?
    }

    async fn keep(self, purpose: Purpose, original: String) -> Result<FileCard> {
        let Self { chat, owner, incoming, place, .. } = self;
        let name = random_text(NAME_BYTES)?;
        let kept = incoming.keep(name.clone(), purpose).await?;
        let file = record(name, owner, original, &kept)?;
        if let Err(error) = chat.store.insert_file(&file, chat.files.limits.quota_bytes).await {
            chat.discard(&file).await;
            return Err(error);
        }
        drop(place);
        chat.files.metrics.uploads.increment(1);
        chat.files.metrics.upload_bytes.increment(kept.size);
        Ok(card(file))
    }
}

impl Chat {
    /// Removes the bytes of a file that the store does not know, or not any more.
    pub(super) async fn discard(&self, file: &StoredFile) {
        for stored in std::iter::once(&file.stored).chain(&file.thumb) {
            if let Err(error) = self.files.blobs.remove(stored).await {
                // The cleanup finds it later: there is no row of it.
                warn!(%error, cause = error.cause(), "could not remove a file");
            }
        }
    }
}

fn record(name: String, owner: UserId, original: String, kept: &Kept) -> Result<StoredFile> {
    let now = now_ms();
    Ok(StoredFile {
        name,
        owner,
        stored: kept.stored.clone(),
        original,
        media_type: kept.media_type.to_owned(),
        size: i64::try_from(kept.size).map_err(Error::internal)?,
        dimensions: kept.dimensions.map(|(width, height)| (width.into(), height.into())),
        thumb: kept.thumb.clone(),
        created_ms: now,
        kept_ms: now,
    })
}
