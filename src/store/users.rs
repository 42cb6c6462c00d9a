//! Accounts: identifiers, secrets, profiles and the index for `find`.

use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::files::{Referrer, replace_uses};
use super::gather::rows_of;
use super::identifiers::{Identifier, claim, release};
use super::pool::{Pool, Transaction};
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::{Error, Result};
use crate::chat::files::names_in;
use crate::chat::ids::UserId;
use crate::chat::profile;
use crate::chat::user::User;

/// An account that is to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// None: `user` and the id.
    pub username: Option<String>,
    pub password_hash: String,
    pub question: Option<String>,
    pub answer_hash: Option<String>,
    pub attributes: Map<String, Value>,
    pub created_ms: i64,
}

/// What proves that somebody is a user. Never leaves the account code.
#[derive(Clone)]
pub struct Secrets {
    pub id: UserId,
    pub password_hash: String,
    pub question: Option<String>,
    pub answer_hash: Option<String>,
}

/// One condition of `find`.
#[derive(Debug, Clone, PartialEq)]
pub enum Criterion {
    Id(UserId),
    Username(String),
    Email(String),
    /// An attribute's name and its value as [`profile::comparable`] writes it.
    Attribute(String, String),
}

impl Store {
    /// Makes an account and returns its id, the next one from `first_id` up.
    ///
    /// # Errors
    /// `Conflict` if the user name or the email address is taken.
    pub async fn insert_user(&self, new: &NewUser, first_id: i64) -> Result<UserId> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let id = Self::next_id(&mut transaction, "user", first_id).await?;
        let username = new.username.clone().unwrap_or_else(|| format!("user{id}"));
        sqlx::query(
            "insert into users (id, username, password_hash, question, answer_hash, profile, created_ms)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(username.as_str())
        .bind(new.password_hash.as_str())
        .bind(new.question.as_deref())
        .bind(new.answer_hash.as_deref())
        .bind(to_json(&new.attributes)?)
        .bind(new.created_ms)
        .execute(&mut transaction)
        .await
        .map_err(failed)?;
        claim(&mut transaction, Identifier::Username, &username, UserId(id)).await?;
        if let Some(email) = profile::email(&new.attributes) {
            claim(&mut transaction, Identifier::Email, email, UserId(id)).await?;
        }
        index_attributes(&mut transaction, id, &new.attributes).await?;
        refer_to_files(&mut transaction, UserId(id), &new.attributes).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(UserId(id))
    }

