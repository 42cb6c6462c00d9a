//! Finding people.

use super::Context;
use super::wire::{Data, User, WireId};
use crate::chat::error::{Error, Result};
use crate::chat::event::Person;
use crate::chat::profile;
use crate::store::Criterion;

/// `query`: any of `{"email": "", "username": "", "id": "", "firstName": "", "lastName": ""}`; what is empty is not
/// asked for. Without any, everybody. The reply's `data` are the people who meet all criteria; none is an empty list.
///
/// Old server: asked for no login, and lost the criterion `id`. Here strangers must know the whole email address or id,
/// unless that is switched off, and learn no address that they did not know.
pub(super) async fn query(cx: &mut Context, data: &Data) -> Result<Vec<User>> {
    let me = cx.connection.user();
    let (email, id) = (data.text("email"), data.id("id"));
    let is_stranger = me.is_none() && cx.settings.query_needs_login;
    if is_stranger && email.is_none() && id.is_none() {
        return Err(Error::NotSignedIn);
    }
    let Some(criteria) = criteria(data) else {
        return Ok(Vec::new());
    };
    let people = match me {
        Some(me) if criteria.is_empty() => cx.chat.everybody(me, cx.settings.users_max).await?,
        me => cx.chat.find_up_to(cx.settings.users_max, me, &criteria).await?,
    };
    let mut users: Vec<_> = people.iter().map(|person: &Person| User::from(person)).collect();
    // The index takes 1 and "1.0" for the same.
    for (name, of) in NAMES {
        if let Some(wanted) = data.text(name) {
            users.retain(|user| of(user) == wanted);
        }
    }
    if is_stranger && email.is_none() {
        users.iter_mut().for_each(|user| user.email.clear());
    }
    Ok(users)
}

/// A member of a user.
type Member = fn(&User) -> &str;

const NAMES: [(&str, Member); 2] = [("firstName", |user| &user.first_name), ("lastName", |user| &user.last_name)];

/// None if nobody can meet them.
fn criteria(data: &Data) -> Option<Vec<Criterion>> {
    let mut criteria = Vec::new();
    match data.id("id") {
        Some(WireId::User(id)) => criteria.push(Criterion::Id(id)),
        Some(WireId::Nobody) => return None,
        None => {}
    }
    criteria.extend(data.text("email").map(|email| Criterion::Email(email.to_owned())));
    criteria.extend(data.text("username").map(|name| Criterion::Username(name.to_owned())));
    for (name, _) in NAMES {
        if let Some(text) = data.text(name) {
            criteria.push(Criterion::Attribute(name.to_owned(), profile::comparable(&text.into())?));
        }
    }
    Some(criteria)
}
