//! The body of an upload, in small pieces and no faster than it is used up.
//!
//! The multipart reader takes from its source all that is there before it looks at it, so this one has nothing more
//! after each piece until it is asked again. And it searches what it has for the end of a part's header: while that
//! is what it does, a budget holds.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt};
use parking_lot::Mutex;

const PIECE_BYTES: usize = 16 * 1024;
/// While a budget holds. The reader asks for a piece at each of its steps, also when it has what it needs: the first
/// bytes of a file that has already arrived must not use the budget up before its header is read.
const SMALL_PIECE_BYTES: usize = 1024;
/// How much is read, and for how long, of what nobody wants any more. A client that is answered before it has sent
/// everything, and then cut off, does not see the answer.
const LINGER_BYTES: usize = 64 << 20;
const LINGER: Duration = Duration::from_secs(5);

/// The body of a request, which can be read on after the multipart reader has given up.
#[derive(Clone)]
pub(super) struct Source(Arc<Mutex<State>>);

struct State {
    body: BodyDataStream,
    rest: Bytes,
    /// Bytes that may still be taken.
    budget: u64,
    /// Something was just given out: next there is nothing, for once.
    pausing: bool,
    /// Whether anything has been asked for.
    begun: bool,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    #[error("there is too much beside the file")]
    TooMuch,
    #[error("the connection broke")]
    Broken(#[source] axum::Error),
}

impl Source {
    pub(super) fn new(body: Body) -> Self {
        let body = body.into_data_stream();
        Self(Arc::new(Mutex::new(State { body, rest: Bytes::new(), budget: 0, pausing: false, begun: false })))
    }

    /// Lets so many more bytes be taken, and no more.
    pub(super) fn allow(&self, bytes: u64) {
        self.0.lock().budget = bytes;
    }

    pub(super) fn pieces(&self) -> impl Stream<Item = Result<Bytes, Cut>> + Send + 'static {
        let source = self.clone();
        futures_util::stream::poll_fn(move |cx| source.0.lock().poll_piece(cx))
    }

    /// Reads on for a while, to the end if it is near. A client that waits to be asked for its body is not asked.
    pub(super) async fn linger(&self, expects_continue: bool) {
        if expects_continue && !self.0.lock().begun {
            return;
        }
        let drain = async {
            let mut left = LINGER_BYTES;
            let mut body = futures_util::stream::poll_fn(|cx| self.0.lock().body.poll_next_unpin(cx));
            while let Some(Ok(bytes)) = body.next().await {
                match left.checked_sub(bytes.len()) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        // Whoever is not done by then is cut off.
        drop(tokio::time::timeout(LINGER, drain).await);
    }
}

impl State {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        if std::mem::take(&mut self.pausing) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.begun = true;
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(error)) => return Poll::Ready(Some(Err(Cut::Broken(error)))),
                None => return Poll::Ready(None),
            }
        }
        let most = if self.budget > LINGER_BYTES as u64 { PIECE_BYTES } else { SMALL_PIECE_BYTES };
        let piece = self.rest.split_to(self.rest.len().min(most));
        match self.budget.checked_sub(piece.len() as u64) {
            Some(less) => self.budget = less,
            None => return Poll::Ready(Some(Err(Cut::TooMuch))),
        }
        self.pausing = true;
        Poll::Ready(Some(Ok(piece)))
    }
}
