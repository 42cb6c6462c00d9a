//! MumiChat (2019): JSON objects over a raw websocket. `{"type": "action", "action": "login", "data": {...}}` is
//! answered by `{"code": 202, "msg": "login success", "data": null}`, in the order of the requests.
//!
//! The table in `dispatch` is the map: a request and its handler.

mod accounts;
mod codes;
mod messages;
mod people;
mod render;
mod time;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, error, warn};

use crate::chat::error::{Error, Reason};
use crate::chat::ids::UserId;
use crate::chat::{Chat, Ending, SignedIn};
use crate::config::{Config, Switch, Texts};
use crate::hub::Connection;
use crate::metrics::Metrics;
use crate::transport::{Call, Dialect, Link, Refusal, Rest, Session};
use codes::Code;
use wire::{Reply, Request, Verb};

/// The first frame of every connection. Old server: the same constant, meant for an encryption that never came.
const GREETING: &str = r#"{"key":"24AB50C2"}"#;
/// So many frames in a row that are no requests end the connection.
const MAX_MALFORMED: u32 = 10;

/// The dialect, for all its connections.
pub struct Mumichat {
    chat: Arc<Chat>,
    metrics: Arc<Metrics>,
    settings: Arc<Settings>,
}

/// What can be configured.
struct Settings {
    texts: Texts,
    query_needs_login: bool,
    message_max_bytes: usize,
    users_max: usize,
    login_timeout: Duration,
}

impl Mumichat {
    pub fn new(chat: Arc<Chat>, config: &Config, metrics: Arc<Metrics>) -> Self {
        let settings = Settings {
            texts: config.mumichat_texts,
            query_needs_login: config.mumichat_query_login == Switch::On,
            message_max_bytes: config.mumichat_message_max_bytes,
            users_max: config.mumichat_users_max,
            login_timeout: Duration::from_millis(config.mumichat_login_timeout_ms),
        };
        Self { chat, metrics, settings: Arc::new(settings) }
    }
}

impl Dialect for Mumichat {
    type Session = Conversation;

    fn open(&self, link: Link) -> Conversation {
        link.send(GREETING.to_owned());
        let connection = self.chat.hub().open(link.port(), link.address);
        let context = Context {
            chat: Arc::clone(&self.chat),
            settings: Arc::clone(&self.settings),
            link,
            connection,
            arriving: None,
        };
        Conversation { context, metrics: Arc::clone(&self.metrics), malformed: 0 }
    }

    /// An answer would be taken for another request's, since they are told apart by their order alone.
    fn refuse(&self, link: &Link, _: Call, why: Refusal) {
        if why == Refusal::TooFast {
            debug!(conn.id = %link.name, "closing a connection that asks faster than it is served");
            self.metrics.floods_ended.increment(1);
            link.port().close();
        }
    }
}

/// What a handler has at hand.
struct Context {
    chat: Arc<Chat>,
    settings: Arc<Settings>,
    link: Link,
    connection: Arc<Connection>,
    /// Who has just logged in: told to the others after the reply.
    arriving: Option<SignedIn>,
}

impl Context {
    /// Who is logged in here.
    fn user(&self) -> Result<UserId, Error> {
        self.connection.user().ok_or(Error::NotSignedIn)
    }
}

/// One client's requests.
pub struct Conversation {
    context: Context,
    metrics: Arc<Metrics>,
    malformed: u32,
}

impl Session for Conversation {
    async fn call(&mut self, call: Call) -> Option<Rest> {
        let Some(request) = call.payload.ok().and_then(Request::read) else {
            self.hear_junk();
            return None;
        };
        self.malformed = 0;
        let started = Instant::now();
        let verb = request.verb;
        let (code, json) = dispatch(&mut self.context, request).await?;
        self.context.link.send(json);
        self.metrics.command(verb.name(), code as u16, started.elapsed());
        self.arrive().await;
        None
    }

    /// Old server: waited for ever.
    fn patience(&self) -> Option<Duration> {
        self.context.connection.user().is_none().then_some(self.context.settings.login_timeout)
    }

    async fn close(self, ending: Ending) {
        let Context { chat, connection, .. } = self.context;
        chat.sign_out(&connection, ending).await;
        chat.hub().close(&connection);
    }
}

impl Conversation {
    /// Old server: silent, and the connection stays.
    fn hear_junk(&mut self) {
        self.malformed += 1;
        if self.malformed >= MAX_MALFORMED {
            debug!(conn.id = %self.context.link.name, "closing a connection that sends no requests");
            self.context.connection.close();
        }
    }

    /// What follows the reply to a login. The next request waits until everything that was missed is handed over, so
    /// that what it brings about comes after that.
    async fn arrive(&mut self) {
        let Some(signed_in) = self.context.arriving.take() else {
            return;
        };
        let Context { chat, connection, .. } = &self.context;
        match chat.arrive(connection, &signed_in).await {
            Ok(catch_up) => catch_up.done().await,
            Err(error) => {
                warn!(%error, cause = error.cause(), "a user could not arrive, the connection is closed");
                connection.close();
            }
        }
    }
}

/// Carries a request out and returns its reply. None for what is never answered.
async fn dispatch(cx: &mut Context, request: Request) -> Option<(Code, String)> {
    let Request { verb, data } = request;
    let (code, users) = match verb {
        Verb::Register => (accounts::register(cx, &data).await, None),
        Verb::Login => (accounts::login(cx, &data).await, None),
        Verb::Query => match people::query(cx, &data).await {
            Ok(users) => (Ok(Code::Success), Some(users)),
            Err(error) => (Err(error), None),
        },
        Verb::Message => (messages::message(cx, &data).await, None),
        Verb::Broadcast => (messages::broadcast(cx, &data).await, None),
        // Old server: the action delete does nothing and says nothing.
        Verb::Delete | Verb::Unknown => return None,
    };
    let code = code.unwrap_or_else(|error| {
        log(cx, verb, &error);
        codes::of_error(verb, &error)
    });
    let reply = Reply { code: code as u16, msg: codes::text(code, cx.settings.texts), data: users };
    match serde_json::to_string(&reply) {
        Ok(json) => Some((code, json)),
        Err(error) => {
            error!(%error, "a reply could not be written, the connection is closed");
            cx.connection.close();
            None
        }
    }
}

/// The cause of a failure is written here once and sent to nobody.
fn log(cx: &Context, verb: Verb, error: &Error) {
    let user = cx.connection.user().map(|id| id.0);
    let (command, conn) = (verb.name(), cx.link.name);
    match error {
        Error::Internal(cause) => error!(command, conn.id = %conn, user.id = user, %cause, "a command failed"),
        Error::Unavailable(cause) => {
            warn!(command, conn.id = %conn, user.id = user, %cause, "a command could not be served");
        }
        error => debug!(command, conn.id = %conn, user.id = user, %error, "a command was refused"),
    }
}

/// A member that must be there and filled.
fn filled<'a>(data: &'a wire::Data, name: &str) -> Result<&'a str, Error> {
    data.text(name).ok_or(Error::Invalid(Reason::MissingParameter))
}
