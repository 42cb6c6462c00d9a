//! What is written into nodeim's SQLite database past the server, while it is not running, because saying it all would
//! take minutes: messages by the million.

use std::path::Path;

use anyhow::{Context, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

use crate::payload::TEXT_BYTES;

/// Says that the search index has all messages, though it may not: making it takes the server minutes, in which it
/// disturbs what is measured.
pub(crate) async fn mark_indexed(data_dir: &Path) -> Result<()> {
    let mut database = open(data_dir).await?;
    sqlx::query(
        "insert into counters (name, value) select 'indexed', max(id) from messages where true
         on conflict (name) do update set value = excluded.value",
    )
    .execute(&mut database)
    .await?;
    close(database).await
}

/// Makes the conversation of users `one` and `other`, which must be there, `count` messages long, as if they had talked
/// in turns and read everything. The text of message n carries the stamp with number n, counted from 0.
pub(crate) async fn fill_conversation(data_dir: &Path, one: u64, other: u64, count: u32) -> Result<()> {
    let (one, other) = (i64::try_from(one)?, i64::try_from(other)?);
    let mut database = open(data_dir).await?;
    let conversation: i64 =
        sqlx::query_scalar("select id from conversations where low_id = min($1, $2) and high_id = max($1, $2)")
            .bind(one)
            .bind(other)
            .fetch_optional(&mut database)
            .await?
            .context("there is no such conversation")?;
    let mut transaction = database.begin().await?;
    sqlx::query("delete from messages where conversation_id = $1")
        .bind(conversation)
        .execute(&mut *transaction)
        .await?;
    // The stamp of `payload.rs`: sender, number, time, and filler up to its length.
    let filler = "x".repeat(TEXT_BYTES - 25);
    sqlx::query(
        "with recursive
           numbers (n) as (values (0) union all select n + 1 from numbers where n < $4 - 1),
           base (id) as (select coalesce(max(id), 0) from messages)
         insert into messages (id, conversation_id, seq, sender_id, recipient_id, kind, format, body, claimed_ms,
                               stored_ms, client_id)
         select base.id + n + 1, $1, n + 1, iif(n % 2 = 0, $2, $3), iif(n % 2 = 0, $3, $2), 'text', 'html',
                printf('~%04d%08d%012d%s', 0, n, 0, $5), 1600000000000 + n * 60000, 1600000000000 + n * 60000, null
         from numbers, base",
    )
    .bind(conversation)
    .bind(one)
    .bind(other)
    .bind(count)
    .bind(filler)
    .execute(&mut *transaction)
    .await?;
    for (text, value) in [
        ("update conversations set last_seq = $2 where id = $1", i64::from(count)),
        ("update stays set delivered_seq = $2, read_seq = $2 where conversation_id = $1", i64::from(count)),
    ] {
        sqlx::query(text).bind(conversation).bind(value).execute(&mut *transaction).await?;
    }
    sqlx::query(
        "insert into counters (name, value) select 'message', max(id) from messages where true
         on conflict (name) do update set value = excluded.value",
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    close(database).await?;
    mark_indexed(data_dir).await
}

async fn open(data_dir: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(data_dir.join("nodeim.sqlite"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    SqliteConnection::connect_with(&options).await.context("cannot open the server's database")
}

/// Leaves no write-ahead log behind, which the server would find at its start.
async fn close(mut database: SqliteConnection) -> Result<()> {
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut database).await?;
    database.close().await?;
    Ok(())
}
