//! Presence: a free text that a person chooses, and what others get to see of it.

use serde::{Deserialize, Serialize};

use super::error::{Error, Reason, Result};

const ONLINE: &str = "在线";
const OFFLINE: &str = "离线";
const INVISIBLE: &str = "隐身";
const MAX_CHARS: usize = 32;

/// What somebody is doing, in their own words (在线, 忙碌, 离开 ...). Two values mean something to the server:
/// 隐身 hides a person, and 离线 is what others then see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Presence(String);

impl Presence {
    /// What everybody starts with after signing in.
    pub fn online() -> Self {
        Self(ONLINE.to_owned())
    }

    /// What others see of somebody who is not here, or hides.
    pub fn offline() -> Self {
        Self(OFFLINE.to_owned())
    }

    /// A presence that a client chose.
    ///
    /// # Errors
    /// `Invalid` if it is longer than 32 characters.
    pub fn parse(text: String) -> Result<Self> {
        if text.chars().count() > MAX_CHARS || text.contains('\0') {
            return Err(Error::Invalid(Reason::BadPresence));
        }
        Ok(Self(text))
    }

    /// What others see.
    pub fn visible(&self) -> Self {
        if self.0 == INVISIBLE { Self::offline() } else { self.clone() }
    }

    /// Whether others see nothing of this person.
    pub fn is_hidden(&self) -> bool {
        self.0 == INVISIBLE || self.0 == OFFLINE
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
