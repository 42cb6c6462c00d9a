//! Who may upload through the panel of 2013, which is a page that knows no password.
//!
//! The old server took a file for any user who was online, from anybody. Here one must be where that user is: at an
//! address from which they are signed in, or in possession of a token that was given out there not long ago.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Chat;
use crate::chat::event::Event;
use crate::chat::ids::UserId;
use crate::chat::message::FileCard;
use crate::clock::now_ms;
use crate::hub::Connection;

/// How long a page's token holds.
const TOKEN_MS: i64 = 3_600_000;

/// Which of a user's connections are told of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    All,
    /// Those at this address.
    At(IpAddr),
}

impl Admission {
    fn covers(self, connection: &Connection) -> bool {
        match self {
            Self::All => true,
            Self::At(address) => connection.address.to_canonical() == address.to_canonical(),
        }
    }
}

impl Chat {
    /// Whether somebody at `address` gets the panel of `user`, and the token that goes into it.
    pub fn panel(&self, user: UserId, address: IpAddr) -> Option<Option<String>> {
        let limits = &self.files.limits;
        let wanted = if limits.check_address { Admission::At(address) } else { Admission::All };
        self.is_online(user, wanted).then(|| limits.token.then(|| self.files.panels.token(user, now_ms() + TOKEN_MS)))
    }

    /// Whether somebody at `address` with this token may upload for `user`. Who comes from a foreign page
    /// (`is_foreign`) needs a token: the user's own browser would be at their address too.
    pub fn admit(&self, user: UserId, address: IpAddr, token: Option<&str>, is_foreign: bool) -> Option<Admission> {
        let limits = &self.files.limits;
        let has_token = limits.token && token.is_some_and(|token| self.files.panels.is_valid(user, token, now_ms()));
        let admission = match (limits.check_address, limits.token) {
            _ if has_token => Admission::All,
            (true, _) if !is_foreign => Admission::At(address),
            (false, false) => Admission::All,
            _ => return None,
        };
        self.is_online(user, admission).then_some(admission)
    }

    /// Tells a user's connections what was uploaded for them.
    pub fn tell_of_upload(&self, user: UserId, file: &FileCard, admission: Admission) {
        let event = Event::Uploaded { url: file.url.clone(), filename: file.name.clone() };
        self.hub.tell(user, event, |connection| admission.covers(connection));
    }

    fn is_online(&self, user: UserId, admission: Admission) -> bool {
        self.hub.connections(user).iter().any(|connection| admission.covers(connection))
    }
}

/// Signs the tokens of upload panels. The same on all nodes.
pub(super) struct PanelKey(String);

impl PanelKey {
    pub(super) fn new(key: String) -> Self {
        Self(key)
    }

    fn mac(&self, user: UserId, until_ms: i64) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("a key may have any length");
        mac.chain_update(format!("upload {user} {until_ms}"))
    }

    fn token(&self, user: UserId, until_ms: i64) -> String {
        let signature = self.mac(user, until_ms).finalize().into_bytes();
        format!("{until_ms}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn is_valid(&self, user: UserId, token: &str, now_ms: i64) -> bool {
        let parsed = token.split_once('.').and_then(|(until_ms, signature)| {
            Some((until_ms.parse::<i64>().ok()?, BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?))
        });
        parsed.is_some_and(|(until_ms, signature)| {
            now_ms < until_ms && self.mac(user, until_ms).verify_slice(&signature).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_holds_for_its_user_and_its_time(user in 1_i64.., until_ms in any::<i64>(), now_ms in any::<i64>()) {
            let key = PanelKey::new("secret".to_owned());
            let token = key.token(UserId(user), until_ms);
            prop_assert_eq!(key.is_valid(UserId(user), &token, now_ms), now_ms < until_ms);
            prop_assert!(!key.is_valid(UserId(user ^ 1), &token, i64::MIN));
            prop_assert!(!PanelKey::new("another".to_owned()).is_valid(UserId(user), &token, i64::MIN));
        }

        #[test]
        fn no_other_text_is_a_token(
            text in "[0-9-]{0,20}\\.?[A-Za-z0-9_=-]{0,50}|.{0,40}",
            at in any::<prop::sample::Index>(),
            byte in "[!-~]",
        ) {
            let key = PanelKey::new("secret".to_owned());
            prop_assert!(!key.is_valid(UserId(7), &text, i64::MIN));
            let good = key.token(UserId(7), 1_000);
            let at = at.index(good.len());
            let other = format!("{}{byte}{}", &good[..at], &good[at + 1..]);
            prop_assert!(other == good || !key.is_valid(UserId(7), &other, 0), "{other}");
        }
    }
}
