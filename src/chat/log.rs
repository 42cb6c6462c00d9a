//! The log: everything that was addressed to a user, by pages.

use super::Chat;
use super::error::{Error, Result};
use super::ids::{RoomId, UserId};
use super::message::Message;
use super::room::Room;
use crate::store::LogFilter;
use std::sync::Arc;

const PER_PAGE: i64 = 20;

/// Which page of the log, and of whose messages.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery {
    pub from: Option<UserId>,
    pub room: Option<RoomId>,
    /// From 1.
    pub page: i64,
}

/// A page of the log, oldest message first.
#[derive(Debug, Clone, Default)]
pub struct LogSheet {
    pub messages: Vec<(Message, Option<Arc<Room>>)>,
    pub last_page: i64,
}

impl Chat {
    /// One page, 20 messages, of what was addressed to `me`.
    pub async fn log(&self, me: UserId, query: LogQuery) -> Result<LogSheet> {
        let conversation = match query.room {
            None => None,
            Some(id) => match self.room(id).await {
                Ok(room) => Some(room.conversation),
                Err(Error::NotFound(_)) => return Ok(LogSheet::default()),
                Err(error) => return Err(error),
            },
        };
        let filter = LogFilter { from: query.from, conversation };
        let page = self.store.log(me, filter, query.page, PER_PAGE).await?;
        let mut messages = Vec::with_capacity(page.messages.len());
        for message in page.messages {
            let room = self.room_of(message.conversation).await?;
            messages.push((message, room));
        }
        Ok(LogSheet { messages, last_page: (page.total + PER_PAGE - 1) / PER_PAGE })
    }
}
