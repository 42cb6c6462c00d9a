//! The polling transports: a GET takes packets, or waits for some; a POST brings them. Over JSONP a GET is answered
//! by a script, and a POST is a form.

use std::sync::Arc;
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use form_urlencoded::parse;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::{is_index, parameter};
use super::packet::{NOOP, RECONNECT};
use super::session::{Refused09, Session};
use super::state::{Answer, Kind, Phase, Turn};
use super::{payload, response};
use crate::hub::Port;

/// What every POST is answered with.
const TAKEN: &str = "1";
/// How long the rest of a request is read that is too large.
const LAST_READS: Duration = Duration::from_secs(1);

/// Answers in the manner of the transport.
pub(super) fn respond(kind: Kind, query: &str, body: String) -> Response {
    match kind {
        Kind::Xhr => response::text(body),
        Kind::Jsonp => response::script(parameter(query, "i").filter(|index| is_index(index)).unwrap_or("0"), body),
    }
}

/// The packets that wait for the client, as soon as there are some.
pub(super) async fn get(session: &Arc<Session>, kind: Kind) -> String {
    let (turn, wake) = session.state().begin_poll(kind, Instant::now());
    session.changed_transport();
    // A client that hangs up drops this future.
    let _open = Open { session, turn };
    let deadline = Instant::now() + session.times.poll;
    loop {
        let answer = session.state().answer_poll(turn, Instant::now());
        match answer {
            Some(Answer::Packets(packets)) => {
                session.progressed();
                return payload::encode(packets);
            }
            Some(Answer::Nothing) => return NOOP.to_owned(),
            Some(Answer::Over) => return RECONNECT.to_owned(),
            None if timeout_at(deadline, wake.notified()).await.is_err() => return NOOP.to_owned(),
            None => {}
        }
    }
}

/// A poll under way.
struct Open<'a> {
    session: &'a Session,
    turn: Turn,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.session.state().end_poll(self.turn, Instant::now());
        self.session.progressed();
    }
}

/// Hands the packets of a request to the session. `refuse` is told of calls for which there is no room.
pub(super) async fn post(
    session: &Session,
    kind: Kind,
    request: Request,
    max_bytes: usize,
    refuse: impl Fn(Refused09),
) -> Response {
    let Ok(_permit) = session.posts.try_acquire() else {
        return response::error(StatusCode::SERVICE_UNAVAILABLE, "One request after the other.");
    };
    let mut stream = request.into_body().into_data_stream();
    let Ok(body) = timeout(session.times.timeout, read(&mut stream, max_bytes)).await else {
        session.close();
        return response::error(StatusCode::REQUEST_TIMEOUT, "The request took too long.");
    };
    let body = match body {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            session.close();
            discard(stream, max_bytes, LAST_READS).await;
            return response::error(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.");
        }
        Err(Unread::Broken) => return response::error(StatusCode::BAD_REQUEST, "The request broke off."),
    };
    let Some(text) = text(kind, &body) else {
        // Old server: an error with the advice to reconnect. That is what the poll answers now.
        session.close();
        return response::text(TAKEN);
    };
    for packet in payload::decode(&text) {
        if let Err(refused) = session.hear(packet, None) {
            refuse(refused);
        }
        if session.state().phase != Phase::Open {
            break;
        }
    }
    response::text(TAKEN)
}

/// For an unknown session: a refusal could end an attempt to reconnect that is under way. The poll gets the error.
pub(super) async fn post_to_nobody(request: Request, max_bytes: usize, wait: Duration) -> Response {
    discard(request.into_body().into_data_stream(), max_bytes, wait).await;
    response::text(TAKEN)
}

/// Reads on: an answer to a request that is still being written may not be seen. But not for ever.
async fn discard(mut stream: BodyDataStream, max_bytes: usize, wait: Duration) {
    let mut bytes = 0;
    let end = async {
        while let Some(Ok(chunk)) = stream.next().await {
            bytes += chunk.len();
            if bytes > max_bytes {
                break;
            }
        }
    };
    // Answered in any case.
    let _in_time = timeout(wait, end).await;
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read(stream: &mut BodyDataStream, max_bytes: usize) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        if bytes.len() + chunk.len() > max_bytes {
            return Err(Unread::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The payload in a body. Over JSONP it is the JSON string in the form's field `d`; nothing if there is none.
fn text(kind: Kind, body: &[u8]) -> Option<String> {
    match kind {
        Kind::Xhr => Some(String::from_utf8_lossy(body).into_owned()),
        Kind::Jsonp => {
            let (_, json) = parse(body).find(|(name, _)| name == "d")?;
            serde_json::from_str(&json).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_holds_a_json_string() {
        let text = |body: &str| text(Kind::Jsonp, body.as_bytes());
        assert_eq!(text("d=%225%3A%3A%3A%7B%7D%22").as_deref(), Some("5:::{}"));
        assert_eq!(text("x=1&d=%22a+b%5Cn%E4%BD%A0%22").as_deref(), Some("a b\n你"));
        for body in ["", "d=", "d=5:::{}", "d=%7B%7D", "e=%22x%22"] {
            assert_eq!(text(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_payload_comes_through(payload in any::<String>()) {
            let json = serde_json::to_string(&payload).unwrap();
            let form: String = form_urlencoded::Serializer::new(String::new()).append_pair("d", &json).finish();
            prop_assert_eq!(text(Kind::Jsonp, form.as_bytes()), Some(payload.clone()));
            prop_assert_eq!(text(Kind::Xhr, payload.as_bytes()), Some(payload));
        }

        #[test]
        fn no_body_is_too_strange(body in any::<Vec<u8>>()) {
            text(Kind::Jsonp, &body);
            text(Kind::Xhr, &body);
        }
    }
}
