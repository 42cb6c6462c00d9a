//! Uploaded files, what refers to them, and secrets of the server itself.

use std::collections::HashSet;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::Store;
use super::error::failed;
use super::pool::Transaction;
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::{RoomId, UserId};
use crate::clock::now_ms;

/// What the smallest file takes up on a disk, and counts for.
const MIN_CHARGE_BYTES: i64 = 4096;

/// A file that somebody has uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub name: String,
    pub owner: UserId,
    /// The name with its extension.
    pub stored: String,
    pub original: String,
    pub media_type: String,
    pub size: i64,
    pub dimensions: Option<(i64, i64)>,
    /// The small picture's name with its extension.
    pub thumb: Option<String>,
    pub created_ms: i64,
    /// From when on it may be unused for a while.
    pub kept_ms: i64,
}

/// A place in the order in which files are looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    pub kept_ms: i64,
    pub name: String,
}

/// What may refer to files.
#[derive(Debug, Clone, Copy)]
pub(super) enum Referrer {
    Profile(UserId),
    Room(RoomId),
}

impl Referrer {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Profile(user) => ("profile", user.0),
            Self::Room(room) => ("room", room.0),
        }
    }
}

const COLUMNS: &str = "name, owner_id, stored, original, type, size, width, height, thumb, created_ms, kept_ms";

impl Store {
    /// Writes down a file, and that it takes some of its owner's `quota_bytes`.
    ///
    /// # Errors
    /// `Forbidden` if there is no room for it.
    pub async fn insert_file(&self, file: &StoredFile, quota_bytes: u64) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        // One statement, which locks the user's row: uploads at the same time come one after the other.
        let charged =
            sqlx::query("update users set file_bytes = file_bytes + $2 where id = $1 and file_bytes + $2 <= $3")
                .bind(file.owner.0)
                .bind(charge(file.size))
                .bind(i64::try_from(quota_bytes).unwrap_or(i64::MAX))
                .execute(&mut transaction)
                .await
                .map_err(failed)?;
        if charged.rows_affected() == 0 {
            return Err(Error::Forbidden(Reason::QuotaUsedUp));
        }
        let text = format!("insert into files ({COLUMNS}) values {}", placeholders(1, 11));
        sqlx::query(AssertSqlSafe(text))
            .bind(file.name.as_str())
            .bind(file.owner.0)
            .bind(file.stored.as_str())
            .bind(file.original.as_str())
            .bind(file.media_type.as_str())
            .bind(file.size)
            .bind(file.dimensions.map(|(width, _)| width))
            .bind(file.dimensions.map(|(_, height)| height))
            .bind(file.thumb.as_deref())
            .bind(file.created_ms)
            .bind(file.kept_ms)
            .execute(&mut transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// The file of this name.
    pub async fn file(&self, name: &str) -> Result<Option<StoredFile>> {
        let text = format!("select {COLUMNS} from files where name = $1");
        let row = sqlx::query(AssertSqlSafe(text)).bind(name).fetch_optional(&self.read).await.map_err(failed)?;
        row.as_ref().map(read_file).transpose()
    }

    /// What the files of a user take up.
    pub async fn file_bytes(&self, owner: UserId) -> Result<u64> {
        let bytes: Option<i64> = sqlx::query_scalar("select file_bytes from users where id = $1")
            .bind(owner.0)
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default())
    }

    /// Keeps a file for a while from now on, used or not. False if it is gone.
    pub async fn keep_file(&self, name: &str, now_ms: i64) -> Result<bool> {
        let kept = sqlx::query("update files set kept_ms = $2 where name = $1")
            .bind(name)
            .bind(now_ms)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        Ok(kept.rows_affected() > 0)
    }

    /// The next files that were kept before `before_ms`, and whether something refers to them.
    pub async fn old_files(
        &self,
        before_ms: i64,
        after: Option<&FilePlace>,
        limit: usize,
    ) -> Result<Vec<(FilePlace, bool)>> {
        let rows = sqlx::query(
            "select f.kept_ms, f.name, (select min(u.kind) from file_uses u where u.name = f.name)
             from files f where f.kept_ms < $1 and (f.kept_ms, f.name) > ($2, $3)
             order by f.kept_ms, f.name limit $4",
        )
        .bind(before_ms)
        .bind(after.map_or(i64::MIN, |place| place.kept_ms))
        .bind(after.map_or("", |place| &place.name))
        .bind(limit as i64)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        let read = |row: &AnyRow| {
            let place = FilePlace { kept_ms: row.try_get(0)?, name: row.try_get(1)? };
            Ok((place, row.try_get::<Option<String>, _>(2)?.is_some()))
        };
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }

