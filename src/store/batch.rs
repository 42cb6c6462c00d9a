//! The commit batcher: everything that is said goes to disk through one task, many messages in one transaction.
//!
//! No timer: the task takes what has queued up while the last commit ran. Under light load a message commits
//! alone and at once; under heavy load batches grow, up to a bound.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use sqlx::{AnyConnection, AssertSqlSafe, Row};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Store;
use super::error::{blames_a_row, failed, is_rivalry};
use super::messages::{COLUMNS, read_message};
use super::rows::{placeholders, runs};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::ids::{ConversationId, MessageId, Seq, UserId};
use crate::chat::message::{Draft, FriendshipChange, Message};
use crate::metrics::Metrics;

/// Times a transaction is run again that the database ended in favour of another one.
const MAX_RIVALRIES: usize = 5;

/// A draft, and whatever its sender wants to find again with the outcome.
#[derive(Debug)]
pub struct Append<T> {
    pub draft: Draft,
    pub ticket: T,
}

/// What became of a draft.
#[derive(Debug)]
pub enum Outcome {
    /// It is stored.
    Stored(Arc<Message>),
    /// The sender had sent it before, with the same id: this is what was stored then.
    Repeated(Arc<Message>),
    /// It is not stored.
    Failed(Error),
}

/// The outcomes of one commit, in the order of the messages' sequence numbers.
pub type Settled<T> = Vec<(T, Outcome)>;

/// The one task that writes messages.
pub struct Batcher<T> {
    store: Store,
    queue: mpsc::Receiver<Append<T>>,
    settled: mpsc::Sender<Settled<T>>,
    batch_max: usize,
    sealed: CancellationToken,
    metrics: Arc<Metrics>,
}

impl<T> Batcher<T> {
    /// A batcher that takes drafts from `queue` and sends what became of them, commit by commit, to `settled`. Once
    /// `sealed` it takes no more.
    pub fn new(
        store: Store,
        queue: mpsc::Receiver<Append<T>>,
        settled: mpsc::Sender<Settled<T>>,
        batch_max: usize,
        sealed: CancellationToken,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { store, queue, settled, batch_max, sealed, metrics }
    }

    /// Runs until it is sealed and the queue is empty.
    pub async fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            let taken = tokio::select! {
                biased;
                taken = self.queue.recv_many(&mut batch, self.batch_max) => taken,
                () = self.sealed.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
            };
            if taken == 0 {
                break;
            }
            let (drafts, tickets): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|append| (append.draft, append.ticket)).unzip();
            let outcomes = self.settle(&drafts).await;
            if self.settled.send(tickets.into_iter().zip(outcomes).collect()).await.is_err() {
                break;
            }
        }
    }

    async fn settle(&self, drafts: &[Draft]) -> Vec<Outcome> {
        let started = Instant::now();
        let result = self.commit(drafts).await;
        self.metrics.commit_seconds.record(started.elapsed());
        match result {
            Ok(outcomes) => {
                let stored = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored(_))).count();
                self.metrics.commit_batch_size.record(drafts.len() as f64);
                self.metrics.messages_stored.increment(stored as u64);
                outcomes
            }
            Err(error) if drafts.len() > 1 && blames_a_row(&error) => {
                let mut outcomes = Vec::with_capacity(drafts.len());
                for draft in drafts {
                    outcomes.extend(Box::pin(self.settle(std::slice::from_ref(draft))).await);
                }
                outcomes
            }
            Err(error) => {
                self.metrics.commit_failures.increment(1);
                let error = failed(error);
                drafts.iter().map(|_| Outcome::Failed(error.clone())).collect()
            }
        }
    }

    /// Writes all drafts in one transaction. Only rivalry is tried again: after any other failure it is not known
    /// whether the commit took place.
    async fn commit(&self, drafts: &[Draft]) -> sqlx::Result<Vec<Outcome>> {
        let mut rivalries = 0;
        loop {
            let mut transaction = self.store.write.begin().await?;
            let written = write(&mut transaction, drafts).await;
            let result = match written {
                Ok(outcomes) => transaction.commit().await.map(|()| outcomes),
                Err(error) => Err(error),
            };
            match result {
                Err(error) if is_rivalry(&error) && rivalries < MAX_RIVALRIES => rivalries += 1,
                result => return result,
            }
        }
    }
}

async fn write(connection: &mut AnyConnection, drafts: &[Draft]) -> sqlx::Result<Vec<Outcome>> {
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
        match change_friendship(connection, draft, stored_ms).await? {
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

    let mut next_seq = reserve_seqs(connection, fresh.iter().map(|&place| drafts[place].conversation)).await?;
    let mut rows = Vec::with_capacity(fresh.len());
    for place in fresh {
        let draft = &drafts[place];
        let Some(seq) = next_seq.get_mut(&draft.conversation) else {
            outcomes[place] = Some(Outcome::Failed(Error::NotFound(Reason::NoSuchRoom)));
            continue;
        };
        rows.push((place, Seq(*seq)));
        *seq += 1;
    }
    insert(connection, drafts, &rows, stored_ms, &mut outcomes).await?;

    for (twin, first) in twins {
        outcomes[twin] = Some(match &outcomes[first] {
            Some(Outcome::Stored(message)) => Outcome::Repeated(Arc::clone(message)),
            _ => Outcome::Failed(Error::unavailable("its twin in the same batch was not stored")),
        });
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Outcome::Failed(Error::internal("a draft was passed over"))))
        .collect())
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
async fn find_repeats(connection: &mut AnyConnection, drafts: &[Draft]) -> sqlx::Result<HashMap<RepeatKey, Known>> {
    let keys: Vec<_> = drafts.iter().filter_map(repeat_key).collect();
    let mut known = HashMap::new();
    for run in runs(&keys, 3) {
        let text = format!(
            "select {COLUMNS}, m.client_id from (values {}) as v
             join messages m
               on m.conversation_id = v.column1 and m.sender_id = v.column2 and m.client_id = v.column3",
            placeholders(run.len(), 3)
        );
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, (conversation, sender, id)| {
            query.bind(conversation.0).bind(sender.0).bind(&**id)
        });
        for row in &query.fetch_all(&mut *connection).await? {
            let message = read_message(row).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            let id: &str = row.try_get(10)?;
            known.insert((message.conversation, message.sender, Arc::from(id)), Known::Stored(Arc::new(message)));
        }
    }
    Ok(known)
}

