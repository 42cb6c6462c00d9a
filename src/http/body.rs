//! Bodies of requests that must be here in time, for the library that reads them without looking at the clock.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::config::Config;

/// How long bodies may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct InTime(Duration);

impl InTime {
    /// As long as a session lives without a heartbeat: a client's answers to heartbeats come in such bodies, too.
    pub(super) fn of(config: &Config) -> Self {
        Self(Duration::from_millis(config.ping_interval_ms + config.ping_timeout_ms))
    }

    /// The same request, whose body fails when it takes longer.
    pub(super) fn limit(self, request: Request) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        request.map(|body| Body::new(Timed { body, end: Box::pin(sleep(self.0)) }))
    }
}

struct Timed {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() && self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn read(body: Body) -> Result<Bytes, axum::Error> {
        let request = InTime(Duration::from_millis(50)).limit(Request::new(body));
        to_bytes(request.into_body(), 1000).await
    }

    #[tokio::test]
    async fn a_body_has_its_time_in_all() {
        let drip = futures_util::stream::unfold(100, |left| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            (left > 0).then_some((Ok::<_, io::Error>("x"), left - 1))
        });
        assert!(read(Body::from_stream(drip)).await.is_err());
        assert_eq!(read(Body::from("hello")).await.unwrap(), "hello");
    }
}
