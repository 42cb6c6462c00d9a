//! Making an account, and logging in to it.

use serde_json::{Map, Value};

use super::codes::Code;
use super::wire::Data;
use super::{Context, filled, render};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::presence::Presence;
use crate::chat::{Claim, Credentials, Proof, SignIn, SignUp, profile};

/// `register`: `{"email": "a@b.c", "password": "x", "firstName": "Eric", "lastName": "Chen"}`, all of them needed. One
/// is not logged in afterwards. The account gets a user name of its own, for the other wires.
///
/// Old server: took what was empty; a user name was ignored.
pub(super) async fn register(cx: &mut Context, data: &Data) -> Result<Code> {
    let attributes = [profile::EMAIL, "firstName", "lastName"];
    let attributes: Result<Map<_, _>> =
        attributes.iter().map(|name| Ok(((*name).to_owned(), Value::from(filled(data, name)?)))).collect();
    let request = SignUp {
        username: None,
        password: filled(data, "password")?.to_owned(),
        question: None,
        answer: None,
        attributes: attributes?,
    };
    cx.chat.sign_up(request, cx.link.address).await?;
    Ok(Code::Registered)
}

/// `login`: `{"email": "a@b.c", "password": "x"}`. An account without an email address logs in with its user name in
/// that place. There is one connection per account on this wire: a second one is refused and the first one stays.
pub(super) async fn login(cx: &mut Context, data: &Data) -> Result<Code> {
    if cx.connection.user().is_some() {
        return Err(Error::Conflict(Reason::AlreadySignedIn));
    }
    let (email, password) = (filled(data, "email")?.to_owned(), filled(data, "password")?.to_owned());
    let request = SignIn {
        proof: Proof::Password(Credentials { who: Claim::Email(email), password }),
        wish: Presence::online(),
        address: cx.link.address,
        device: None,
        renderer: &render::RENDERER,
        self_paced: false,
        alone: true,
    };
    cx.arriving = Some(cx.chat.sign_in(&cx.connection, request).await?);
    Ok(Code::LoggedIn)
}
