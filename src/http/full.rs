//! What is said to those for whom there is no room.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::transport::crowd::Full;

/// When to try again.
const RETRY_S: u16 = 10;
/// Connections that are told why at the same time. Past it they are closed without a word.
const TOLD_MAX: usize = 64;
/// How much of a request is read, and for how long, by whoever tells. A socket that is closed with something unread
/// in it takes back what was said.
const READ_MAX_BYTES: usize = 64 * 1024;
const TELLING: Duration = Duration::from_secs(1);

fn status(full: Full) -> StatusCode {
    match full {
        Full::All => StatusCode::SERVICE_UNAVAILABLE,
        Full::Address | Full::Rate => StatusCode::TOO_MANY_REQUESTS,
    }
}

impl IntoResponse for Full {
    fn into_response(self) -> Response {
        let headers = [(RETRY_AFTER, HeaderValue::from(RETRY_S)), (CONNECTION, HeaderValue::from_static("close"))];
        (status(self), headers, format!("{self}\n")).into_response()
    }
}

/// Sends connections away that are not even listened to.
#[derive(Clone)]
pub(super) struct Doorkeeper {
    telling: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Doorkeeper {
    pub(super) fn new(tasks: TaskTracker) -> Self {
        Self { telling: Arc::new(Semaphore::new(TOLD_MAX)), tasks }
    }

    /// Tells the client why, over HTTP. `is_encrypted`: it would not understand.
    pub(super) fn send_away(&self, stream: TcpStream, full: Full, is_encrypted: bool) {
        if is_encrypted {
            return;
        }
        if let Ok(permit) = Arc::clone(&self.telling).try_acquire_owned() {
            self.tasks.spawn(async move {
                // Whoever does not listen is not waited for.
                drop(tokio::time::timeout(TELLING, tell(stream, full)).await);
                drop(permit);
            });
        }
    }
}

async fn tell(mut stream: TcpStream, full: Full) -> std::io::Result<()> {
    let (status, body) = (status(full), format!("{full}\n"));
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: {RETRY_S}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut buffer = [0; 1024];
    let mut left = READ_MAX_BYTES;
    while left > 0 {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => left = left.saturating_sub(count),
        }
    }
    Ok(())
}
