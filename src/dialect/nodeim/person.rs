//! Users as nodeim writes them: `{"id": 7, "username": "alee", "sex": "1", ..., "presence": "在线"}`.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::chat::FriendCard;
use crate::chat::event::Person;
use crate::chat::presence::Presence;
use crate::chat::user::User;

/// A user as others see them: without question, groups and, always, secrets.
pub(super) struct PublicUser<'a>(pub(super) &'a Person);

impl Serialize for PublicUser<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let user = &self.0.user;
        write(serializer, user, user.public_attributes(), &self.0.presence, None)
    }
}

/// A friend as their owner sees them: the name of their group comes along, if they have one.
pub(super) struct FriendItem(pub(super) FriendCard);

impl Serialize for FriendItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let user = &self.0.person.user;
        let group = self.0.group.as_deref().map(|group| ("group", group));
        write(serializer, user, user.public_attributes(), &self.0.person.presence, group)
    }
}

/// A user as they see themselves: with their question and all attributes.
pub(super) struct SelfUser<'a> {
    pub(super) user: &'a User,
    pub(super) presence: &'a Presence,
}

impl Serialize for SelfUser<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let question = self.user.question.as_deref().map(|question| ("question", question));
        write(serializer, self.user, self.user.attributes.iter(), self.presence, question)
    }
}

fn write<'a, S: Serializer>(
    serializer: S,
    user: &User,
    attributes: impl Iterator<Item = (&'a String, &'a Value)>,
    presence: &Presence,
    extra: Option<(&str, &str)>,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("id", &user.id)?;
    map.serialize_entry("username", &user.username)?;
    for (name, value) in attributes {
        map.serialize_entry(name, value)?;
    }
    if let Some((name, value)) = extra {
        map.serialize_entry(name, value)?;
    }
    map.serialize_entry("presence", presence)?;
    map.end()
}
