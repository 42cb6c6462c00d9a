//! Keeps everything, in SQLite or PostgreSQL, over sqlx's `Any` driver: each query is written once.
//!
//! Messages go through the [`Batcher`]; everything else is a method of [`Store`], in one file per subject.

mod backup;
mod batch;
mod blocks;
mod conversations;
mod error;
mod files;
mod friends;
mod gather;
mod history;
mod identifiers;
mod members;
mod messages;
mod pairs;
mod passages;
mod pool;
mod rooms;
mod rows;
mod search;
mod sessions;
#[cfg(test)]
mod tests;
mod users;

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

pub use backup::backup;
pub use batch::{Batcher, Job, Outcome, Settled, Waits, Work};
pub use conversations::{Listed, With};
pub use files::{FilePlace, StoredFile};
pub use friends::{Friend, Request};
pub use history::{Direction, PageSize, ReadMarks, Stay};
pub use members::Member;
pub use messages::{Cursor, LogFilter, LogPage};
pub use passages::Passage;
pub use rooms::{Avatar, RoomChange};
pub use sessions::{NewSession, Session};
pub use users::{Criterion, NewUser, Secrets};

use crate::chat::error::{Error, Result};
use crate::chat::room::Room;
use crate::chat::user::User;
use crate::config::Config;
use error::failed;
use gather::Gather;
use messages::Missed;
use pool::{Limits, Pool, Transaction};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    read: Pool,
    /// With SQLite a single connection, so that writers queue up here instead of meeting at the file's lock.
    write: Pool,
    is_sqlite: bool,
    together: Arc<Together>,
}

/// What everybody asks who signs in.
#[derive(Debug)]
struct Together {
    sessions: Gather<String, Option<Session>>,
    users: Gather<i64, Option<User>>,
    rooms: Gather<i64, Vec<Room>>,
    friends: Gather<i64, Vec<Friend>>,
    missed: Gather<i64, Vec<Missed>>,
}

impl Together {
    fn new(read: &Pool) -> Self {
        macro_rules! ask {
            ($answer:path) => {{
                let read = read.clone();
                Gather::new(read.patience(), move |questions| $answer(read.clone(), questions))
            }};
        }
        Self {
            sessions: ask!(sessions::sessions_by_hash),
            users: ask!(users::users_by_id),
            rooms: ask!(rooms::rooms_with),
            friends: ask!(friends::friends_of),
            missed: ask!(messages::missed_by),
        }
    }
}

impl Store {
    /// Connects and brings the schema up to date.
    ///
    /// # Errors
    /// One line for the operator: the database cannot be reached, is damaged, or is newer than this program.
    pub async fn open(config: &Config) -> Result<Self, String> {
        install_default_drivers();
        let url = config.effective_database_url();
        let shown = config.redacted().effective_database_url();
        let store = Self::connect(config, &url).await.map_err(|error| format!("cannot open {shown}: {error}"))?;
        let migrations = if is_sqlite(&url) { &SQLITE } else { &POSTGRES };
        migrations.run(store.write.unlimited()).await.map_err(|error| format!("cannot prepare {shown}: {error}"))?;
        Ok(store)
    }

    async fn connect(config: &Config, url: &str) -> sqlx::Result<Self> {
        let timeout = Duration::from_millis(config.database_timeout_ms);
        let limits =
            Limits { connection: timeout, statement: Duration::from_millis(config.database_statement_timeout_ms) };
        let pool = || AnyPoolOptions::new().max_lifetime(None).idle_timeout(None);
        if !is_sqlite(url) {
            attempt(timeout, AnyConnection::connect(url)).await?;
            // Should this server vanish in the middle of a transaction, the rows that it has locked are free after a while.
            let settings = format!(
                "set synchronous_commit = on; set idle_in_transaction_session_timeout = {}",
                2 * config.database_statement_timeout_ms
            );
            let pool = pool().max_connections(config.database_connections).after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move { connection.execute(AssertSqlSafe(settings)).await.map(drop) })
            });
            let read = Pool::connect(pool, url, limits).await?;
            return Ok(Self::over(read.clone(), read, false));
        }
        if let Some(path) = sqlite_path(url) {
            create_private(path)?;
        }
        let url = if url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
        let pragmas = format!(
            "pragma busy_timeout = {}; pragma journal_mode = wal; pragma synchronous = full; \
             pragma foreign_keys = on; pragma temp_store = memory",
            timeout.as_millis()
        );
        // Longer than SQLite waits for a lock, so that it can say so.
        attempt(timeout * 2, async {
            let mut connection = AnyConnection::connect(&url).await?;
            connection.execute(AssertSqlSafe(pragmas.clone())).await?;
            connection.close().await
        })
        .await?;
        // Nothing breaks a connection to a file, so none is tested before use.
        let pool = || {
            let pragmas = pragmas.clone();
            pool().test_before_acquire(false).after_connect(move |connection, _| {
                let pragmas = pragmas.clone();
                Box::pin(async move { connection.execute(AssertSqlSafe(pragmas)).await.map(drop) })
            })
        };
        let write = Pool::connect(pool().max_connections(1), &url, limits).await?;
        let read = Pool::connect(pool().max_connections(config.database_connections), &url, limits).await?;
        Ok(Self::over(read, write, true))
    }

    fn over(read: Pool, write: Pool, is_sqlite: bool) -> Self {
        Self { together: Arc::new(Together::new(&read)), read, write, is_sqlite }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable` if it does not.
    pub async fn ping(&self) -> Result<()> {
        self.read.ping().await.map_err(Error::unavailable)
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// The next number of the counter `name`, at least `floor`.
    async fn next_id(transaction: &mut Transaction, name: &str, floor: i64) -> Result<i64> {
        sqlx::query_scalar(
            "insert into counters (name, value) values ($1, $2)
             on conflict (name) do update
             set value = case when counters.value < $2 - 1 then $2 else counters.value + 1 end
             returning value",
        )
        .bind(name)
        .bind(floor)
        .fetch_one(transaction)
        .await
        .map_err(failed)
    }
}

/// One plain connection before there is a pool: a pool tries again and again, and then tells of its own patience
/// instead of the database's trouble.
async fn attempt<T>(timeout: Duration, connect: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(timeout, connect).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// Makes the file, and the folders above it, for this user alone: there are password hashes in it.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// The file behind a SQLite URL; none for a database in memory.
fn sqlite_path(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?.split('?').next()?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && path != ":memory:").then_some(Path::new(path))
}
