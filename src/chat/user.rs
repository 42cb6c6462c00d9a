//! A person's account as the rest of the domain sees it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ids::UserId;
use super::profile;

/// An account without its secrets: neither the password nor the security answer is ever in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub username: String,
    /// The security question, for its owner's eyes only.
    pub question: Option<String>,
    /// All free attributes, the owner's private ones too.
    pub attributes: Map<String, Value>,
}

impl User {
    /// The attributes that others may see.
    pub fn public_attributes(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.attributes.iter().filter(|(name, _)| profile::is_public(name))
    }
}
