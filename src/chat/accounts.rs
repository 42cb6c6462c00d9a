//! Accounts: signing up, proving who one is, changing one's profile, getting a lost password back.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Chat;
use super::error::{Error, Reason, Result};
use super::event::{Event, Person, Topic};
use super::guard::Account;
use super::ids::{SessionId, UserId};
use super::user::User;
use super::{names, profile};
use crate::clock::now_ms;
use crate::store::{Criterion, NewUser, Secrets};

/// How many people `find` shows.
const FIND_LIMIT: usize = 30;
const MAX_CRITERIA: usize = 16;
/// Times a profile is merged again that another device has changed meanwhile.
const MAX_MERGES: usize = 5;
/// Times a name is looked for that somebody else takes meanwhile.
const MAX_NAMINGS: usize = 5;
const MAX_SECRET_BYTES: usize = 4096;

/// Somebody who wants an account.
#[derive(Clone)]
pub struct SignUp {
    /// None: a free one is made of the email address.
    pub username: Option<String>,
    pub password: String,
    pub question: Option<String>,
    pub answer: Option<String>,
    pub attributes: Map<String, Value>,
}

/// What somebody claims to be, and the proof.
#[derive(Clone)]
pub struct Credentials {
    pub who: Claim,
    pub password: String,
}

/// Whose account it is said to be.
#[derive(Clone)]
pub enum Claim {
    /// If both are given they must be of the same account.
    Account { username: Option<String>, id: Option<UserId> },
    /// An email address, or the user name of an account that has none.
    Email(String),
}

