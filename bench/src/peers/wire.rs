//! As much of nodeim's wire as a peer needs to take part in a load.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    pub(super) username: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Direct {
    pub(super) to: u64,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct RoomId {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToRoom {
    pub(super) room: u64,
    pub(super) message: String,
}

/// nodeim's `message` event.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    from: From<'a>,
    to: u64,
    message: &'a str,
    time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<u64>,
    readed: u8,
    #[serde(skip_serializing_if = "str::is_empty")]
    pad: &'a str,
}

#[derive(Debug, Serialize)]
struct From<'a> {
    id: u64,
    username: &'a str,
}

impl<'a> Message<'a> {
    pub(super) fn direct(from: u64, direct: &'a Direct) -> Self {
        Self::new(from, direct.to, &direct.message, None)
    }

    fn new(from: u64, to: u64, message: &'a str, room: Option<u64>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let time = now.map_or(0, |elapsed| elapsed.as_millis());
        Message {
            from: From { id: from, username: "somebody" },
            to,
            message,
            time: u64::try_from(time).unwrap_or(u64::MAX),
            room,
            readed: 0,
            pad: "",
        }
    }
}

/// What makes frames to a room as long as nodeim's.
pub(super) struct Padding {
    frame_bytes: usize,
    pad: OnceLock<String>,
}

impl Padding {
    pub(super) fn to(frame_bytes: usize) -> Self {
        Padding { frame_bytes, pad: OnceLock::new() }
    }

    /// With what the first message lacked of the wanted length; later ones are as long.
    pub(super) fn room_message<'a>(&'a self, from: u64, to: &'a ToRoom) -> Message<'a> {
        let mut message = Message::new(from, from, &to.message, Some(to.room));
        message.pad = self.pad.get_or_init(|| {
            let json = serde_json::to_string(&message).unwrap_or_default();
            let bare = json.len() + r#"42["message",],"pad":"""#.len();
            "x".repeat(self.frame_bytes.saturating_sub(bare))
        });
        message
    }
}

/// Who has been here, by name.
#[derive(Default)]
pub(super) struct Users(Mutex<HashMap<String, u64>>);

impl Users {
    /// The id of a user, who need not have been here before.
    pub(super) fn id(&self, username: String) -> u64 {
        let mut users = lock(&self.0);
        let next = users.len() as u64 + 1;
        *users.entry(username).or_insert(next)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
