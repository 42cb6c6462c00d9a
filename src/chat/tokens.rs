//! Sessions: a sign-in that outlives its connection, proved by a token instead of the password.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tracing::debug;

use super::error::{Error, Reason, Result};
use super::event::{Event, SessionEnd};
use super::ids::{SessionId, UserId};
use super::{Chat, Ending};
use crate::clock::now_ms;
use crate::hub::Connection;
use crate::store::{NewSession, Session};

const TOKEN_BYTES: usize = 32;
const MAX_SESSIONS: i64 = 50;
const MAX_DEVICE_CHARS: usize = 64;
/// A session's last use is not written more often than this.
const TOUCH_INTERVAL_MS: i64 = 3_600_000;

/// A session as its user sees it.
#[derive(Debug, Clone)]
pub struct SessionCard {
    pub session: Session,
    /// Whether somebody is connected with it now.
    pub online: bool,
}

/// Text that nobody can guess, of `bytes` random bytes, fit for a URL.
pub(super) fn random_text(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|error| Error::internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(buffer))
}

/// What is kept of a token.
fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Chat {
    /// Makes a session and its token.
    pub(super) async fn begin_session(
        &self,
        user: UserId,
        device: &str,
        address: IpAddr,
    ) -> Result<(SessionId, String)> {
        let token = random_text(TOKEN_BYTES)?;
        let device: String = device.chars().filter(|c| !c.is_control()).take(MAX_DEVICE_CHARS).collect();
        let new = NewSession {
            user,
            token_hash: &hash(&token),
            device: &device,
            address: &address.to_string(),
            now_ms: now_ms(),
        };
        Ok((self.store.insert_session(&new, MAX_SESSIONS).await?, token))
    }

    /// The session that `token` proves.
    ///
    /// # Errors
    /// `NotFound` if there is none, or it has ended.
    pub async fn session(&self, token: &str) -> Result<Session> {
        let now = now_ms();
        let session = self.store.session(&hash(token), now - self.limits.session_max_ms).await?;
        let session = session.ok_or(Error::NotFound(Reason::WrongToken))?;
        if session.used_ms < now - TOUCH_INTERVAL_MS {
            self.store.touch_session(session.id, now).await?;
        }
        Ok(session)
    }

    /// The sessions of a user, the last used first.
    pub async fn sessions(&self, me: UserId) -> Result<Vec<SessionCard>> {
        let sessions = self.store.sessions(me, now_ms() - self.limits.session_max_ms, MAX_SESSIONS).await?;
        let online: Vec<_> = self.hub.connections(me).iter().filter_map(|connection| connection.session()).collect();
        let card = |session: Session| SessionCard { online: online.contains(&session.id), session };
        Ok(sessions.into_iter().map(card).collect())
    }

    /// Ends one session of `me`, as seen from `connection`, which stays open.
    ///
    /// # Errors
    /// `NotFound` if there is none with this id.
    pub async fn end_session(self: &Arc<Self>, connection: &Connection, me: UserId, id: SessionId) -> Result<()> {
        if !self.store.end_session(me, id).await? {
            return Err(Error::NotFound(Reason::NoSuchSession));
        }
        self.cut_off(me, SessionEnd::Revoked, |other| other.session() == Some(id) && other.id != connection.id).await;
        Ok(())
    }

    /// Ends all sessions of `me`, and all connections but `connection`.
    pub async fn end_all_sessions(self: &Arc<Self>, connection: &Connection, me: UserId) -> Result<()> {
        self.store.end_sessions(me, None).await?;
        self.cut_off(me, SessionEnd::Signout, |other| other.id != connection.id).await;
        Ok(())
    }

    /// Ends the sessions that were made with an earlier password, but not the one in which it was changed. Clients of
    /// 2013 know no sessions: their connections live on, since they would not sign in again by themselves.
    pub(super) async fn end_other_sessions(self: &Arc<Self>, me: UserId, but: Option<SessionId>) -> Result<()> {
        self.store.end_sessions(me, but).await?;
        self.cut_off(me, SessionEnd::Password, |other| {
            other.is_self_paced() && (but.is_none() || other.session() != but)
        })
        .await;
        Ok(())
    }

    /// Signs the user out of those connections of theirs that are meant, tells them why, and closes them.
    async fn cut_off(self: &Arc<Self>, me: UserId, why: SessionEnd, is_meant: impl Fn(&Connection) -> bool) {
        for connection in self.hub.tell(me, Event::SessionEnded { why }, is_meant) {
            self.sign_out(&connection, Ending::Broken).await;
            self.tasks.spawn(async move {
                if !connection.written().await {
                    debug!("a connection may be closed without having heard why");
                }
                connection.close();
            });
        }
    }
}
