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
mod wire;

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tracing::{debug, error, warn};

use crate::chat::error::{Error, Reason, Result};
use crate::chat::{Chat, Ending};
use crate::metrics::Metrics;
use crate::transport::{Call, Dialect, Link, Refusal, Session};
use codes::{Rule, fault, rule};
use context::Context;
use envelope::{Envelope, Sender};
pub use modern::RENDERER as MODERN_RENDERER;
pub use render::RENDERER;

/// The dialect, for all its connections.
pub struct Nodeim {
    chat: Arc<Chat>,
    metrics: Arc<Metrics>,
}

impl Nodeim {
    pub fn new(chat: Arc<Chat>, metrics: Arc<Metrics>) -> Self {
        Self { chat, metrics }
    }
}

impl Dialect for Nodeim {
    type Session = Conversation;

    fn open(&self, link: Link) -> Conversation {
        Conversation { context: Context::new(Arc::clone(&self.chat), link), metrics: Arc::clone(&self.metrics) }
    }

    fn refuse(&self, link: &Link, call: Call, why: Refusal) {
        let Some(rule) = rule(&call.event) else {
            return;
        };
        let sender = Sender::of(link, &call);
        let tag = call.payload.ok().and_then(|argument| envelope::open(argument, sender).tag);
        let fault = codes::refused(why);
        self.metrics.command(rule.name, fault.code, std::time::Duration::ZERO);
        answer(link, call.reply, rule.name, tag.as_ref(), &to_json(&fault));
    }
}

/// One client's commands.
pub struct Conversation {
    context: Context,
    metrics: Arc<Metrics>,
}

impl Session for Conversation {
    async fn call(&mut self, call: Call) {
        let sender = Sender::of(&self.context.link, &call);
        let Call { event, payload, reply } = call;
        let Some(rule) = rule(&event) else {
            // Old server: silent. Who waits for an acknowledgement is told.
            if let Some(slot) = reply {
                slot.send(to_json(&codes::unknown_command()));
            }
            return;
        };
        let started = Instant::now();
        let link = self.context.link.clone();
        let (tag, result) = match payload.map(|argument| envelope::open(argument, sender)) {
            Ok(Envelope { payload, tag }) => (tag, dispatch(&mut self.context, rule, payload).await),
            Err(_) => (None, Err(Error::Invalid(Reason::Unreadable))),
        };
        let (code, json) = match result {
            Ok(json) => (200, json),
            Err(error) => {
                let fault = fault(rule, &error);
                self.log(rule, &error, fault.code);
                (fault.code, to_json(&fault))
            }
        };
        answer(&link, reply, rule.name, tag.as_ref(), &json);
        self.metrics.command(rule.name, code, started.elapsed());
        self.context.arrive().await;
    }

    async fn close(self, ending: Ending) {
        self.context.close(ending).await;
    }
}

impl Conversation {
    /// The cause of a failure is written here once and sent to nobody.
    fn log(&self, rule: &Rule, error: &Error, code: u16) {
        let user = self.context.connection.user().map(|id| id.0);
        let (command, conn) = (rule.name, &*self.context.link.id);
        match error {
            Error::Internal(cause) => error!(command, conn.id = conn, user.id = user, code, %cause, "a command failed"),
            Error::Unavailable(cause) => {
                warn!(command, conn.id = conn, user.id = user, code, %cause, "a command could not be served");
            }
            error => debug!(command, conn.id = conn, user.id = user, code, %error, "a command was refused"),
        }
    }
}

/// Carries a command out and returns its reply as JSON.
async fn dispatch(cx: &mut Context, rule: &Rule, payload: Map<String, Value>) -> Result<String> {
    if rule.needs_user {
        cx.user()?;
    }
    macro_rules! run {
        ($handler:path) => {
            encode(&$handler(cx, decode(payload)?).await?)
        };
    }
    match rule.name {
        "signup" => run!(accounts::signup),
        "signin" => run!(accounts::signin),
        "signout" => run!(accounts::signout),
        "find" => encode(&accounts::find(cx, payload).await?),
        "presence" => run!(accounts::presence),
        "profile" => run!(accounts::profile),
        "retrieve" => run!(accounts::retrieve),
        "message" => run!(messages::message),
        "room.message" => run!(messages::room_message),
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
fn answer(
    link: &Link,
    reply: Option<crate::transport::ReplySlot>,
    command: &'static str,
    tag: Option<&Value>,
    json: &str,
) {
    match reply {
        Some(slot) => slot.send(json.to_owned()),
        None => link.emit("rspn", envelope::rspn(tag, command, json)),
    }
}
