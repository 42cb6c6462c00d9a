//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

/// UTC milliseconds since 1970; 0 if the machine's clock stands before that.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