    /// Forgets a file and returns what it was, if nothing refers to it and it was not kept since `before_ms`.
    pub async fn remove_unused_file(&self, name: &str, before_ms: i64) -> Result<Option<StoredFile>> {
        let Some(file) = self.file(name).await? else {
            return Ok(None);
        };
        let mut transaction = self.write.begin().await.map_err(failed)?;
        // The owner first, as everywhere: rows are locked in one order.
        sqlx::query("update users set file_bytes = file_bytes - $2 where id = $1")
            .bind(file.owner.0)
            .bind(charge(file.size))
            .execute(&mut transaction)
            .await
            .map_err(failed)?;
        let removed = sqlx::query(
            "delete from files where name = $1 and kept_ms < $2
             and not exists (select u.name from file_uses u where u.name = $1)",
        )
        .bind(name)
        .bind(before_ms)
        .execute(&mut transaction)
        .await;
        match removed {
            Ok(removed) if removed.rows_affected() > 0 => {
                transaction.commit().await.map_err(failed)?;
                Ok(Some(file))
            }
            // PostgreSQL: a reference was committed after the statement had begun.
            Err(error) if error.as_database_error().is_some_and(|error| error.is_foreign_key_violation()) => Ok(None),
            Ok(_) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Those of the `names` that are files.
    pub async fn known_files(&self, names: &[&str]) -> Result<HashSet<String>> {
        let mut known = HashSet::new();
        for run in runs(names, Marker::Dollar.longest(1)) {
            let text = format!("select name from files where name in {}", placeholders(1, run.len()));
            let query = run.iter().fold(sqlx::query_scalar(AssertSqlSafe(text)), |query, name| query.bind(*name));
            known.extend(query.fetch_all(&self.read).await.map_err(failed)?);
        }
        Ok(known)
    }

    /// The secret that is kept under `name`; `fresh` if there is none yet.
    pub async fn secret(&self, name: &str, fresh: &str) -> Result<String> {
        sqlx::query("insert into secrets (name, value) values ($1, $2) on conflict do nothing")
            .bind(name)
            .bind(fresh)
            .execute(&self.write)
            .await
            .map_err(failed)?;
        sqlx::query_scalar("select value from secrets where name = $1")
            .bind(name)
            .fetch_one(&self.write)
            .await
            .map_err(failed)
    }
}

/// Notes that `referrer` refers to these files and to no others. What it does not refer to any more is kept for a while,
/// since others may still show it.
pub(super) async fn replace_uses(connection: &mut Transaction, referrer: Referrer, names: &[String]) -> Result<()> {
    let (kind, id) = referrer.columns();
    sqlx::query(
        "update files set kept_ms = $3
         where name in (select u.name from file_uses u where u.kind = $1 and u.used_by = $2)",
    )
    .bind(kind)
    .bind(id)
    .bind(now_ms())
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    sqlx::query("delete from file_uses where kind = $1 and used_by = $2")
        .bind(kind)
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    for name in names {
        sqlx::query(
            "insert into file_uses (name, kind, used_by) select name, $2, $3 from files where name = $1
             on conflict do nothing",
        )
        .bind(name.as_str())
        .bind(kind)
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

fn charge(size: i64) -> i64 {
    size.max(MIN_CHARGE_BYTES)
}

fn read_file(row: &AnyRow) -> Result<StoredFile> {
    let read = || {
        let width: Option<i64> = row.try_get(6)?;
        let height: Option<i64> = row.try_get(7)?;
        Ok(StoredFile {
            name: row.try_get(0)?,
            owner: UserId(row.try_get(1)?),
            stored: row.try_get(2)?,
            original: row.try_get(3)?,
            media_type: row.try_get(4)?,
            size: row.try_get(5)?,
            dimensions: width.zip(height),
            thumb: row.try_get(8)?,
            created_ms: row.try_get(9)?,
            kept_ms: row.try_get(10)?,
        })
    };
    read().map_err(failed)
}
