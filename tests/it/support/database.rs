//! A database for one test: SQLite in a folder of its own, or a schema of its own in PostgreSQL.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nodeim::config::Config;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;

/// Removed, with all that is in it, when the test ends.
pub(crate) struct Database {
    dir: TempDir,
    schema: Option<Schema>,
}

struct Schema {
    server: String,
    name: String,
}

impl Database {
    /// On the engine that this run of the tests is about.
    pub(crate) async fn new() -> Self {
        let mut database = Self::sqlite();
        if let Ok(server) = std::env::var("NODEIM_TEST_DATABASE_URL") {
            database.schema = Some(Schema::create(server).await);
        }
        database
    }

    /// SQLite in any case.
    pub(crate) fn sqlite() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), schema: None }
    }

    /// Where the server keeps its files.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What `database_url` is set to; empty for SQLite in the data directory.
    pub(crate) fn url(&self) -> String {
        self.schema.as_ref().map(Schema::url).unwrap_or_default()
    }

    /// Carries out a statement behind the server's back.
    pub(crate) async fn execute(&self, statement: &str) {
        execute(&self.effective_url(), statement).await.unwrap();
    }

    /// The number that a query finds.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.effective_url()).await.unwrap();
        let number = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    /// The steps in which SQLite would carry out a statement.
    pub(crate) async fn plan(&self, statement: &str) -> Vec<String> {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.effective_url()).await.unwrap();
        let explain = AssertSqlSafe(format!("explain query plan {statement}"));
        let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| row.get("detail")).collect()
    }

    fn effective_url(&self) -> String {
        let config = Config { data_dir: self.data_dir(), database_url: self.url(), ..Config::defaults() };
        config.effective_database_url()
    }
}

impl Schema {
    async fn create(server: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("nodeim_it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&server, &format!("drop schema if exists {name} cascade; create schema {name}")).await.unwrap();
        Self { server, name }
    }

    fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{}", self.server, self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let statement = format!("set lock_timeout = '1s'; drop schema {} cascade", self.name);
        let server = self.server.clone();
        // A runtime of its own: the test's is in use, and perhaps about to panic.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(execute(&server, &statement))
        });
        if !matches!(removal.join(), Ok(Ok(()))) {
            eprintln!("the schema {} stays behind", self.name);
        }
    }
}

async fn execute(url: &str, statement: &str) -> sqlx::Result<()> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    connection.execute(AssertSqlSafe(statement.to_owned())).await?;
    connection.close().await
}
