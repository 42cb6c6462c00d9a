//! One task per connection: it works off the inbox, one call after the other.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tracing::debug;

use super::inbox::{Inbox, Incoming};
use super::{Call, Dialect, Link, Refusal, Rest, Session};
use crate::chat::Ending;
use crate::config::{Config, Switch};

/// Calls of one connection whose rest is not done.
const MAX_RESTS: usize = 64;
/// What was long is given back when it is empty.
const KEPT_CAPACITY: usize = 8;

/// Opens a session on `link` and feeds it what comes in, until the inbox is closed and empty.
pub(super) async fn run<D: Dialect, T: Incoming>(
    dialect: &D,
    link: Link,
    inbox: &Inbox<T>,
    limiter: Option<DefaultDirectRateLimiter>,
    decode: impl Fn(T) -> Call,
) {
    let mut session = dialect.open(link.clone());
    let mut rests = Rests::default();
    let ending = loop {
        let next = tokio::select! {
            biased;
            () = rests.first(), if !rests.0.is_empty() => continue,
            next = inbox.next(), if rests.0.len() < MAX_RESTS => next,
            () = sleep(session.patience()), if rests.0.is_empty() => {
                debug!(conn.id = %link.id, "nothing came for too long, the connection is closed");
                link.port().close();
                inbox.next().await
            }
        };
        match next {
            Ok(incoming) => {
                let call = decode(incoming);
                let is_too_fast = limiter.as_ref().is_some_and(|limiter| limiter.check().is_err());
                if is_too_fast || !session.overtakes(&call) {
                    rests.all().await;
                }
                if is_too_fast {
                    dialect.refuse(&link, call, Refusal::TooFast);
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

/// How many calls one connection may make.
pub(super) fn limiter(config: &Config) -> Option<DefaultDirectRateLimiter> {
    let rate = NonZeroU32::new(config.rate_commands_per_second)?;
    let burst = NonZeroU32::new(config.rate_commands_burst)?;
    (config.rate_limit == Switch::On).then(|| RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)))
}
