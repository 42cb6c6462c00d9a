//! The same warning over and over fills the disk, and strangers can cause some of them, in libraries too.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Lines of this process that were left out.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// How many they were since the last time.
pub(super) fn take_left_out() -> u64 {
    LEFT_OUT.swap(0, Ordering::Relaxed)
}

/// Lets only so many lines of level `warn` and `error` pass from each place in the code.
pub(super) struct Sparing {
    per_minute: NonZeroU32,
    /// No more than there are such places.
    places: DashMap<Identifier, DefaultDirectRateLimiter>,
}

impl Sparing {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN), places: DashMap::new() }
    }

    fn lets_pass(&self, place: Identifier) -> bool {
        let limiter = || RateLimiter::direct(Quota::per_minute(self.per_minute));
        self.places.entry(place).or_insert_with(limiter).check().is_ok()
    }
}

/// For all layers, and no filter of one of them: such filters remember per thread what was asked last, and lose lines.
impl<S: Subscriber> Layer<S> for Sparing {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // Who asks for more than that wants to see it all.
        let passes = *metadata.level() > Level::WARN || self.lets_pass(metadata.callsite());
        if !passes {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing::level_filters::LevelFilter;
    use tracing::{enabled, info, warn};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{EnvFilter, fmt, registry};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn libraries_know_which_lines_are_not_wanted() {
        let lines = registry().with(EnvFilter::new("info")).with(Sparing::new(3)).with(fmt::layer());
        assert_eq!(Subscriber::max_level_hint(&lines), Some(LevelFilter::INFO));
    }

    #[test]
    fn warnings_are_spared_by_the_place_where_they_come_from() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer().with_writer(move || writer.clone());
        let subscriber = registry().with(EnvFilter::new("info")).with(Sparing::new(3)).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..100 {
                assert!(!enabled!(Level::DEBUG), "a question before a line does not harm it");
                warn!(n, "one place");
                info!(n, "not a warning");
            }
            warn!("another place");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
        assert_eq!([count("one place"), count("another place"), count("not a warning")], [3, 1, 100]);
        assert_eq!(take_left_out(), 97);
    }
}
