//! The commit batcher: everything that is said goes to disk through one task, many messages in one transaction, and
//! between them who enters and leaves rooms.
//!
//! No timer: the task takes what has queued up while the last commit ran. Under light load a message commits
//! alone and at once; under heavy load batches grow, up to a bound.

mod change;
mod extras;
mod seqs;
mod write;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Store;
use super::error::{blames_a_row, failed, is_rivalry};
use super::passages::Passage;
use crate::chat::draft::Draft;
use crate::chat::error::Error;
use crate::chat::message::Message;
use crate::metrics::Metrics;
use seqs::LastSeqs;
use write::write;

/// Times a transaction is run again that the database ended in favour of another one.
const MAX_RIVALRIES: usize = 5;

/// Something to do, and whatever its sender wants to find again with the outcome.
#[derive(Debug)]
pub struct Job<T> {
    pub work: Work,
    pub ticket: T,
}

/// What passes through the batcher: everything that has a place in the order of a conversation.
#[derive(Debug)]
pub enum Work {
    /// A message is stored.
    Append(Draft),
    /// Somebody enters or leaves a room.
    Pass(Passage),
}

/// What became of it.
#[derive(Debug)]
pub enum Outcome {
    /// It is stored.
    Stored(Arc<Message>),
    /// The sender had sent it before, with the same id: this is what was stored then.
    Repeated(Arc<Message>),
    /// Somebody came or went, or, if this is false, had done so before.
    Passed(bool),
    /// It is not stored.
    Failed(Error),
}

/// The outcomes of one commit: of messages in the order of their sequence numbers, or of one passage.
pub type Settled<T> = Vec<(T, Outcome)>;

/// The one task that writes messages, and comings and goings.
pub struct Batcher<T> {
    store: Store,
    queue: mpsc::Receiver<Job<T>>,
    settled: mpsc::Sender<Settled<T>>,
    batch_max: usize,
    sealed: CancellationToken,
    seqs: LastSeqs,
    metrics: Arc<Metrics>,
}

impl<T> Batcher<T> {
    /// A batcher that takes drafts from `queue` and sends what became of them, commit by commit, to `settled`. Once
    /// `sealed` it takes no more.
    pub fn new(
        store: Store,
        queue: mpsc::Receiver<Job<T>>,
        settled: mpsc::Sender<Settled<T>>,
        batch_max: usize,
        sealed: CancellationToken,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { store, queue, settled, batch_max, sealed, seqs: LastSeqs::default(), metrics }
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
            if !self.carry_out(batch.drain(..)).await {
                break;
            }
        }
    }

    /// Messages in a row share a commit; a passage has one of its own between those before and those after it. False
    /// if nobody wants to know of the outcomes any more.
    async fn carry_out(&mut self, jobs: impl Iterator<Item = Job<T>>) -> bool {
        let (mut drafts, mut tickets) = (Vec::new(), Vec::new());
        for Job { work, ticket } in jobs {
            match work {
                Work::Append(draft) => {
                    drafts.push(draft);
                    tickets.push(ticket);
                }
                Work::Pass(passage) => {
                    if !self.append(&mut drafts, &mut tickets).await {
                        return false;
                    }
                    let outcome = self.store.carry_out(passage).await.map_or_else(Outcome::Failed, Outcome::Passed);
                    if self.settled.send(vec![(ticket, outcome)]).await.is_err() {
                        return false;
                    }
                }
            }
        }
        self.append(&mut drafts, &mut tickets).await
    }

    async fn append(&mut self, drafts: &mut Vec<Draft>, tickets: &mut Vec<T>) -> bool {
        if drafts.is_empty() {
            return true;
        }
        let outcomes = self.settle(drafts).await;
        drafts.clear();
        self.settled.send(tickets.drain(..).zip(outcomes).collect()).await.is_ok()
    }

    async fn settle(&mut self, drafts: &[Draft]) -> Vec<Outcome> {
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
    async fn commit(&mut self, drafts: &[Draft]) -> sqlx::Result<Vec<Outcome>> {
        for _ in 0..MAX_RIVALRIES {
            match self.try_commit(drafts).await {
                Ok(Some(outcomes)) => {
                    self.seqs.committed();
                    return Ok(outcomes);
                }
                Err(error) if !is_rivalry(&error) => {
                    self.seqs.forget();
                    return Err(error);
                }
                Ok(None) | Err(_) => self.seqs.forget(),
            }
        }
        Err(sqlx::Error::Protocol("other nodes were always faster".to_owned()))
    }

    async fn try_commit(&mut self, drafts: &[Draft]) -> sqlx::Result<Option<Vec<Outcome>>> {
        let mut transaction = self.store.write.begin().await?;
        let outcomes = write(&mut transaction, drafts, &mut self.seqs).await?;
        match outcomes {
            Some(_) => transaction.commit().await?,
            None => transaction.rollback().await?,
        }
        Ok(outcomes)
    }
}
