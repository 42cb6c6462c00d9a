//! What can go wrong in the domain, by kind, with the reason that a dialect may translate.

use std::sync::Arc;

use serde::Serialize;
use tracing::field::{DisplayValue, display};

/// Why a command was not carried out. Dialects map the kind to their codes and the reason to their words.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Something that the command needs is missing or has the wrong shape.
    #[error("{0}")]
    Invalid(Reason),
    /// The command needs a signed-in user.
    #[error("not signed in")]
    NotSignedIn,
    /// The request is well-formed and refused.
    #[error("{0}")]
    Forbidden(Reason),
    /// What the request names is not there, or not for this user.
    #[error("{0}")]
    NotFound(Reason),
    /// It is already so.
    #[error("{0}")]
    Conflict(Reason),
    /// A rate limit was reached.
    #[error("too many attempts, try again later")]
    TooMany,
    /// The database or a queue cannot take it now; the same request may succeed later.
    #[error("temporarily unavailable")]
    Unavailable(#[source] Source),
    /// A fault of the server.
    #[error("internal error")]
    Internal(#[source] Source),
}

/// The cause of a failure, kept for the log and never sent out.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

/// The result of a domain function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The particular reason inside an [`Error`], fit for a user's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    #[error("a required parameter is missing")]
    MissingParameter,
    #[error("the request cannot be read")]
    Unreadable,
    #[error("this user name cannot be used")]
    BadUsername,
    #[error("this password cannot be used")]
    BadPassword,
    #[error("this name cannot be used")]
    BadName,
    #[error("the text is too long")]
    TextTooLong,
    #[error("the presence must be a text of at most 32 characters")]
    BadPresence,
    #[error("the profile has too many or too large attributes")]
    ProfileTooLarge,
    #[error("too many at once")]
    TooMany,
    #[error("too many criteria")]
    TooManyCriteria,
    #[error("the list is full")]
    ListFull,
    #[error("this email address cannot be used")]
    BadEmail,
    #[error("this user name is taken")]
    UsernameTaken,
    #[error("this email address is taken")]
    EmailTaken,
    #[error("signed in elsewhere already")]
    SignedInElsewhere,
    #[error("already signed in on this connection")]
    AlreadySignedIn,
    #[error("already asked, or already friends")]
    AlreadyRequested,
    #[error("no such user")]
    NoSuchUser,
    #[error("unknown user or wrong password")]
    WrongPassword,
    #[error("no such room")]
    NoSuchRoom,
    #[error("not a member of this room")]
    NotAMember,
    #[error("no request from this user")]
    NoRequest,
    #[error("not a friend")]
    NotAFriend,
    #[error("no security question is set")]
    NoQuestion,
    #[error("wrong answer")]
    WrongAnswer,
    #[error("this session has ended")]
    WrongToken,
    #[error("no such session")]
    NoSuchSession,
    #[error("no such message")]
    NoSuchMessage,
    #[error("it is too late for that")]
    TooLate,
    #[error("no such file")]
    NoSuchFile,
    #[error("there is no file in it")]
    NoFile,
    #[error("the upload was broken off")]
    Aborted,
    #[error("the file is no picture that can be read")]
    NotAPicture,
    #[error("the file is too large")]
    TooLarge,
    #[error("all room for files is used up")]
    QuotaUsedUp,
    #[error("the file came too slowly")]
    TooSlow,
    #[error("the server's disk is full")]
    DiskFull,
    #[error("blocked by this user")]
    Blocked,
    #[error("not allowed")]
    NotAllowed,
    #[error("not allowed to speak here for a while")]
    Muted,
}

impl Error {
    /// A required parameter is absent, null, empty or of the wrong type.
    pub fn missing() -> Self {
        Self::Invalid(Reason::MissingParameter)
    }

    /// A fault of the server, with its cause.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(source.into()))
    }

    /// A passing inability, with its cause.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(source.into()))
    }

    /// What happened behind an [`Unavailable`](Self::Unavailable) or [`Internal`](Self::Internal), for the log. In its
    /// own words only: what a database adds to them for programs may quote a row.
    pub fn cause(&self) -> Option<DisplayValue<&Source>> {
        match self {
            Self::Unavailable(source) | Self::Internal(source) => Some(display(source)),
            _ => None,
        }
    }
}
