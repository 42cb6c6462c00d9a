//! Searching messages by their words: FTS5 in SQLite, a GIN index in PostgreSQL.
//!
//! The words are cut in [`words`](crate::chat::words), so that both engines find the same; they only keep and match
//! them. A message also has a word for its conversation, so that only the searcher's own ones are looked through.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, Database, Sqlite};

use super::Store;
use super::error::failed;
use super::history::{PageSize, take};
use super::messages::{COLUMNS, EXTRAS, read_message};
use super::pool::Transaction;
use super::rows::{Marker, Template, runs};
use crate::chat::error::Result;
use crate::chat::html;
use crate::chat::ids::{ConversationId, MessageId, UserId};
use crate::chat::message::{Kind, Message};
use crate::chat::words::{Term, words};

/// With more conversations than this a search looks through all messages, and leaves out those of others afterwards.
const CONVERSATIONS_MAX: usize = 2000;

/// Cannot be in a word.
const CONVERSATION_MARK: char = '\u{e000}';

static INSERT_SQLITE: Template =
    Template::new(2, |values| format!("insert into message_terms (rowid, terms) values {values}"));
static INSERT_POSTGRES: Template = Template::new(2, |values| {
    format!(
        "insert into message_terms (message_id, terms)
         select column1, array_to_tsvector(string_to_array(column2, ' ')) from (values {values}) as v"
    )
});

impl Store {
    /// Messages that `user` may see and that have all the terms, the newest first.
    pub async fn search(
        &self,
        user: UserId,
        terms: &[Term],
        only: Option<ConversationId>,
        before: Option<MessageId>,
        size: PageSize,
    ) -> Result<Vec<Message>> {
        let conversations = match only {
            Some(conversation) => vec![conversation],
            None => self.conversations_of(user).await?,
        };
        if conversations.is_empty() {
            return Ok(Vec::new());
        }
        let restriction: &[_] = if conversations.len() > CONVERSATIONS_MAX { &[] } else { &conversations };
        let (table, condition) = if self.is_sqlite {
            ("message_terms t join messages m on m.id = t.rowid", "message_terms match $1 and t.rowid < $2")
        } else {
            ("message_terms t join messages m on m.id = t.message_id", "t.terms @@ cast($1 as tsquery) and m.id < $2")
        };
        let text = format!(
            "select {COLUMNS} from {table} {EXTRAS}
             where {condition} and m.kind <> 'recalled'
               and exists (
                 select 1 from stays s where s.user_id = $3 and s.conversation_id = m.conversation_id
                   and m.seq > s.since_seq and (s.until_seq is null or m.seq <= s.until_seq))
               and not exists (
                 select 1 from rooms r where r.conversation_id = m.conversation_id and r.deleted_ms is not null)
             order by m.id desc limit {}",
            size.messages
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(self.question(terms, restriction))
            .bind(before.map_or(i64::MAX, |id| id.0))
            .bind(user.0)
            .fetch(&self.read);
        take(rows, size).await
    }

    async fn conversations_of(&self, user: UserId) -> Result<Vec<ConversationId>> {
        let ids: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select distinct conversation_id from stays where user_id = $1 limit {}",
            CONVERSATIONS_MAX + 1
        )))
        .bind(user.0)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        Ok(ids.into_iter().map(ConversationId).collect())
    }

    /// The terms in the engine's language.
    fn question(&self, terms: &[Term], conversations: &[ConversationId]) -> String {
        let (and, or, quote, beginning) =
            if self.is_sqlite { (" AND ", " OR ", '"', "*") } else { (" & ", " | ", '\'', ":*") };
        let mut text = String::new();
        for (place, conversation) in conversations.iter().enumerate() {
            text.push_str(if place == 0 { "(" } else { or });
            write!(text, "{quote}{CONVERSATION_MARK}{conversation}{quote}").expect("writing to a string does not fail");
        }
        if !conversations.is_empty() {
            text.push(')');
        }
        for term in terms {
            text.push_str(if text.is_empty() { "" } else { and });
            // Words are letters and digits only, so nothing in them needs an escape.
            write!(text, "{quote}{}{quote}", term.word).expect("writing to a string does not fail");
            text.push_str(if term.is_beginning { beginning } else { "" });
        }
        text
    }

    /// Makes the next messages, at most `limit`, ready to be found. Returns how many they were.
    pub async fn index_messages(&self, limit: usize) -> Result<usize> {
        let done: Option<i64> = sqlx::query_scalar("select value from counters where name = 'indexed'")
            .fetch_optional(&self.read)
            .await
            .map_err(failed)?;
        let done = done.unwrap_or(0);
        let text = format!("select {COLUMNS} from messages m {EXTRAS} where m.id > $1 order by m.id limit {limit}");
        let rows = sqlx::query(AssertSqlSafe(text)).bind(done).fetch_all(&self.read).await.map_err(failed)?;
        let messages = rows.iter().map(read_message).collect::<Result<Vec<_>>>()?;
        let Some(last) = messages.last() else {
            return Ok(0);
        };
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let claimed = sqlx::query(
            "insert into counters (name, value) values ('indexed', $2)
             on conflict (name) do update set value = excluded.value where counters.value = $1",
        )
        .bind(done)
        .bind(last.id.0)
        .execute(&mut transaction)
        .await
        .map_err(failed)?;
        if claimed.rows_affected() == 0 {
            // Another node is at it.
            return Ok(0);
        }
        let mut entries = Vec::new();
        for message in &messages {
            if !message.kind.is_change() {
                entries.extend(Entry::of(message));
                continue;
            }
            // What it changes may be among them.
            insert(&mut transaction, &mut entries).await?;
            if let Some(target) = target(&mut transaction, message).await? {
                remove(&mut transaction, target.id).await?;
                entries.extend(Entry::of(&target));
            }
        }
        insert(&mut transaction, &mut entries).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(messages.len())
    }
}

