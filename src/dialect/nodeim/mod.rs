//! nodeim (2013): commands over Socket.IO, answered by acknowledgement or by the event `rspn`.
//!
//! The table below is the map: a command's name, the codes that its old server used, and its handler.

mod accounts;
mod codes;
mod context;
pub mod envelope;
mod friends;
mod loose;
mod messages;
mod modern;
mod person;
mod render;
mod rooms;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tracing::{debug, error, warn};

use crate::chat::error::{Error, Reason, Result};
use crate::chat::{Chat, Ending};
use crate::config::Config;
use crate::hub::Connection;
use crate::metrics::Metrics;
use crate::transport::{Call, Dialect, Link, Refusal, ReplySlot, Rest, Session};
use codes::{Rule, fault, rule};
use context::Context;
use envelope::{Envelope, Sender};
use messages::Said;
pub use modern::RENDERER as MODERN_RENDERER;
pub use render::RENDERER;

/// The dialect, for all its connections.
pub struct Nodeim {
    chat: Arc<Chat>,
    signin_timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Nodeim {
    pub fn new(chat: Arc<Chat>, config: &Config, metrics: Arc<Metrics>) -> Self {
        Self { chat, signin_timeout: Duration::from_millis(config.signin_timeout_ms), metrics }
    }
}

impl Dialect for Nodeim {
    type Session = Conversation;

