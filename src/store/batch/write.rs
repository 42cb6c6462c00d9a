//! One commit's statements: repeats, changes, numbers, messages.
//!
//! None of them returns a row per message: with SQLite each row would be handed from thread to thread.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use super::Outcome;
use super::change::carry_out;
use super::extras;
use super::seqs::LastSeqs;
use crate::chat::draft::Draft;
use crate::chat::error::{Error, Reason};
use crate::chat::ids::{ConversationId, MessageId, Seq, UserId};
use crate::chat::message::Message;
use crate::store::messages::{COLUMNS, EXTRAS, read_message};
use crate::store::pool::Transaction;
use crate::store::rows::{Marker, Template, placeholders, runs};

const COLUMNS_OF_MESSAGE: usize = 11;

static INSERT: Template = Template::new(COLUMNS_OF_MESSAGE, |values| {
    format!(
        "insert into messages (id, conversation_id, seq, sender_id, recipient_id, kind, format, body, claimed_ms,
                               stored_ms, client_id)
         values {values}"
    )
});

/// Writes the drafts and returns what became of them, or `None` if another node was faster in one of the
/// conversations and everything must be done anew.
pub(super) async fn write(
    connection: &mut Transaction,
    drafts: &[Draft],
    seqs: &mut LastSeqs,
) -> sqlx::Result<Option<Vec<Outcome>>> {
    let stored_ms = crate::clock::now_ms();
    let mut outcomes = Vec::with_capacity(drafts.len());
    let mut known = find_repeats(connection, drafts).await?;
    // Drafts with an id of the sender's choice that this batch itself holds twice.
    let mut twins = Vec::new();
    for (place, draft) in drafts.iter().enumerate() {
        let key = repeat_key(draft);
        if let Some(earlier) = key.as_ref().and_then(|key| known.get(key)) {
            match earlier {
                Known::Stored(message) => outcomes.push(Some(Outcome::Repeated(Arc::clone(message)))),
                Known::Place(first) => {
                    twins.push((place, *first));
                    outcomes.push(None);
                }
            }
            continue;
        }
        match carry_out(connection, draft, stored_ms).await? {
            Ok(()) => {
                outcomes.push(None);
                if let Some(key) = key {
                    known.insert(key, Known::Place(place));
                }
            }
            Err(error) => outcomes.push(Some(Outcome::Failed(error))),
        }
    }
    let is_twin = |place: usize| twins.iter().any(|(twin, _)| *twin == place);
    let fresh: Vec<usize> = (0..drafts.len()).filter(|&place| outcomes[place].is_none() && !is_twin(place)).collect();

    let Some(mut next) = seqs.reserve(connection, fresh.iter().map(|&place| drafts[place].conversation)).await? else {
        return Ok(None);
    };
    let mut rows = Vec::with_capacity(fresh.len());
    for place in fresh {
        let draft = &drafts[place];
        let Some(seq) = next.get_mut(&draft.conversation) else {
            outcomes[place] = Some(Outcome::Failed(Error::NotFound(Reason::NoSuchRoom)));
            continue;
        };
        rows.push((place, Seq(*seq)));
        *seq += 1;
    }
    let messages = number(connection, drafts, &rows, stored_ms).await?;
    insert(connection, &messages).await?;
    extras::insert(connection, drafts, &messages).await?;
    for (place, message) in messages {
        outcomes[place] = Some(Outcome::Stored(message));
    }

    for (twin, first) in twins {
        outcomes[twin] = Some(match &outcomes[first] {
            Some(Outcome::Stored(message)) => Outcome::Repeated(Arc::clone(message)),
            _ => Outcome::Failed(Error::unavailable("its twin in the same batch was not stored")),
        });
    }
    let passed_over = || Outcome::Failed(Error::internal("a draft was passed over"));
    Ok(Some(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(passed_over)).collect()))
}

enum Known {
    /// Stored by an earlier commit.
    Stored(Arc<Message>),
    /// The draft at this place of the same batch.
    Place(usize),
}

/// A message as its sender named it. Each conversation has names of its own.
type RepeatKey = (ConversationId, UserId, Arc<str>);

fn repeat_key(draft: &Draft) -> Option<RepeatKey> {
    Some((draft.conversation, draft.sender, Arc::clone(draft.client_id.as_ref()?)))
}

/// What earlier commits stored under the ids that senders chose for these drafts.
async fn find_repeats(connection: &mut Transaction, drafts: &[Draft]) -> sqlx::Result<HashMap<RepeatKey, Known>> {
    let keys: Vec<_> = drafts.iter().filter_map(repeat_key).collect();
    let mut known = HashMap::new();
    for run in runs(&keys, Marker::Dollar.longest(3)) {
        let text = format!(
            "select {COLUMNS} from (values {}) as v
             join messages m
               on m.conversation_id = v.column1 and m.sender_id = v.column2 and m.client_id = v.column3
             {EXTRAS}",
            placeholders(run.len(), 3)
        );
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, (conversation, sender, id)| {
            query.bind(conversation.0).bind(sender.0).bind(&**id)
        });
        for row in &query.fetch_all(&mut *connection).await? {
            let message = read_message(row).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            if let Some(id) = &message.client_id {
                let key = (message.conversation, message.sender, Arc::clone(id));
                known.insert(key, Known::Stored(Arc::new(message)));
            }
        }
    }
    Ok(known)
}

/// Gives the drafts at `rows` their ids. Ids grow in the order of commits, over all nodes.
async fn number(
    connection: &mut Transaction,
    drafts: &[Draft],
    rows: &[(usize, Seq)],
    stored_ms: i64,
) -> sqlx::Result<Vec<(usize, Arc<Message>)>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let count = i64::try_from(rows.len()).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let last: i64 = sqlx::query_scalar(
        "insert into counters (name, value) values ('message', $1)
         on conflict (name) do update set value = counters.value + $1 returning value",
    )
    .bind(count)
    .fetch_one(connection)
    .await?;
    let message = |(id, (place, seq)): (i64, &(usize, Seq))| {
        let draft = &drafts[*place];
        let message = Message {
            id: MessageId(id),
            conversation: draft.conversation,
            seq: *seq,
            sender: draft.sender,
            recipient: draft.recipient,
            kind: draft.kind,
            format: draft.format,
            body: Arc::clone(&draft.body),
            claimed_ms: draft.claimed_ms,
            stored_ms,
            client_id: draft.client_id.clone(),
            extras: draft.extras.clone(),
        };
        (*place, Arc::new(message))
    };
    Ok((last - count + 1..).zip(rows).map(message).collect())
}

async fn insert(connection: &mut Transaction, messages: &[(usize, Arc<Message>)]) -> sqlx::Result<()> {
    let marker = Marker::of(connection);
    for run in runs(messages, marker.longest(COLUMNS_OF_MESSAGE)) {
        let text = AssertSqlSafe(INSERT.text(marker, run.len()));
        let query = run.iter().fold(sqlx::query(text), |query, (_, message)| {
            query
                .bind(message.id.0)
                .bind(message.conversation.0)
                .bind(message.seq.0)
                .bind(message.sender.0)
                .bind(message.recipient.map(|id| id.0))
                .bind(message.kind.as_str())
                .bind(message.format.as_str())
                .bind(&*message.body)
                .bind(message.claimed_ms)
                .bind(message.stored_ms)
                .bind(message.client_id.as_deref())
        });
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