impl Claim {
    fn name(&self) -> String {
        match self {
            Self::Account { username: Some(name), .. } | Self::Email(name) => name.clone(),
            Self::Account { id, .. } => id.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

/// What to do with a value that is set already.
#[derive(Clone)]
pub enum Change<T> {
    Keep,
    Clear,
    Set(T),
}

/// What a user changes of their account.
#[derive(Clone)]
pub struct ProfileChange {
    pub attributes: Map<String, Value>,
    pub password: Option<String>,
    pub question: Change<String>,
    pub answer: Change<String>,
}

impl Chat {
    /// Makes an account.
    ///
    /// # Errors
    /// `Conflict` if the name or the email address is taken, `Forbidden` if name, password or attributes are not
    /// acceptable.
    pub async fn sign_up(&self, request: SignUp, address: IpAddr) -> Result<UserId> {
        self.guard.signup(address)?;
        if let Some(username) = &request.username {
            names::check_username(username)?;
        }
        check_question(request.question.as_deref())?;
        let mut attributes = Map::new();
        profile::merge(&mut attributes, request.attributes)?;
        let password_hash = self.hasher.hash(&request.password).await?;
        let answer_hash = match &request.answer {
            Some(answer) => Some(self.hasher.hash(answer).await?),
            None => None,
        };
        let new = NewUser {
            username: request.username,
            password_hash,
            question: request.question,
            answer_hash,
            attributes,
            created_ms: now_ms(),
        };
        match new.username {
            Some(_) => self.store.insert_user(&new, self.limits.first_user_id).await,
            None => self.insert_nameless(new).await,
        }
    }

    /// The account gets a name that is made of its email address, or of its id where nothing can be made of that.
    async fn insert_nameless(&self, mut new: NewUser) -> Result<UserId> {
        let mut base = profile::email(&new.attributes).map(names::from_email).unwrap_or_default();
        for _ in 0..MAX_NAMINGS {
            new.username = match base.as_str() {
                "" => None,
                base => Some(self.store.free_username(base).await?),
            };
            match self.store.insert_user(&new, self.limits.first_user_id).await {
                // Somebody else has just taken it.
                Err(Error::Conflict(Reason::UsernameTaken)) if base.is_empty() => base = "user".to_owned(),
                Err(Error::Conflict(Reason::UsernameTaken)) => {}
                result => return result,
            }
        }
        Err(Error::unavailable("too many accounts of the same name are being made"))
    }

    /// The user whom these credentials belong to.
    ///
    /// # Errors
    /// `NotFound` with one and the same reason for an unknown user and a wrong password, after the same work.
    pub(super) async fn authenticate(&self, claim: &Credentials, address: IpAddr) -> Result<UserId> {
        self.guard.signin_from(address)?;
        let secrets = match &claim.who {
            Claim::Account { username: Some(username), id } => {
                let found = self.store.secrets_by_username(username).await?;
                found.filter(|secrets| id.is_none_or(|id| id == secrets.id))
            }
            Claim::Account { username: None, id: Some(id) } => self.store.secrets_by_id(*id).await?,
            Claim::Account { username: None, id: None } => return Err(Error::missing()),
            Claim::Email(email) => self.store.secrets_by_email(email).await?,
        };
        let name = claim.who.name();
        let account = secrets.as_ref().map_or(Account::Nobodys(&name), |secrets| Account::Of(secrets.id));
        self.guard.signin(account, address)?;
        let hash = secrets.as_ref().map(|secrets| secrets.password_hash.as_str());
        match (self.hasher.verify(&claim.password, hash).await?, secrets) {
            (true, Some(secrets)) => {
                self.guard.signed_in(account, address);
                Ok(secrets.id)
            }
            _ => Err(Error::NotFound(Reason::WrongPassword)),
        }
    }

    /// The account of its owner, with what only they may see.
    pub(super) async fn own_account(&self, id: UserId) -> Result<Arc<User>> {
        let user = self.store.user(id).await?.ok_or(Error::NotFound(Reason::NoSuchUser))?;
        let user = Arc::new(user);
        self.caches.users.insert(id, Arc::clone(&user));
        Ok(user)
    }

    /// Changes what `change` gives and leaves the rest, and tells those who see it. A new password ends all sessions
    /// but `session`.
    ///
    /// # Errors
    /// `Forbidden` if the profile grows too large or the password is too long, `Conflict` if the email address is
    /// taken; then nothing is changed.
    pub async fn change_profile(
        self: &Arc<Self>,
        me: UserId,
        session: Option<SessionId>,
        change: ProfileChange,
    ) -> Result<()> {
        if let Change::Set(question) = &change.question {
            check_question(Some(question))?;
        }
        let password_hash = match &change.password {
            Some(password) => self.new_password_hash(me, password).await?,
            None => None,
        };
        let answer_hash = match &change.answer {
            Change::Set(answer) => Change::Set(self.hasher.hash(answer).await?),
            Change::Clear => Change::Clear,
            Change::Keep => Change::Keep,
        };
        let has_new_face = self.merge_attributes(me, change.attributes).await?;
        if let Some(hash) = password_hash {
            self.store.set_password(me, &hash).await?;
            self.end_other_sessions(me, session).await?;
        }
        match &change.question {
            Change::Keep => {}
            Change::Clear => self.store.set_question(me, None).await?,
            Change::Set(question) => self.store.set_question(me, Some(question)).await?,
        }
        match &answer_hash {
            Change::Keep => {}
            Change::Clear => self.store.set_answer(me, None).await?,
            Change::Set(hash) => self.store.set_answer(me, Some(hash)).await?,
        }
        let user = self.own_account(me).await?;
        if has_new_face {
            let event = Event::Profile { person: self.person(user) };
            self.hub.publish_all(&[Topic::Watchers(me), Topic::Devices(me)], event);
        }
        Ok(())
    }

    /// The hash of a password that differs from the current one.
    async fn new_password_hash(&self, me: UserId, password: &str) -> Result<Option<String>> {
        let current = self.store.secrets_by_id(me).await?;
        let current = current.as_ref().map(|secrets| secrets.password_hash.as_str());
        if self.hasher.verify(password, current).await? {
            return Ok(None);
        }
        self.hasher.hash(password).await.map(Some)
    }

    /// True if something has changed that others see.
    async fn merge_attributes(&self, me: UserId, changes: Map<String, Value>) -> Result<bool> {
        for _ in 0..MAX_MERGES {
            let user = self.own_account(me).await?;
            let mut merged = user.attributes.clone();
            profile::merge(&mut merged, changes.clone())?;
            if merged == user.attributes {
                return Ok(false);
            }
            if self.store.replace_profile(me, &user.attributes, &merged).await? {
                let is_seen = |name: &String| profile::is_public(name) && merged.get(name) != user.attributes.get(name);
                return Ok(merged.keys().any(is_seen));
            }
        }
        Err(Error::unavailable("the profile is being changed from elsewhere"))
    }

    /// The security question of an account.
    ///
    /// # Errors
    /// `NotFound` if there is no such account, `Conflict` if it has no question and answer.
    pub async fn security_question(&self, username: &str, address: IpAddr) -> Result<String> {
        self.guard.retrieve(username, address)?;
        self.questioned(username).await.map(|(question, ..)| question)
    }

    /// Sets a new password for who knows the answer to the security question.
    ///
    /// # Errors
    /// As [`security_question`](Self::security_question), and `Forbidden` for a wrong answer.
    pub async fn reset_password(
        self: &Arc<Self>,
        username: &str,
        answer: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<()> {
        self.guard.retrieve(username, address)?;
        let (_, answer_hash, secrets) = self.questioned(username).await?;
        if !self.hasher.verify(answer, Some(&answer_hash)).await? {
            return Err(Error::Forbidden(Reason::WrongAnswer));
        }
        let hash = self.hasher.hash(password).await?;
        self.store.set_password(secrets.id, &hash).await?;
        self.end_other_sessions(secrets.id, None).await
    }

    async fn questioned(&self, username: &str) -> Result<(String, String, Secrets)> {
        let secrets = self.store.secrets_by_username(username).await?.ok_or(Error::NotFound(Reason::NoSuchUser))?;
        match (secrets.question.clone(), secrets.answer_hash.clone()) {
            (Some(question), Some(answer)) if !question.is_empty() => Ok((question, answer, secrets)),
            _ => Err(Error::Conflict(Reason::NoQuestion)),
        }
    }

    /// The first 30 people who meet all criteria, by id, as `me` sees them.
    pub async fn find(&self, me: UserId, criteria: &[Criterion]) -> Result<Vec<Person>> {
        self.find_up_to(FIND_LIMIT, Some(me), criteria).await
    }

    /// The first `limit` people who meet all criteria, by id, as `viewer` sees them, or a stranger.
    pub async fn find_up_to(
        &self,
        limit: usize,
        viewer: Option<UserId>,
        criteria: &[Criterion],
    ) -> Result<Vec<Person>> {
        if criteria.len() > MAX_CRITERIA {
            return Err(Error::Forbidden(Reason::TooManyCriteria));
        }
        let users = self.store.find_users(criteria, limit).await?;
        self.people_for(viewer, users.into_iter().map(Arc::new)).await
    }

    /// Everybody, by id, as `me` sees them. Where there are more than `limit`, `me` and those who are here come first.
    ///
    /// # Errors
    /// `TooMany` if one asks too often: it is a long list.
    pub async fn everybody(&self, me: UserId, limit: usize) -> Result<Vec<Person>> {
        self.guard.directory(me)?;
        let mut users = self.store.find_users(&[], limit).await?;
        if users.len() >= limit {
            let mut here = vec![me];
            here.extend(self.hub.users(limit).into_iter().filter(|user| *user != me));
            here.truncate(limit);
            let first = self.store.users(&here).await?;
            users.retain(|user| first.binary_search_by_key(&user.id, |other| other.id).is_err());
            users.truncate(limit.saturating_sub(first.len()));
            users.extend(first);
            users.sort_by_key(|user| user.id);
        }
        self.people_for(Some(me), users.into_iter().map(Arc::new)).await
    }
}

fn check_question(question: Option<&str>) -> Result<()> {
    if question.is_some_and(|question| question.len() > MAX_SECRET_BYTES || question.contains('\0')) {
        return Err(Error::Forbidden(Reason::ProfileTooLarge));
    }
    Ok(())
}
