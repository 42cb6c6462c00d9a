//! A consistent copy of a SQLite database, also while a server writes to it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection};

use super::is_sqlite;
use crate::config::Config;

/// Copies the database as it is at this moment to a new file, which only this user can read: there are password hashes
/// in it. Uploaded files are not in it.
///
/// # Errors
/// One line for the operator: there is no such database, it is PostgreSQL, or the file is there already or cannot be
/// written. Nothing is left behind then.
pub async fn backup(config: &Config, to: &Path) -> Result<(), String> {
    let url = config.effective_database_url();
    if !is_sqlite(&url) {
        return Err("this copies SQLite databases; PostgreSQL has pg_dump for it".to_owned());
    }
    let name = to.to_str().ok_or("the name of the copy is not UTF-8")?;
    let shown = to.display();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let file = file.map_err(|error| format!("cannot write {shown}: {error}"))?;
    let copied = copy(&url, name, &file).await;
    if copied.is_err()
        && let Err(error) = std::fs::remove_file(to)
    {
        return Err(format!("cannot copy {url}, and {shown} is not complete: {error}"));
    }
    copied.map_err(|error| format!("cannot copy {url} to {shown}: {error}"))
}

async fn copy(url: &str, to: &str, file: &File) -> Result<(), Box<dyn std::error::Error>> {
    install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    sqlx::query("vacuum into $1").bind(to).execute(&mut connection).await?;
    connection.close().await?;
    file.sync_all()?;
    Ok(())
}