    fn open(&self, link: Link) -> Conversation {
        Conversation {
            context: Context::new(Arc::clone(&self.chat), link),
            signin_timeout: self.signin_timeout,
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn refuse(&self, link: &Link, call: Call, why: Refusal) {
        let Some(rule) = rule(&call.event) else {
            return;
        };
        let sender = Sender::of(link, &call);
        let tag = call.payload.ok().and_then(|argument| envelope::open(argument, sender).tag);
        let fault = codes::refused(why);
        self.metrics.command(rule.name, fault.code, Duration::ZERO);
        answer(link, call.reply, rule.name, tag.as_ref(), to_json(&fault));
    }
}

/// One client's commands.
pub struct Conversation {
    context: Context,
    signin_timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Session for Conversation {
    async fn call(&mut self, call: Call) -> Option<Rest> {
        let sender = Sender::of(&self.context.link, &call);
        let Call { event, payload, reply } = call;
        let Some(rule) = rule(&event) else {
            // Old server: silent. Who waits for an acknowledgement is told.
            if let Some(slot) = reply {
                slot.send(to_json(&codes::unknown_command()));
            }
            return None;
        };
        let mut asked = Asked {
            rule,
            tag: None,
            slot: reply,
            started: Instant::now(),
            link: self.context.link.clone(),
            connection: Arc::clone(&self.context.connection),
            metrics: Arc::clone(&self.metrics),
        };
        let result = match payload.map(|argument| envelope::open(argument, sender)) {
            Ok(Envelope { payload, tag }) => {
                asked.tag = tag;
                dispatch(&mut self.context, rule, payload).await
            }
            Err(_) => Err(Error::Invalid(Reason::Unreadable)),
        };
        let json = match result {
            Ok(Reply::Later(said)) => return Some(Box::pin(async { asked.answer(said.reply().await) })),
            // Not before the replies to what was said before.
            Err(error) if overtakes(rule.name) => return Some(Box::pin(async { asked.answer(Err(error)) })),
            Ok(Reply::Now(json)) => Ok(json),
            Err(error) => Err(error),
        };
        asked.answer(json);
        self.context.arrive().await;
        None
    }

    /// Who says much does not wait for the disk each time. The order is kept: a message has its place when its call is
    /// done, and only its reply is left.
    fn overtakes(&self, call: &Call) -> bool {
        overtakes(&call.event)
    }

    /// Old server: waited for ever.
    fn patience(&self) -> Option<Duration> {
        self.context.connection.user().is_none().then_some(self.signin_timeout)
    }

    async fn close(self, ending: Ending) {
        self.context.close(ending).await;
    }
}

fn overtakes(command: &str) -> bool {
    matches!(command, "message" | "room.message")
}

/// A command that is not answered yet.
struct Asked {
    rule: &'static Rule,
    tag: Option<Value>,
    slot: Option<ReplySlot>,
    started: Instant,
    link: Link,
    connection: Arc<Connection>,
    metrics: Arc<Metrics>,
}

impl Asked {
    fn answer(self, result: Result<String>) {
        let (code, json) = match result {
            Ok(json) => (200, json),
            Err(error) => {
                let fault = fault(self.rule, &error);
                self.log(&error, fault.code);
                (fault.code, to_json(&fault))
            }
        };
        answer(&self.link, self.slot, self.rule.name, self.tag.as_ref(), json);
        self.metrics.command(self.rule.name, code, self.started.elapsed());
    }

    /// The cause of a failure is written here once and sent to nobody.
    fn log(&self, error: &Error, code: u16) {
        let user = self.connection.user().map(|id| id.0);
        let (command, conn) = (self.rule.name, self.link.name);
        match error {
            Error::Internal(cause) => {
                error!(command, conn.id = %conn, user.id = user, code, %cause, "a command failed")
            }
            Error::Unavailable(cause) => {
                warn!(command, conn.id = %conn, user.id = user, code, %cause, "a command could not be served");
            }
            error => debug!(command, conn.id = %conn, user.id = user, code, %error, "a command was refused"),
        }
    }
}

/// What comes of a command that was not refused.
enum Reply {
    /// JSON.
    Now(String),
    /// A message that is on its way to the disk.
    Later(Said),
}

/// Carries a command out.
async fn dispatch(cx: &mut Context, rule: &Rule, payload: Map<String, Value>) -> Result<Reply> {
    if rule.needs_user {
        cx.user()?;
    }
    macro_rules! run {
        ($handler:path) => {
            encode(&$handler(cx, decode(payload)?).await?).map(Reply::Now)
        };
    }
    match rule.name {
        "signup" => run!(accounts::signup),
        "signin" => run!(accounts::signin),
        "signout" => run!(accounts::signout),
        "find" => encode(&accounts::find(cx, payload).await?).map(Reply::Now),
        "presence" => run!(accounts::presence),
        "profile" => run!(accounts::profile),
        "retrieve" => run!(accounts::retrieve),
        "message" => messages::message(cx, decode(payload)?).await.map(Reply::Later),
        "room.message" => messages::room_message(cx, decode(payload)?).await.map(Reply::Later),
        "log" => run!(messages::log),
        "subscribe" => run!(friends::subscribe),
        "reply" => run!(friends::reply),
        "unsubscribe" => run!(friends::unsubscribe),
        "friends" => run!(friends::friends),
        "group" => run!(friends::group),
        "room.create" => run!(rooms::create),
        "room.join" => run!(rooms::join),
        "room.leave" => run!(rooms::leave),
        "room.list" => run!(rooms::list),
        "conversations" => run!(modern::lists::conversations),
        "history" => run!(modern::lists::history),
        "search" => run!(modern::lists::search),
        "resume" => run!(modern::lists::resume),
        "edit" => run!(modern::amending::edit),
        "recall" => run!(modern::amending::recall),
        "read" => run!(modern::attention::read),
        "typing" => run!(modern::attention::typing),
        "mute" => run!(modern::attention::mute),
        "sessions" => run!(modern::sessions::list),
        "sessions.end" => run!(modern::sessions::end),
        "room.members" => run!(modern::rooms::members),
        "room.profile" => run!(modern::rooms::profile),
        "room.invite" => run!(modern::rooms::invite),
        "room.admin" => run!(modern::rooms::admin),
        "room.mute" => run!(modern::rooms::mute),
        "room.kick" => run!(modern::rooms::kick),
        "room.delete" => run!(modern::rooms::delete),
        "requests" => run!(modern::people::requests),
        "block" => run!(modern::people::block),
        "unblock" => run!(modern::people::unblock),
        "blocks" => run!(modern::people::blocks),
        "users" => run!(modern::people::users),
        name => Err(Error::internal(format!("the command {name} has a rule and no handler"))),
    }
}

fn decode<T: DeserializeOwned>(payload: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(payload)).map_err(|_| Error::Invalid(Reason::Unreadable))
}

fn encode(reply: &impl Serialize) -> Result<String> {
    serde_json::to_string(reply).map_err(Error::internal)
}

/// JSON of our own fixed shapes.
fn to_json(value: &impl Serialize) -> String {
    encode(value).unwrap_or_else(|_| r#"{"code":500,"message":"服务器内部错误"}"#.to_owned())
}

/// By acknowledgement if the client asked for one, otherwise by the event `rspn`; never both.
fn answer(link: &Link, slot: Option<ReplySlot>, command: &'static str, tag: Option<&Value>, json: String) {
    match slot {
        Some(slot) => slot.send(json),
        None => link.emit("rspn", envelope::rspn(tag, command, &json)),
    }
}