/// Makes the change of a friendship that goes with a draft; the inner error means that the draft must not be stored.
async fn change_friendship(connection: &mut AnyConnection, draft: &Draft, now_ms: i64) -> sqlx::Result<Result<()>> {
    let (Some(change), Some(recipient)) = (draft.change, draft.recipient) else {
        return Ok(Ok(()));
    };
    let (me, other) = (draft.sender.0, recipient.0);
    let (query, refusal) = match change {
        FriendshipChange::Ask => (
            sqlx::query(
                "insert into friendships (owner_id, friend_id, accepted, created_ms) values ($1, $2, 0, $3)
                 on conflict do nothing",
            )
            .bind(me)
            .bind(other)
            .bind(now_ms),
            Error::Conflict(Reason::AlreadyRequested),
        ),
        FriendshipChange::Agree => (
            sqlx::query("update friendships set accepted = 1 where owner_id = $1 and friend_id = $2 and accepted = 0")
                .bind(other)
                .bind(me),
            Error::NotFound(Reason::NoRequest),
        ),
        FriendshipChange::Refuse => (
            sqlx::query("delete from friendships where owner_id = $1 and friend_id = $2 and accepted = 0")
                .bind(other)
                .bind(me),
            Error::NotFound(Reason::NoRequest),
        ),
    };
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(Err(refusal));
    }
    if change == FriendshipChange::Agree {
        sqlx::query(
            "insert into friendships (owner_id, friend_id, accepted, created_ms) values ($1, $2, 1, $3)
             on conflict (owner_id, friend_id) do update set accepted = 1",
        )
        .bind(me)
        .bind(other)
        .bind(now_ms)
        .execute(connection)
        .await?;
    }
    Ok(Ok(()))
}

/// Moves each conversation's last number on by the messages that it gets. Returns the first free number of each;
/// a conversation that does not exist is missing.
async fn reserve_seqs(
    connection: &mut AnyConnection,
    conversations: impl Iterator<Item = ConversationId>,
) -> sqlx::Result<HashMap<ConversationId, i64>> {
    let mut counts = BTreeMap::new();
    for conversation in conversations {
        *counts.entry(conversation).or_insert(0_i64) += 1;
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let mut first = HashMap::with_capacity(counts.len());
    for run in runs(&counts, 2) {
        let text = format!(
            "update conversations set last_seq = last_seq + v.column2 from (values {}) as v
             where conversations.id = v.column1
             returning id, last_seq",
            placeholders(run.len(), 2)
        );
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, (conversation, count)| {
            query.bind(conversation.0).bind(*count)
        });
        let counts: HashMap<_, _> = run.iter().copied().collect();
        for row in &query.fetch_all(&mut *connection).await? {
            let conversation = ConversationId(row.try_get(0)?);
            let last: i64 = row.try_get(1)?;
            first.insert(conversation, last - counts.get(&conversation).copied().unwrap_or_default() + 1);
        }
    }
    Ok(first)
}

/// Inserts the drafts at `rows` with the numbers given there, and notes what was stored.
async fn insert(
    connection: &mut AnyConnection,
    drafts: &[Draft],
    rows: &[(usize, Seq)],
    stored_ms: i64,
    outcomes: &mut [Option<Outcome>],
) -> sqlx::Result<()> {
    for run in runs(rows, 10) {
        let text = format!(
            "insert into messages (conversation_id, seq, sender_id, recipient_id, kind, format, body, claimed_ms,
                                   stored_ms, client_id)
             values {} returning id, conversation_id, seq",
            placeholders(run.len(), 10)
        );
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, (place, seq)| {
            let draft = &drafts[*place];
            query
                .bind(draft.conversation.0)
                .bind(seq.0)
                .bind(draft.sender.0)
                .bind(draft.recipient.map(|id| id.0))
                .bind(draft.kind.as_str())
                .bind(draft.format.as_str())
                .bind(&*draft.body)
                .bind(draft.claimed_ms)
                .bind(stored_ms)
                .bind(draft.client_id.as_deref())
        });
        // No order is promised for returned rows, so they are found by their place in the conversation.
        let mut ids = HashMap::with_capacity(run.len());
        for row in &query.fetch_all(&mut *connection).await? {
            let key: (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
            ids.insert(key, MessageId(row.try_get(0)?));
        }
        for (place, seq) in run {
            let draft = &drafts[*place];
            let Some(id) = ids.get(&(draft.conversation.0, seq.0)) else {
                return Err(sqlx::Error::RowNotFound);
            };
            outcomes[*place] = Some(Outcome::Stored(Arc::new(Message {
                id: *id,
                conversation: draft.conversation,
                seq: *seq,
                sender: draft.sender,
                recipient: draft.recipient,
                kind: draft.kind,
                format: draft.format,
                body: Arc::clone(&draft.body),
                claimed_ms: draft.claimed_ms,
                stored_ms,
            })));
        }
    }
    Ok(())
}
