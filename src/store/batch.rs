//! The commit batcher: everything that is said goes to disk through one task, many messages in one transaction, and
//! between them who enters and leaves rooms.
//!
//! No timer: the task takes what has queued up while the last commit ran. Under light load a message commits
//! alone and at once; under heavy load batches grow, up to a bound.

mod change;
mod doubt;
mod extras;
mod seqs;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Store;
use super::error::{blames_a_row, failed, is_rivalry};
use super::passages::Passage;
use crate::chat::draft::Draft;
use crate::chat::error::Error;
use crate::chat::message::Message;
use crate::metrics::Metrics;
use doubt::Doubt;
use seqs::LastSeqs;
use write::write;

/// Times a transaction is run again that the database ended in favour of another one.
const MAX_RIVALRIES: usize = 5;
/// Between two questions about a commit in doubt.
const DOUBT_PAUSE: Duration = Duration::from_secs(1);

/// Something to do, and whatever its sender wants to find again with the outcome.
#[derive(Debug)]
pub struct Job<T> {
    pub work: Work,
    pub ticket: T,
}

/// Whoever sent a job, and waits.
pub trait Waits {
    /// The outcome is not known, and may not be for long: they get this error now. Should the job turn out to be done,
    /// the outcome comes all the same.
    fn give_up(&mut self, error: Error);
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

/// What became of a draft, as far as that is known.
enum Verdict {
    Known(Outcome),
    /// The commit failed, which does not mean that the message is not stored.
    InDoubt(Arc<Message>, Error),
}

/// The one task that writes messages, and comings and goings.
pub struct Batcher<T> {
    store: Store,
    queue: mpsc::Receiver<Job<T>>,
    settled: mpsc::Sender<Settled<T>>,
    batch_max: usize,
    sealed: CancellationToken,
    seqs: LastSeqs,
    doubt: Doubt<T>,
    metrics: Arc<Metrics>,
}

impl<T: Waits> Batcher<T> {
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
        let (seqs, doubt) = (LastSeqs::default(), Doubt::default());
        Self { store, queue, settled, batch_max, sealed, seqs, doubt, metrics }
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
                () = tokio::time::sleep(DOUBT_PAUSE), if !self.doubt.is_none() => {
                    // If it cannot be found out now, the next time comes soon.
                    if let Ok(false) = self.find_out().await {
                        break;
                    }
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
                    let outcome = match self.find_out().await {
                        Ok(true) => self.store.carry_out(passage).await.map_or_else(Outcome::Failed, Outcome::Passed),
                        Ok(false) => return false,
                        Err(error) => Outcome::Failed(failed(error)),
                    };
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
        // What is in doubt was said before.
        let verdicts = match self.find_out().await {
            Ok(true) => self.settle(drafts).await,
            Ok(false) => return false,
            Err(error) => self.all_failed(drafts, error),
        };
        drafts.clear();
        let mut settled = Vec::with_capacity(verdicts.len());
        for (ticket, verdict) in tickets.drain(..).zip(verdicts) {
            match verdict {
                Verdict::Known(outcome) => settled.push((ticket, outcome)),
                Verdict::InDoubt(message, error) => self.doubt.add(ticket, message, error),
            }
        }
        self.settled.send(settled).await.is_ok()
    }

    /// Ends the doubt about an earlier commit. False if nobody wants to know of outcomes any more.
    async fn find_out(&mut self) -> sqlx::Result<bool> {
        let stored = self.doubt.find_out(&self.store).await?;
        if stored.is_empty() {
            return Ok(true);
        }
        info!(messages = stored.len(), "a commit that failed had taken place");
        self.metrics.messages_stored.increment(stored.len() as u64);
        Ok(self.settled.send(stored).await.is_ok())
    }

    async fn settle(&mut self, drafts: &[Draft]) -> Vec<Verdict> {
        let started = Instant::now();
        let result = self.commit(drafts).await;
        self.metrics.commit_seconds.record(started.elapsed());
        match result {
            Ok(verdicts) => {
                let is_stored = |verdict: &&Verdict| matches!(verdict, Verdict::Known(Outcome::Stored(_)));
                self.metrics.commit_batch_size.record(drafts.len() as f64);
                self.metrics.messages_stored.increment(verdicts.iter().filter(is_stored).count() as u64);
                verdicts
            }
            Err(error) if drafts.len() > 1 && blames_a_row(&error) => self.settle_each(drafts).await,
            Err(error) => self.all_failed(drafts, error),
        }
    }

    /// One commit for each, up to one whose end is not known.
    async fn settle_each(&mut self, drafts: &[Draft]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let one = std::slice::from_ref(draft);
            verdicts.extend(match verdicts.last() {
                Some(Verdict::InDoubt(_, error)) => vec![Verdict::Known(Outcome::Failed(error.clone()))],
                _ => Box::pin(self.settle(one)).await,
            });
        }
        verdicts
    }

    fn all_failed(&self, drafts: &[Draft], error: sqlx::Error) -> Vec<Verdict> {
        self.metrics.commit_failures.increment(1);
        let error = failed(error);
        drafts.iter().map(|_| Verdict::Known(Outcome::Failed(error.clone()))).collect()
    }

    /// Writes all drafts in one transaction. Only rivalry is tried again.
    async fn commit(&mut self, drafts: &[Draft]) -> sqlx::Result<Vec<Verdict>> {
        for _ in 0..MAX_RIVALRIES {
            match self.try_commit(drafts).await {
                Ok(Some(verdicts)) => return Ok(verdicts),
                Err(error) if !is_rivalry(&error) => {
                    self.seqs.forget();
                    return Err(error);
                }
                Ok(None) | Err(_) => self.seqs.forget(),
            }
        }
        Err(sqlx::Error::Protocol("other nodes were always faster".to_owned()))
    }

    async fn try_commit(&mut self, drafts: &[Draft]) -> sqlx::Result<Option<Vec<Verdict>>> {
        let mut transaction = self.store.write.begin().await?;
        let Some(outcomes) = write(&mut transaction, drafts, &mut self.seqs).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let error = match transaction.commit().await {
            Ok(()) => {
                self.seqs.committed();
                return Ok(Some(outcomes.into_iter().map(Verdict::Known).collect()));
            }
            Err(error) if is_rivalry(&error) => return Err(error),
            Err(error) => failed(error),
        };
        warn!(cause = error.cause(), messages = outcomes.len(), "a commit failed, and may have taken place");
        self.seqs.forget();
        self.metrics.commit_failures.increment(1);
        let verdict = |outcome| match outcome {
            Outcome::Stored(message) => Verdict::InDoubt(message, error.clone()),
            outcome => Verdict::Known(outcome),
        };
        Ok(Some(outcomes.into_iter().map(verdict).collect()))
    }
}
