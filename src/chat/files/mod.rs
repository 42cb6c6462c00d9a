//! Files: taking them in, finding them, letting them go.
//!
//! The bytes are kept by a [`Blobs`], under random names; the store knows whose they are and what refers to them.
//! What nothing refers to is removed after a while, so an upload that leads to nothing needs no undoing.

mod blobs;
mod cleanup;
mod names;
mod panel;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

pub use blobs::{Blobs, Incoming, Kept, Purpose, Work};
pub use names::{PATH, clean, names_in, split_stored};
pub use panel::Admission;
pub use upload::Upload;

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::Place;
use super::ids::UserId;
use super::message::FileCard;
use super::tokens::random_text;
use crate::clock::now_ms;
use crate::config::{Config, Switch};
use crate::metrics::Metrics;
use crate::store::{Store, StoredFile};
use panel::PanelKey;

const KEY_BYTES: usize = 32;

/// What the domain holds for files.
pub struct Files {
    blobs: Arc<dyn Blobs>,
    metrics: Arc<Metrics>,
    panels: PanelKey,
    uploads: Arc<Semaphore>,
    /// Who is uploading, and how many files at once.
    uploaders: Arc<Mutex<HashMap<UserId, usize>>>,
    limits: Limits,
}

struct Limits {
    max_bytes: u64,
    quota_bytes: u64,
    per_user: usize,
    check_address: bool,
    token: bool,
    unused_max_ms: i64,
}

impl Files {
    /// Over where the bytes are kept.
    ///
    /// # Errors
    /// If the key cannot be read or made.
    pub async fn open(config: &Config, store: &Store, blobs: Arc<dyn Blobs>, metrics: Arc<Metrics>) -> Result<Self> {
        Ok(Self {
            blobs,
            metrics,
            panels: PanelKey::new(store.secret("upload_panel", &random_text(KEY_BYTES)?).await?),
            uploads: Arc::new(Semaphore::new(config.uploads_max)),
            uploaders: Arc::default(),
            limits: Limits {
                max_bytes: config.upload_max_bytes,
                quota_bytes: config.upload_quota_bytes,
                per_user: config.uploads_max_per_user,
                check_address: config.upload_check_address == Switch::On,
                token: config.upload_token == Switch::On,
                unused_max_ms: config.unused_file_max_ms,
            },
        })
    }
}

impl Chat {
    /// The file of `me` that is served under `url`, with the name by which messages refer to it. It is not removed
    /// while they do, nor for a while from now on.
    ///
    /// # Errors
    /// `NotFound` if there is none, or it is somebody else's.
    pub async fn attachment(&self, me: UserId, url: &str) -> Result<(String, FileCard)> {
        let missing = || Error::NotFound(Reason::NoSuchFile);
        let (name, _) = url.strip_prefix(PATH).and_then(split_stored).ok_or_else(missing)?;
        let file = self.store.file(name).await?.filter(|file| file.owner == me).ok_or_else(missing)?;
        let now = now_ms();
        if file.kept_ms < now - self.files.limits.unused_max_ms / 2 && !self.store.keep_file(name, now).await? {
            return Err(missing());
        }
        let name = file.name.clone();
        let card = card(file);
        if card.url == url { Ok((name, card)) } else { Err(missing()) }
    }

    /// What its owner called the file of this name; none if it is gone.
    pub async fn original_name(&self, name: &str) -> Result<Option<String>> {
        Ok(self.store.file(name).await?.map(|file| file.original))
    }

    /// Whether `me` may send something to `place`.
    ///
    /// # Errors
    /// `NotFound` if there is no such user or room, or `me` is not in it; `Forbidden` if `me` is blocked or muted there.
    pub async fn check_may_send(&self, me: UserId, place: Place) -> Result<()> {
        match place {
            Place::User(id) => self.may_write_to(self.user(id).await?.id, me).await,
            Place::Room(id) => {
                let room = self.room(id).await?;
                let is_member = self.store.is_member(room.conversation, me).await?;
                if is_member { self.may_speak(id, me).await } else { Err(Error::NotFound(Reason::NotAMember)) }
            }
        }
    }
}

/// A file as people see it.
fn card(file: StoredFile) -> FileCard {
    FileCard {
        url: format!("{PATH}{}", file.stored),
        name: file.original,
        size: file.size,
        media_type: file.media_type,
        width: file.dimensions.map(|(width, _)| width),
        height: file.dimensions.map(|(_, height)| height),
        thumb: file.thumb.map(|thumb| format!("{PATH}{thumb}")),
    }
}
