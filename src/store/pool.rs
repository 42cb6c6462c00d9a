//! Connections to the database, and statements with an end: a database that does not answer is an error, not a wait.
//!
//! sqlx limits the time to get a connection, and nothing after that. A statement that takes longer than its limit is
//! given up here, and its connection with it. Connections are looked at after trouble: one whose transaction sqlx takes
//! for open, though SQLite has ended it, would hold what follows back for ever, acknowledged and never committed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use parking_lot::Mutex;
use sqlx::any::{AnyPoolOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Describe, Either, Execute, Executor, SqlStr};
use tokio::time::{Instant, timeout};

type Later<'e, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'e>>;
type Results<'e> = Pin<Box<dyn Stream<Item = sqlx::Result<Either<AnyQueryResult, AnyRow>>> + Send + 'e>>;

/// What may take how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connection: Duration,
    pub(super) statement: Duration,
}

/// Connections for statements that stand alone, and for transactions. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    connections: AnyPool,
    limits: Limits,
    trouble: Trouble,
}

/// A transaction; rolled back when it is dropped.
#[derive(Debug)]
pub(super) struct Transaction {
    inner: sqlx::Transaction<'static, Any>,
    limit: Duration,
    trouble: Trouble,
}

/// When something failed last, or was given up.
#[derive(Debug, Clone, Default)]
struct Trouble(Arc<Mutex<Option<Instant>>>);

impl Pool {
    /// Opens a first connection.
    pub(super) async fn connect(options: AnyPoolOptions, url: &str, limits: Limits) -> sqlx::Result<Self> {
        let trouble = Trouble::default();
        let suspect = trouble.clone();
        let options = options.acquire_timeout(limits.connection).after_release(move |connection, _| {
            let is_suspect = suspect.is_recent(limits.statement);
            Box::pin(async move { if is_suspect { is_sound(connection, limits.statement).await } else { Ok(true) } })
        });
        Ok(Self { connections: options.connect(url).await?, limits, trouble })
    }

    pub(super) async fn begin(&self) -> sqlx::Result<Transaction> {
        let inner = self.trouble.bound(self.limits.whole(), self.connections.begin()).await?;
        Ok(Transaction { inner, limit: self.limits.statement, trouble: self.trouble.clone() })
    }

    /// Whether the database answers, within the time to get a connection.
    pub(super) async fn ping(&self) -> sqlx::Result<()> {
        let ping = sqlx::query("select 1").execute(&self.connections);
        self.trouble.bound(self.limits.connection, ping).await.map(drop)
    }

    /// What getting a connection and a statement on it may take together.
    pub(super) fn patience(&self) -> Duration {
        self.limits.whole()
    }

    /// Waits for running statements and closes every connection.
    pub(super) async fn close(&self) {
        self.connections.close().await;
    }

    /// Without limits, for migrations.
    pub(super) fn unlimited(&self) -> &AnyPool {
        &self.connections
    }
}

impl Limits {
    /// Getting a connection, and one statement on it.
    fn whole(self) -> Duration {
        self.connection + self.statement
    }
}

impl Transaction {
    pub(super) fn backend_name(&self) -> &str {
        self.inner.backend_name()
    }

    /// After an error it is not known whether the commit took place.
    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.trouble.bound(self.limit, self.inner.commit()).await
    }

    pub(super) async fn rollback(self) -> sqlx::Result<()> {
        self.trouble.bound(self.limit, self.inner.rollback()).await
    }
}

/// Whether a connection that comes back after trouble can be used again.
async fn is_sound(connection: &mut AnyConnection, limit: Duration) -> sqlx::Result<bool> {
    // The pool itself would wait without an end for one that is still busy with what was given up.
    timeout(limit, connection.ping()).await.map_err(|_| too_long())??;
    // After some errors, a full disk for one, SQLite rolls back by itself. The rollback that follows then fails, and
    // sqlx takes the transaction for open: what comes next would be a part of it.
    Ok(!connection.is_in_transaction())
}

impl Trouble {
    async fn bound<T>(&self, limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let result = timeout(limit, work).await.unwrap_or_else(|_| Err(too_long()));
        if result.is_err() {
            *self.0.lock() = Some(Instant::now());
        }
        result
    }

    /// Whether connections may still come back that had a part in it.
    fn is_recent(&self, limit: Duration) -> bool {
        self.0.lock().is_some_and(|at| at.elapsed() < limit * 4)
    }

    /// The limit holds for each result, counted from when it is asked for.
    fn bound_each<'e>(self, limit: Duration, results: Results<'e>) -> Results<'e> {
        Box::pin(stream::unfold(Some(results), move |results| {
            let trouble = self.clone();
            async move {
                let mut results = results?;
                match trouble.bound(limit, async { results.next().await.transpose() }).await.transpose()? {
                    Ok(result) => Some((Ok(result), Some(results))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        }))
    }
}

fn too_long() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time"))
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Results<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.trouble.clone().bound_each(self.limits.whole(), self.connections.fetch_many(query))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Later<'e, Option<AnyRow>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(self.trouble.bound(self.limits.whole(), self.connections.fetch_optional(query)))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> Later<'e, AnyStatement>
    where
        'p: 'e,
    {
        Box::pin(self.trouble.bound(self.limits.whole(), self.connections.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> Later<'e, Describe<Any>>
    where
        'p: 'e,
    {
        Box::pin(self.trouble.bound(self.limits.whole(), self.connections.describe(sql)))
    }
}

impl<'t> Executor<'t> for &'t mut Transaction {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Results<'e>
    where
        't: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.trouble.clone().bound_each(self.limit, self.inner.fetch_many(query))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Later<'e, Option<AnyRow>>
    where
        't: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(self.trouble.bound(self.limit, self.inner.fetch_optional(query)))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> Later<'e, AnyStatement>
    where
        't: 'e,
    {
        Box::pin(self.trouble.bound(self.limit, self.inner.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> Later<'e, Describe<Any>>
    where
        't: 'e,
    {
        Box::pin(self.trouble.bound(self.limit, self.inner.describe(sql)))
    }
}