/// A message's words, as they are kept.
struct Entry {
    id: MessageId,
    terms: String,
}

impl Entry {
    /// None if there is nothing to be found.
    fn of(message: &Message) -> Option<Self> {
        if message.kind == Kind::Recalled {
            return None;
        }
        let mut terms = words(&searchable(message));
        if terms.is_empty() {
            return None;
        }
        terms.push(format!("{CONVERSATION_MARK}{}", message.conversation));
        Some(Self { id: message.id, terms: terms.join(" ") })
    }
}

/// The message that is changed by this one.
async fn target(connection: &mut Transaction, change: &Message) -> Result<Option<Message>> {
    let Some(target) = change.extras.as_ref().and_then(|extras| extras.about) else {
        return Ok(None);
    };
    let text =
        format!("select {COLUMNS} from numbered_messages m {EXTRAS} where m.conversation_id = $1 and m.seq = $2");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(change.conversation.0)
        .bind(target.0)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    row.as_ref().map(read_message).transpose()
}

/// Takes the entries in.
async fn insert(connection: &mut Transaction, entries: &mut Vec<Entry>) -> Result<()> {
    let marker = Marker::of(connection);
    let template = if connection.backend_name() == Sqlite::NAME { &INSERT_SQLITE } else { &INSERT_POSTGRES };
    for run in runs(entries, marker.longest(2)) {
        let text = AssertSqlSafe(template.text(marker, run.len()));
        let query = run.iter().fold(sqlx::query(text), |query, entry| query.bind(entry.id.0).bind(&*entry.terms));
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    entries.clear();
    Ok(())
}

async fn remove(connection: &mut Transaction, id: MessageId) -> Result<()> {
    let text = if connection.backend_name() == Sqlite::NAME {
        "delete from message_terms where rowid = $1"
    } else {
        "delete from message_terms where message_id = $1"
    };
    sqlx::query(text).bind(id.0).execute(connection).await.map_err(failed)?;
    Ok(())
}

/// What people would look for.
fn searchable(message: &Message) -> String {
    let mut text = html::plain(message);
    if let Some(extras) = &message.extras {
        for name in extras.file.iter().map(|file| &file.name).chain(extras.card.iter().map(|card| &card.name)) {
            text.push(' ');
            text.push_str(name);
        }
    }
    text
}
