//! One task per connection: it works off the inbox, one call after the other.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use tracing::debug;

use super::inbox::{Inbox, Incoming};
use super::{Call, Dialect, Link, Refusal, Session};
use crate::chat::Ending;
use crate::config::{Config, Switch};

/// Opens a session on `link` and feeds it what comes in, until the inbox is closed and empty.
pub(super) async fn run<D: Dialect, T: Incoming>(
    dialect: &D,
    link: Link,
    inbox: &Inbox<T>,
    limiter: Option<DefaultDirectRateLimiter>,
    decode: impl Fn(T) -> Call,
) {
    let mut session = dialect.open(link.clone());
    let ending = loop {
        let next = match session.patience() {
            None => inbox.next().await,
            Some(patience) => match tokio::time::timeout(patience, inbox.next()).await {
                Ok(next) => next,
                Err(_) => {
                    debug!(conn.id = %link.id, "nothing came for too long, the connection is closed");
                    link.port().close();
                    inbox.next().await
                }
            },
        };
        match next {
            Ok(incoming) => {
                let call = decode(incoming);
                if limiter.as_ref().is_some_and(|limiter| limiter.check().is_err()) {
                    dialect.refuse(&link, call, Refusal::TooFast);
                } else {
                    // Boxed, so that an idle connection does not hold the room that a command needs.
                    Box::pin(session.call(call)).await;
                }
            }
            Err(ending) => break ending,
        }
    };
    let ending = if link.written().await { ending } else { Ending::Broken };
    Box::pin(session.close(ending)).await;
}

/// How many calls one connection may make.
pub(super) fn limiter(config: &Config) -> Option<DefaultDirectRateLimiter> {
    let rate = NonZeroU32::new(config.rate_commands_per_second)?;
    let burst = NonZeroU32::new(config.rate_commands_burst)?;
    (config.rate_limit == Switch::On).then(|| RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)))
}