    /// The account with this id.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        self.together.users.ask(id.0).await
    }

    /// The accounts with these ids that exist, ordered by id.
    pub async fn users(&self, ids: &[UserId]) -> Result<Vec<User>> {
        let mut users = Vec::with_capacity(ids.len());
        for run in runs(ids, Marker::Dollar.longest(1)) {
            let list = placeholders(1, run.len());
            let text = format!("select id, username, question, profile from users where id in {list}");
            let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, id| query.bind(id.0));
            let rows = query.fetch_all(&self.read).await.map_err(failed)?;
            for row in &rows {
                users.push(read_user(row)?);
            }
        }
        users.sort_by_key(|user| user.id);
        Ok(users)
    }

    /// Whether the account exists.
    pub async fn user_exists(&self, id: UserId) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("select id from users where id = $1")
            .bind(id.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        Ok(found.is_some())
    }

    /// The secrets of the account with this id.
    pub async fn secrets_by_id(&self, id: UserId) -> Result<Option<Secrets>> {
        let row = sqlx::query("select id, password_hash, question, answer_hash from users where id = $1")
            .bind(id.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        row.as_ref().map(read_secrets).transpose()
    }

    /// Sets a new password hash.
    pub async fn set_password(&self, id: UserId, password_hash: &str) -> Result<()> {
        sqlx::query("update users set password_hash = $2 where id = $1")
            .bind(id.0)
            .bind(password_hash)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Sets or clears the security question, and the hash of its answer.
    pub async fn set_question(&self, id: UserId, question: Option<&str>) -> Result<()> {
        sqlx::query("update users set question = $2 where id = $1")
            .bind(id.0)
            .bind(question)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Sets or clears the hash of the answer to the security question.
    pub async fn set_answer(&self, id: UserId, answer_hash: Option<&str>) -> Result<()> {
        sqlx::query("update users set answer_hash = $2 where id = $1")
            .bind(id.0)
            .bind(answer_hash)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Replaces the profile `old` by `new`. False if somebody else has changed it meanwhile.
    ///
    /// # Errors
    /// `Conflict` if its email address is taken.
    pub async fn replace_profile(
        &self,
        id: UserId,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> Result<bool> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let changed = sqlx::query("update users set profile = $3 where id = $1 and profile = $2")
            .bind(id.0)
            .bind(to_json(old)?)
            .bind(to_json(new)?)
            .execute(&mut transaction)
            .await
            .map_err(failed)?
            .rows_affected();
        if changed == 0 {
            return Ok(false);
        }
        sqlx::query("delete from attributes where user_id = $1")
            .bind(id.0)
            .execute(&mut transaction)
            .await
            .map_err(failed)?;
        if profile::email(old) != profile::email(new) {
            release(&mut transaction, Identifier::Email, id).await?;
            if let Some(email) = profile::email(new) {
                claim(&mut transaction, Identifier::Email, email, id).await?;
            }
        }
        index_attributes(&mut transaction, id.0, new).await?;
        refer_to_files(&mut transaction, id, new).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(true)
    }

    /// The accounts that meet all criteria, ordered by id.
    pub async fn find_users(&self, criteria: &[Criterion], limit: usize) -> Result<Vec<User>> {
        if criteria.iter().any(
            |criterion| matches!(criterion, Criterion::Username(name) | Criterion::Email(name) if !is_storable(name)),
        ) {
            return Ok(Vec::new());
        }
        let mut text = "select id, username, question, profile from users where 0 = 0".to_owned();
        let mut bound = 0;
        let mut next = || {
            bound += 1;
            bound
        };
        for criterion in criteria {
            text += &match criterion {
                Criterion::Id(_) => format!(" and id = ${}", next()),
                Criterion::Username(_) | Criterion::Email(_) => format!(
                    " and id in (select user_id from identifiers where kind = '{}' and value = ${})",
                    if matches!(criterion, Criterion::Email(_)) { Identifier::Email } else { Identifier::Username }
                        .as_str(),
                    next()
                ),
                Criterion::Attribute(..) => format!(
                    " and id in (select user_id from attributes where name = ${} and value = ${})",
                    next(),
                    next()
                ),
            };
        }
        text += &format!(" order by id limit {limit}");
        let mut query = sqlx::query(AssertSqlSafe(text));
        for criterion in criteria {
            query = match criterion {
                Criterion::Id(id) => query.bind(id.0),
                Criterion::Username(name) | Criterion::Email(name) => query.bind(name.as_str()),
                Criterion::Attribute(name, value) => query.bind(name.as_str()).bind(value.as_str()),
            };
        }
        query.fetch_all(&self.read).await.map_err(failed)?.iter().map(read_user).collect()
    }
}

/// PostgreSQL has no NUL in texts, not even in those that it is asked about.
pub(super) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

async fn index_attributes(connection: &mut Transaction, id: i64, attributes: &Map<String, Value>) -> Result<()> {
    let entries: Vec<_> = attributes
        .iter()
        .filter(|(name, _)| profile::is_searchable(name))
        .filter_map(|(name, value)| Some((name.as_str(), profile::comparable(value)?)))
        .collect();
    for run in runs(&entries, Marker::Dollar.longest(3)) {
        let text = format!("insert into attributes (user_id, name, value) values {}", placeholders(run.len(), 3));
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, (name, value)| {
            query.bind(id).bind(*name).bind(value.as_str())
        });
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// The profile refers to every file whose path stands in one of its texts.
async fn refer_to_files(connection: &mut Transaction, user: UserId, attributes: &Map<String, Value>) -> Result<()> {
    replace_uses(connection, Referrer::Profile(user), &names_in(&to_json(attributes)?)).await
}

/// For each of the ids the account, if it exists.
pub(super) async fn users_by_id(pool: Pool, ids: Vec<i64>) -> Result<Vec<Option<User>>> {
    let text = |list: &str| format!("select id, username, question, profile from users where id in {list}");
    let found = rows_of(&pool, &ids, text, read_user).await?;
    Ok(found.into_iter().map(|users| users.into_iter().next()).collect())
}

fn read_user(row: &AnyRow) -> Result<User> {
    let profile: &str = row.try_get(3).map_err(failed)?;
    Ok(User {
        id: UserId(row.try_get(0).map_err(failed)?),
        username: row.try_get(1).map_err(failed)?,
        question: row.try_get(2).map_err(failed)?,
        attributes: serde_json::from_str(profile).map_err(Error::internal)?,
    })
}

pub(super) fn read_secrets(row: &AnyRow) -> Result<Secrets> {
    Ok(Secrets {
        id: UserId(row.try_get(0).map_err(failed)?),
        password_hash: row.try_get(1).map_err(failed)?,
        question: row.try_get(2).map_err(failed)?,
        answer_hash: row.try_get(3).map_err(failed)?,
    })
}

fn to_json(attributes: &Map<String, Value>) -> Result<String> {
    serde_json::to_string(attributes).map_err(Error::internal)
}
