//! One task per connection: it works off the inbox, one call after the other.

use std::collections::VecDeque;
use std::time::Duration;

use tracing::debug;

use super::inbox::{Inbox, Incoming};
use super::pace::{Pace, Verdict};
use super::{Call, Dialect, Link, Refusal, Rest, Session};
use crate::chat::Ending;
use crate::metrics::Metrics;

/// Calls of one connection whose rest is not done.
const MAX_RESTS: usize = 64;
/// What was long is given back when it is empty.
const KEPT_CAPACITY: usize = 8;

/// Opens a session on `link` and feeds it what comes in, until the inbox is closed and empty.
pub(super) async fn run<D: Dialect, T: Incoming>(
    dialect: &D,
    link: Link,
    inbox: &Inbox<T>,
    pace: Option<&Pace>,
    metrics: &Metrics,
    decode: impl Fn(T) -> Call,
) {
    let mut session = dialect.open(link.clone());
    let mut is_flooded = false;
    let mut rests = Rests::default();
    let ending = loop {
        let next = tokio::select! {
            biased;
            () = rests.first(), if !rests.0.is_empty() => continue,
            next = inbox.next(), if rests.0.len() < MAX_RESTS => next,
            () = sleep(session.patience()), if rests.0.is_empty() => {
                debug!(conn.id = %link.name, "nothing came for too long, the connection is closed");
                link.port().close();
                inbox.next().await
            }
        };
        match next {
            // What a client has sent that is cut off is nobody's business any more.
            Ok(_) if is_flooded => {}
            Ok(incoming) => {
                let call = decode(incoming);
                let verdict = pace.map_or(Verdict::Allowed, Pace::command);
                if verdict != Verdict::Allowed || !session.overtakes(&call) {
                    rests.all().await;
                }
                if verdict != Verdict::Allowed {
                    refuse(dialect, metrics, &link, call, verdict);
                    is_flooded = verdict == Verdict::Flood;
                    continue;
                }
                // Boxed, so that an idle connection does not hold the room that a command needs.
                rests.0.extend(Box::pin(session.call(call)).await);
            }
            Err(ending) => break ending,
        }
    };
    rests.all().await;
    let ending = if link.written().await { ending } else { Ending::Broken };
    Box::pin(session.close(ending)).await;
}

/// Says that a call came too fast, and closes the connection if that was said often enough.
pub(super) fn refuse<D: Dialect>(dialect: &D, metrics: &Metrics, link: &Link, call: Call, verdict: Verdict) {
    dialect.refuse(link, call, Refusal::TooFast);
    if verdict == Verdict::Flood {
        metrics.floods_ended.increment(1);
        debug!(conn.id = %link.name, "closing a connection that sends far more than is carried out");
        link.port().close();
    }
}

/// For a call that the inbox did not take: as [`refuse`], but a call to a connection that is being closed is no flood.
pub(super) fn refuse_unheard<D: Dialect>(
    dialect: &D,
    metrics: &Metrics,
    link: &Link,
    call: Call,
    why: Refusal,
    pace: Option<&Pace>,
) {
    metrics.inbox_refusals.increment(1);
    match why {
        Refusal::TooFast => refuse(dialect, metrics, link, call, pace.map_or(Verdict::TooFast, Pace::refusal)),
        Refusal::Closing => dialect.refuse(link, call, why),
    }
}

/// The rests of calls, in their order.
#[derive(Default)]
struct Rests(VecDeque<Rest>);

impl Rests {
    /// Runs the first one to its end. If dropped before, it goes on the next time.
    async fn first(&mut self) {
        if let Some(rest) = self.0.front_mut() {
            rest.await;
            self.0.pop_front();
        }
        if self.0.is_empty() && self.0.capacity() > KEPT_CAPACITY {
            self.0 = VecDeque::new();
        }
    }

    async fn all(&mut self) {
        while !self.0.is_empty() {
            self.first().await;
        }
    }
}

/// For ever without a time.
async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
