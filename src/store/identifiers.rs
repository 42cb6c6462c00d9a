//! What an account is found and signed in by. A value belongs to one account in each kind, and what is one account's user
//! name is never another's email address, so that people who type one for the other meet nobody else.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use super::Store;
use super::error::{failed, is_duplicate};
use super::pool::Transaction;
use super::rows::placeholders;
use super::users::{Secrets, is_storable, read_secrets};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::UserId;

/// Names that are tried with small numbers; after that comes a number that nobody has.
const SMALL_NUMBERS: usize = 32;

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identifier {
    Username,
    Email,
}

impl Identifier {
    /// The name under which the kind is stored.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
        }
    }

    fn taken(self) -> Error {
        Error::Conflict(match self {
            Self::Username => Reason::UsernameTaken,
            Self::Email => Reason::EmailTaken,
        })
    }
}

/// Gives `value` to `user`.
///
/// # Errors
/// `Conflict` if it belongs to somebody else, in any kind.
pub(super) async fn claim(connection: &mut Transaction, kind: Identifier, value: &str, user: UserId) -> Result<()> {
    let owner: Option<i64> = sqlx::query_scalar(
        "select user_id from identifiers where kind in ('email', 'username') and value = $1 and user_id <> $2 limit 1",
    )
    .bind(value)
    .bind(user.0)
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    if owner.is_some() {
        return Err(kind.taken());
    }
    sqlx::query("insert into identifiers (kind, value, user_id) values ($1, $2, $3)")
        .bind(kind.as_str())
        .bind(value)
        .bind(user.0)
        .execute(connection)
        .await
        .map_err(|error| if is_duplicate(&error) { kind.taken() } else { failed(error) })?;
    Ok(())
}

/// Takes from `user` what they have of a kind.
pub(super) async fn release(connection: &mut Transaction, kind: Identifier, user: UserId) -> Result<()> {
    sqlx::query("delete from identifiers where user_id = $1 and kind = $2")
        .bind(user.0)
        .bind(kind.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

impl Store {
    /// The secrets of the account with this user name.
    pub async fn secrets_by_username(&self, username: &str) -> Result<Option<Secrets>> {
        let text = "select u.id, u.password_hash, u.question, u.answer_hash
                    from identifiers i join users u on u.id = i.user_id
                    where i.kind = 'username' and i.value = $1";
        self.secrets_by(text, username).await
    }

    /// The secrets of the account with this email address; or with this user name, if it has no email address.
    pub async fn secrets_by_email(&self, email: &str) -> Result<Option<Secrets>> {
        let text = "select u.id, u.password_hash, u.question, u.answer_hash
                    from identifiers i join users u on u.id = i.user_id
                    where i.kind in ('email', 'username') and i.value = $1
                      and (i.kind = 'email' or not exists (
                        select 1 from identifiers e where e.user_id = i.user_id and e.kind = 'email'))
                    order by i.kind limit 1";
        self.secrets_by(text, email).await
    }

    async fn secrets_by(&self, text: &'static str, value: &str) -> Result<Option<Secrets>> {
        if !is_storable(value) {
            return Ok(None);
        }
        let row = sqlx::query(text).bind(value).fetch_optional(&self.read).await.map_err(failed)?;
        row.as_ref().map(read_secrets).transpose()
    }

    /// `base`, or `base` with the least number from 2 on, that is nobody's name or email address at this moment.
    pub async fn free_username(&self, base: &str) -> Result<String> {
        let mut names = vec![base.to_owned()];
        names.extend((2..=SMALL_NUMBERS).map(|number| format!("{base}{number}")));
        let list = placeholders(1, names.len());
        let text = format!("select value from identifiers where kind in ('email', 'username') and value in {list}");
        let query = names.iter().fold(sqlx::query_scalar(AssertSqlSafe(text)), |query, name| query.bind(name.as_str()));
        let taken: Vec<String> = query.fetch_all(&self.read).await.map_err(failed)?;
        let taken: HashSet<_> = taken.into_iter().collect();
        if let Some(free) = names.into_iter().find(|name| !taken.contains(name)) {
            return Ok(free);
        }
        let number = getrandom::u32().map_err(|error| Error::internal(error.to_string()))?;
        Ok(format!("{base}{number}"))
    }
}
