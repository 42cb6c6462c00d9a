//! Rate limits on what a stranger can try (signing in, signing up, answering security questions), and on what costs much.

use std::net::IpAddr;

use super::error::{Error, Result};
use super::ids::UserId;
use crate::config::{Config, Switch};
use crate::limiter::Limiter;
use crate::network::Network;

/// The limits, or none where they are switched off.
///
/// Signing in is limited per account *and* address: somebody who tries passwords locks themselves out and not the
/// account's owner, who comes from elsewhere. Whoever gets in has not been guessing and starts anew. Answering the
/// question is limited per account.
pub(super) struct Guard(Option<Limiters>);

/// Whom somebody wants to sign in as, by whichever of the account's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Account<'a> {
    Of(UserId),
    /// There is none of this name.
    Nobodys(&'a str),
}

struct Limiters {
    signin: Limiter,
    signin_address: Limiter,
    signup_address: Limiter,
    retrieve: Limiter,
    retrieve_address: Limiter,
    upload: Limiter,
    upload_address: Limiter,
    broadcast: Limiter,
    directory: Limiter,
}

impl Guard {
    pub(super) fn new(config: &Config) -> Self {
        if config.rate_limit == Switch::Off {
            return Self(None);
        }
        let factor = config.rate_address_factor;
        Self(Some(Limiters {
            signin: Limiter::per_minute(config.rate_signin_per_minute),
            signin_address: Limiter::per_minute(config.rate_signin_per_minute.saturating_mul(factor)),
            signup_address: Limiter::per_minute(config.rate_signup_per_minute),
            retrieve: Limiter::per_minute(config.rate_retrieve_per_minute),
            retrieve_address: Limiter::per_minute(config.rate_retrieve_per_minute.saturating_mul(factor)),
            upload: Limiter::per_minute(config.rate_uploads_per_minute),
            upload_address: Limiter::per_minute(config.rate_uploads_per_minute.saturating_mul(factor)),
            broadcast: Limiter::per_minute(config.rate_broadcasts_per_minute),
            directory: Limiter::per_minute(config.rate_directory_per_minute),
        }))
    }

    /// Somebody wants to sign in, as whom is not looked at yet.
    pub(super) fn signin_from(&self, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.signin_address.take(Network::from(address)))
    }

    pub(super) fn signin(&self, account: Account<'_>, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.signin.take((account, Network::from(address))))
    }

    /// The password was right.
    pub(super) fn signed_in(&self, account: Account<'_>, address: IpAddr) {
        if let Some(limits) = &self.0 {
            limits.signin.forget((account, Network::from(address)));
        }
    }

    pub(super) fn signup(&self, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.signup_address.take(Network::from(address)))
    }

    pub(super) fn retrieve(&self, account: &str, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.retrieve_address.take(Network::from(address)) && limits.retrieve.take(account))
    }

    pub(super) fn upload(&self, user: UserId) -> Result<()> {
        self.check(|limits| limits.upload.take(user))
    }

    /// Somebody wants to upload, who they are is not known yet.
    pub(super) fn upload_from(&self, address: IpAddr) -> Result<()> {
        self.check(|limits| limits.upload_address.take(Network::from(address)))
    }

    pub(super) fn broadcast(&self, user: UserId) -> Result<()> {
        self.check(|limits| limits.broadcast.take(user))
    }

    pub(super) fn directory(&self, user: UserId) -> Result<()> {
        self.check(|limits| limits.directory.take(user))
    }

    fn check(&self, allowed: impl FnOnce(&Limiters) -> bool) -> Result<()> {
        if self.0.as_ref().is_none_or(allowed) { Ok(()) } else { Err(Error::TooMany) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALEE: Account<'_> = Account::Nobodys("alee");

    #[test]
    fn an_address_locks_itself_out_and_nobody_else() {
        let guard = Guard::new(&Config { rate_signin_per_minute: 3, ..Config::defaults() });
        let (here, elsewhere) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let allowed = (0..10).filter(|_| guard.signin(ALEE, here).is_ok()).count();
        assert_eq!(allowed, 3);
        assert!(guard.signin(ALEE, elsewhere).is_ok());
        assert!(guard.signin(Account::Of(UserId(7)), here).is_ok());
    }

    #[test]
    fn whoever_has_a_whole_network_of_version_6_has_one_address() {
        let guard = Guard::new(&Config { rate_signin_per_minute: 3, ..Config::defaults() });
        let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, n, 0, 0, n]);
        assert_eq!((0..10).filter(|n| guard.signin(ALEE, address(*n)).is_ok()).count(), 3);
        assert!(guard.signin(ALEE, IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1])).is_ok());
    }

    #[test]
    fn getting_in_ends_the_counting() {
        let guard = Guard::new(&Config { rate_signin_per_minute: 3, ..Config::defaults() });
        let here = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..10 {
            assert!(guard.signin(ALEE, here).is_ok());
            guard.signed_in(ALEE, here);
        }
    }

    #[test]
    fn answers_are_counted_per_account_from_everywhere() {
        let guard = Guard::new(&Config { rate_retrieve_per_minute: 2, ..Config::defaults() });
        let tries = (0..5).filter(|n| guard.retrieve("alee", IpAddr::from([10, 0, 0, *n])).is_ok());
        assert_eq!(tries.count(), 2);
    }

    #[test]
    fn it_can_be_switched_off() {
        let guard = Guard::new(&Config { rate_limit: Switch::Off, rate_signup_per_minute: 1, ..Config::defaults() });
        assert!((0..100).all(|_| guard.signup(IpAddr::from([10, 0, 0, 1])).is_ok()));
    }
}
