//! Commands on one's own account, and `find`.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::context::Context;
use super::loose::{Id, Text};
use super::person::SelfUser;
use super::wire::{self, Bye, DONE, Done};
use super::{modern, render};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::UserId;
use crate::chat::presence::Presence;
use crate::chat::{Change, Claim, Credentials, Ending, ProfileChange, Proof, SignIn, SignUp, SignedIn, profile};
use crate::store::Criterion;

/// `signup`: a new account. One is not signed in afterwards.
pub(super) async fn signup(cx: &mut Context, req: wire::SignUp) -> Result<wire::SignedUp> {
    let request = SignUp {
        username: Some(req.username.filled().ok_or_else(Error::missing)?),
        password: req.password.filled().ok_or_else(Error::missing)?,
        question: req.question.filled(),
        answer: req.answer.filled(),
        attributes: req.attributes,
    };
    let id = cx.chat.sign_up(request, cx.link.address).await?;
    Ok(wire::SignedUp { code: 200, message: "注册成功", id: id.0 })
}

/// `signin`: by user name, id or both, or with a session's token. Others hear of it after the reply.
pub(super) async fn signin(cx: &mut Context, req: wire::SignIn) -> Result<Box<RawValue>> {
    if cx.connection.user().is_some() {
        return Err(Error::Conflict(Reason::AlreadySignedIn));
    }
    let is_modern = req.api.0.is_some_and(|api| api >= 2);
    let request = SignIn {
        wish: req.presence.filled().map_or(Ok(Presence::online()), Presence::parse)?,
        address: cx.link.address,
        device: Some(&req.device.0.unwrap_or_default()),
        renderer: if is_modern { &modern::RENDERER } else { &render::RENDERER },
        self_paced: is_modern,
        alone: false,
        proof: match req.token.filled() {
            Some(token) => Proof::Token(token),
            None => Proof::Password(Credentials {
                who: Claim::Account {
                    username: req.username.filled(),
                    id: match req.id {
                        Id::Absent => None,
                        Id::Nobody => Some(UserId(0)),
                        Id::Given(id) => Some(UserId(id)),
                    },
                },
                password: req.password.filled().ok_or_else(Error::missing)?,
            }),
        },
    };
    let signed_in = cx.chat.sign_in(&cx.connection, request).await?;
    let SignedIn { user, presence, rooms, session, token, .. } = &signed_in;
    let reply = wire::SignedIn {
        code: 200,
        message: format!("welcome back, {}", user.username),
        doc: SelfUser { user, presence },
        rooms: rooms.iter().map(|room| (&**room).into()).collect(),
        session: session.map(|id| id.0),
        token: token.as_deref(),
    };
    let reply = to_raw_value(&reply).map_err(Error::internal)?;
    cx.arrives(signed_in);
    Ok(reply)
}

/// `signout`: ends the session. The connection stays and may sign in again. Rooms are not left.
pub(super) async fn signout(cx: &mut Context, req: wire::SignOut) -> Result<Bye> {
    let me = cx.user()?;
    if req.everywhere.0 {
        cx.chat.end_all_sessions(&cx.connection, me).await?;
    } else if let Some(session) = cx.connection.session() {
        match cx.chat.end_session(&cx.connection, me, session).await {
            // It has ended already, from elsewhere.
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    cx.connection.leave();
    let ending = if cx.link.written().await { Ending::Orderly } else { Ending::Broken };
    cx.chat.sign_out(&cx.connection, ending).await;
    Ok(Bye { code: 200, message: "bye" })
}

/// `find`: at most 30 people who meet all criteria. What can match nobody (null, lists, objects, private or reserved
/// names, impossible ids) matches nobody; it never counts as "no criterion".
pub(super) async fn find(cx: &mut Context, criteria: Map<String, Value>) -> Result<Box<RawValue>> {
    let me = cx.user()?;
    let criteria: Option<Vec<_>> = criteria.into_iter().map(|(name, value)| criterion(name, value)).collect();
    let people = match criteria {
        Some(criteria) => cx.chat.find(me, &criteria).await?,
        None => Vec::new(),
    };
    to_raw_value(&wire::Found { code: 200, users: wire::public(&people) }).map_err(Error::internal)
}

/// `None` if nobody can meet it.
fn criterion(name: String, value: Value) -> Option<Criterion> {
    match name.as_str() {
        "id" => match Id::from(value) {
            Id::Given(id) => Some(Criterion::Id(UserId(id))),
            Id::Absent | Id::Nobody => None,
        },
        "username" => Text::from(value).0.map(Criterion::Username),
        _ if profile::is_searchable(&name) => {
            profile::comparable(&value).map(|value| Criterion::Attribute(name, value))
        }
        _ => None,
    }
}

/// `presence`: what one is doing.
pub(super) async fn presence(cx: &mut Context, req: wire::Presence) -> Result<Done> {
    let me = cx.user()?;
    match req.presence {
        Value::String(text) if !text.is_empty() => cx.chat.set_presence(me, Presence::parse(text)?),
        _ => return Err(Error::missing()),
    }
    Ok(DONE)
}

/// `profile`: the attributes that change. Old clients post their whole document: what may not change is ignored.
///
/// The answer and the password never come back to the client, so an empty one means "unchanged"; so does an empty
/// question. A null clears question and answer.
pub(super) async fn profile(cx: &mut Context, req: wire::Profile) -> Result<Done> {
    let me = cx.user()?;
    let Value::Object(mut doc) = req.doc else {
        return Err(Error::missing());
    };
    let cleared = ["question", "answer"].iter().any(|name| doc.get(*name) == Some(&Value::Null));
    let mut change = |name: &str| match doc.remove(name).map(Text::from).and_then(Text::filled) {
        _ if cleared => Change::Clear,
        Some(text) => Change::Set(text),
        None => Change::Keep,
    };
    let (question, answer) = (change("question"), change("answer"));
    let password = cx.new_password(doc.remove("password").map(Text::from).and_then(Text::filled));
    let change = ProfileChange { attributes: doc, password: password.clone(), question, answer };
    cx.chat.change_profile(me, cx.connection.session(), change).await?;
    cx.applied(password.as_deref());
    Ok(DONE)
}

/// `retrieve`: the security question, and, with the answer to it, a new password.
pub(super) async fn retrieve(cx: &mut Context, req: wire::Retrieve) -> Result<wire::Retrieved> {
    let username = req.username.filled().ok_or_else(Error::missing)?;
    let question = match (req.answer.filled(), req.newpassword.filled()) {
        (Some(answer), Some(password)) => {
            cx.chat.reset_password(&username, &answer, &password, cx.link.address).await?;
            None
        }
        _ => Some(cx.chat.security_question(&username, cx.link.address).await?),
    };
    Ok(wire::Retrieved { code: 200, question })
}
