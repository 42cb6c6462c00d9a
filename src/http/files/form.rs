//! The multipart form of an upload: some short fields, then the part `file`.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use multer::{Field, Multipart, parse_boundary};
use tokio::time::{Instant, timeout_at};

use super::source::{Cut, Source};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::files::Upload;
use crate::config::Config;

/// What may stand before the file, and what after it.
const MAX_OVERHEAD_BYTES: u64 = 32 * 1024;
const MAX_FIELD_BYTES: usize = 64;
const FILE: &str = "file";
/// Fields that mean something, and therefore must come before the file.
const FIELDS: [&str; 3] = ["purpose", "to", "room"];

/// A form that is being read.
pub(super) struct Form {
    multipart: Multipart<'static>,
    source: Source,
    file: Option<Field<'static>>,
    idle: Duration,
    deadline: Instant,
}

/// The body of a request, and what must be known to answer it early.
pub(super) struct Sender {
    source: Source,
    content_type: String,
    length: Option<u64>,
    expects_continue: bool,
}

impl Sender {
    pub(super) fn new(request: Request) -> Self {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        Self {
            content_type: header(CONTENT_TYPE).unwrap_or_default().to_owned(),
            length: header(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            expects_continue: header(EXPECT).is_some(),
            source: Source::new(request.into_body()),
        }
    }

    /// Begins to read the form.
    ///
    /// # Errors
    /// `Invalid` if there is none, `Forbidden` if it says itself that it is too large.
    pub(super) fn form(&self, config: &Config) -> Result<Form> {
        let boundary = parse_boundary(&self.content_type).map_err(|_| Error::Invalid(Reason::Unreadable))?;
        if self.length.is_some_and(|length| length > config.upload_max_bytes + 2 * MAX_OVERHEAD_BYTES) {
            return Err(Error::Forbidden(Reason::TooLarge));
        }
        self.source.allow(MAX_OVERHEAD_BYTES);
        Ok(Form {
            multipart: Multipart::new(self.source.pieces(), boundary),
            source: self.source.clone(),
            file: None,
            idle: Duration::from_millis(config.upload_idle_timeout_ms),
            deadline: Instant::now() + Duration::from_millis(config.upload_timeout_ms),
        })
    }

    /// Lets a client that was refused send on for a while, so that it comes to read why. Not one that hardly sends.
    pub(super) async fn linger(&self, why: &Error) {
        if !matches!(why, Error::Forbidden(Reason::TooSlow) | Error::Invalid(Reason::Aborted)) {
            self.source.linger(self.expects_continue).await;
        }
    }
}

impl Form {
    /// The fields before the file, and what the client calls the file.
    ///
    /// # Errors
    /// `Invalid` if there is no file.
    pub(super) async fn fields(&mut self) -> Result<(HashMap<String, String>, String)> {
        let mut fields = HashMap::new();
        loop {
            let Some(field) = self.next().await? else {
                return Err(Error::Invalid(Reason::NoFile));
            };
            let Some(name) = field.name().map(str::to_owned) else {
                continue;
            };
            if name == FILE {
                let original = field.file_name().unwrap_or_default().to_owned();
                self.file = Some(field);
                return Ok((fields, original));
            }
            if FIELDS.contains(&name.as_str()) {
                let value = self.text(field).await?;
                fields.insert(name, value);
            }
        }
    }

    /// Reads the file into `upload`, and the rest of the form, in which nothing of interest may come.
    pub(super) async fn pour(&mut self, upload: &mut Upload) -> Result<()> {
        let mut file = self.file.take().ok_or(Error::Invalid(Reason::NoFile))?;
        // From here on the upload's own limit holds.
        self.source.allow(u64::MAX);
        while let Some(bytes) = self.within(file.chunk()).await? {
            upload.write(&bytes).await?;
        }
        drop(file);
        self.source.allow(MAX_OVERHEAD_BYTES);
        while let Some(field) = self.next().await? {
            if field.name().is_some_and(|name| name == FILE || FIELDS.contains(&name)) {
                return Err(Error::Invalid(Reason::Unreadable));
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Field<'static>>> {
        let until = self.until();
        timeout_at(until, self.multipart.next_field()).await.map_err(|_| too_slow())?.map_err(|error| failed(&error))
    }

    async fn text(&self, mut field: Field<'static>) -> Result<String> {
        let mut value = Vec::new();
        while let Some(bytes) = self.within(field.chunk()).await? {
            value.extend_from_slice(&bytes);
            if value.len() > MAX_FIELD_BYTES {
                return Err(Error::Invalid(Reason::Unreadable));
            }
        }
        String::from_utf8(value).map_err(|_| Error::Invalid(Reason::Unreadable))
    }

    async fn within<T>(&self, reading: impl Future<Output = multer::Result<T>>) -> Result<T> {
        timeout_at(self.until(), reading).await.map_err(|_| too_slow())?.map_err(|error| failed(&error))
    }

    fn until(&self) -> Instant {
        self.deadline.min(Instant::now() + self.idle)
    }
}

fn too_slow() -> Error {
    Error::Forbidden(Reason::TooSlow)
}

fn failed(error: &multer::Error) -> Error {
    if let multer::Error::StreamReadFailed(cause) = error
        && let Some(Cut::Broken(_)) = cause.downcast_ref::<Cut>()
    {
        return Error::Invalid(Reason::Aborted);
    }
    Error::Invalid(Reason::Unreadable)
}
