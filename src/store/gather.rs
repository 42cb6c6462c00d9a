//! Questions that many ask at the same moment, as after a restart, when everybody comes back: they are asked together.
//!
//! No timer: what comes while one query runs shares the next one. Under light load each question is asked alone and at
//! once.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use tokio::sync::{mpsc, oneshot};

use super::error::failed;
use super::pool::Pool;
use super::rows::{Marker, placeholders, runs};
use crate::chat::error::{Error, Result};

/// Questions of one query.
const MAX_TOGETHER: usize = 64;
/// Questions that wait in line; further ones wait outside.
const MAX_WAITING: usize = 1024;

/// Where questions of one kind are asked.
#[derive(Debug)]
pub(super) struct Gather<Q, A> {
    queue: mpsc::Sender<(Q, oneshot::Sender<Result<A>>)>,
    /// How long somebody waits for an answer.
    patience: Duration,
}

impl<Q: Send + Sync + 'static, A: Send + 'static> Gather<Q, A> {
    /// Begins a task that has questions answered by `answer`, which gives one answer for each, in their order. The task
    /// ends with this handle.
    pub(super) fn new<F>(patience: Duration, answer: impl Fn(Vec<Q>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<A>>> + Send,
    {
        let (sender, mut queue) = mpsc::channel::<(Q, oneshot::Sender<Result<A>>)>(MAX_WAITING);
        #[expect(
            clippy::disallowed_methods,
            reason = "it only reads, so shutdown need not wait; it ends with its handle"
        )]
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while queue.recv_many(&mut waiting, MAX_TOGETHER).await > 0 {
                // Who has gone does not want to know any more.
                waiting.retain(|(_, asker)| !asker.is_closed());
                let (questions, askers): (Vec<Q>, Vec<oneshot::Sender<Result<A>>>) = waiting.drain(..).unzip();
                let answers = match answer(questions).await {
                    Ok(answers) => answers.into_iter().map(Ok).collect::<Vec<_>>(),
                    Err(error) => askers.iter().map(|_| Err(error.clone())).collect(),
                };
                for (asker, answer) in askers.into_iter().zip(answers) {
                    drop(asker.send(answer));
                }
            }
        });
        Self { queue: sender, patience }
    }

    /// # Errors
    /// Those of the query, for all who share it; `Unavailable` if there is no answer in time.
    pub(super) async fn ask(&self, question: Q) -> Result<A> {
        let answer = async {
            let (asker, answer) = oneshot::channel();
            self.queue.send((question, asker)).await.map_err(Error::unavailable)?;
            answer.await.map_err(Error::unavailable)?
        };
        tokio::time::timeout(self.patience, answer).await.map_err(Error::unavailable)?
    }
}

/// What a query finds for each of `ids`, in their order. `text` makes the query of a list of placeholders; the first
/// column of its rows says for which id they are.
pub(super) async fn rows_of<T: Clone>(
    pool: &Pool,
    ids: &[i64],
    text: impl Fn(&str) -> String,
    read: impl Fn(&AnyRow) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut found = HashMap::new();
    for run in runs(ids, Marker::Dollar.longest(1)) {
        let text = text(&placeholders(1, run.len()));
        let query = run.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, id| query.bind(*id));
        for row in &query.fetch_all(pool).await.map_err(failed)? {
            let id: i64 = row.try_get(0).map_err(failed)?;
            found.entry(id).or_insert_with(Vec::new).push(read(row)?);
        }
    }
    // The same id may be there twice.
    Ok(ids.iter().map(|id| found.get(id).cloned().unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// The questions of each query so far.
    type Queries = Arc<Mutex<Vec<Vec<i64>>>>;

    /// Answers with the double; each query waits for a permit of the gate, and is noted.
    fn doubling(gate: &Arc<Semaphore>, patience: Duration) -> (Arc<Gather<i64, i64>>, Queries) {
        let queries = Queries::default();
        let (gate, noted) = (Arc::clone(gate), Arc::clone(&queries));
        let gather = Gather::new(patience, move |questions: Vec<i64>| {
            let gate = Arc::clone(&gate);
            noted.lock().push(questions.clone());
            async move {
                gate.acquire().await.map_err(Error::internal)?.forget();
                if questions.contains(&-1) {
                    return Err(Error::unavailable("the database is away"));
                }
                Ok(questions.iter().map(|question| question * 2).collect())
            }
        });
        (Arc::new(gather), queries)
    }

    #[tokio::test]
    async fn what_comes_while_a_query_runs_shares_the_next_one() {
        let gate = Arc::new(Semaphore::new(0));
        let (gather, queries) = doubling(&gate, PATIENCE);
        let mut asked = JoinSet::new();
        for n in 0..100 {
            let gather = Arc::clone(&gather);
            asked.spawn(async move { (n, gather.ask(n).await) });
        }
        // The first ones are on their way, the others wait.
        while queries.lock().is_empty() || gather.queue.capacity() > MAX_WAITING - 100 + queries.lock()[0].len() {
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
        for (n, answer) in asked.join_all().await {
            assert_eq!(answer.unwrap(), n * 2);
        }
        let queries: Vec<_> = queries.lock().iter().map(Vec::len).collect();
        assert_eq!(queries.iter().sum::<usize>(), 100);
        assert!(queries.len() <= 3 && queries.iter().all(|length| *length <= MAX_TOGETHER), "{queries:?}");
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_who_share_it_and_to_nobody_else() {
        let gate = Arc::new(Semaphore::new(100));
        let (gather, _) = doubling(&gate, PATIENCE);
        let (bad, other) = tokio::join!(gather.ask(-1), gather.ask(1));
        assert!(matches!(bad, Err(Error::Unavailable(_))));
        assert!(matches!(other, Err(Error::Unavailable(_)) | Ok(2)));
        assert_eq!(gather.ask(2).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_and_who_has_gone_is_not_asked_for() {
        let gate = Arc::new(Semaphore::new(0));
        let (gather, queries) = doubling(&gate, Duration::from_millis(20));
        let mut first = JoinSet::new();
        first.spawn({
            let gather = Arc::clone(&gather);
            async move { gather.ask(1).await }
        });
        while queries.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gather.ask(2).await, Err(Error::Unavailable(_))));
        assert!(matches!(first.join_all().await[..], [Err(Error::Unavailable(_))]));
        gate.add_permits(1000);
        while gather.ask(3).await.is_err() {}
        assert!(queries.lock().iter().all(|questions| !questions.contains(&2)), "{:?}", queries.lock());
    }
}
