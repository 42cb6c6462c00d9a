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

/// What takes in a file, up to a limit of its own.
pub(super) trait Vessel {
    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]) -> impl Future<Output = Result<()>> + Send;
}

impl Vessel for Upload {
    async fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.write(bytes).await
    }
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

    /// Reads the file into `vessel`, and the rest of the form, in which nothing of interest may come.
    pub(super) async fn pour(&mut self, vessel: &mut impl Vessel) -> Result<()> {
        let mut file = self.file.take().ok_or(Error::Invalid(Reason::NoFile))?;
        // From here on the vessel's own limit holds.
        self.source.allow(u64::MAX);
        while let Some(bytes) = self.within(file.chunk()).await? {
            vessel.take(&bytes).await?;
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::*;

    use super::*;

    const BOUNDARY: &str = "x-boundary";

    impl Vessel for Vec<u8> {
        async fn take(&mut self, bytes: &[u8]) -> Result<()> {
            self.extend_from_slice(bytes);
            Ok(())
        }
    }

    /// What is read of a body that comes in pieces: the fields, the file's name and the file.
    type Read = (HashMap<String, String>, String, Vec<u8>);

    fn read(content_type: &str, body: &[u8], piece: usize) -> Result<Read> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pieces: Vec<_> = body.chunks(piece).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            let mut request = Request::new(Body::from_stream(futures_util::stream::iter(pieces)));
            if let Ok(value) = content_type.parse() {
                request.headers_mut().insert(CONTENT_TYPE, value);
            }
            let mut form = Sender::new(request).form(&Config::defaults())?;
            let (fields, name) = form.fields().await?;
            let mut file = Vec::new();
            form.pour(&mut file).await?;
            Ok((fields, name, file))
        })
    }

    fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    fn field(name: &str, value: &str) -> Vec<u8> {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
    }

    fn file(bytes: &[u8]) -> Vec<u8> {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cat.jpg\"\r\n\r\n");
        [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    /// Bytes with much in them that a boundary has.
    fn near() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            Just(b"\r\n".to_vec()),
            Just(b"\r\n--".to_vec()),
            Just(b"\r\n--x-bound".to_vec()),
            Just(b"--x-boundary".to_vec()),
            Just(b"Content-Disposition: form-data; name=\"file\"".to_vec()),
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn what_stands_in_a_form_is_read(purpose in "[a-z]{0,20}", bytes in near(), piece in 1_usize..100) {
            let ends_early = bytes.windows(BOUNDARY.len() + 4).any(|part| part == b"\r\n--x-boundary");
            let body = [field("purpose", &purpose), field("other", "x"), file(&bytes)].concat();
            match read(&content_type(), &body, piece) {
                Ok((fields, name, file)) if !ends_early => {
                    prop_assert_eq!(fields, HashMap::from([("purpose".to_owned(), purpose)]));
                    prop_assert_eq!(name, "cat.jpg");
                    prop_assert_eq!(file, bytes);
                }
                Err(error) if !ends_early => return Err(TestCaseError::fail(error.to_string())),
                _ => {}
            }
        }

        #[test]
        fn no_form_is_too_strange(parts in prop::collection::vec(near(), 0..4), piece in 1_usize..100, is_closed in any::<bool>()) {
            let mut body = format!("--{BOUNDARY}\r\n").into_bytes();
            body.extend(parts.join(&b"\r\n\r\n"[..]));
            if is_closed {
                body.extend(format!("\r\n--{BOUNDARY}--").bytes());
            }
            if let Ok((_, _, file)) = read(&content_type(), &body, piece) {
                prop_assert!(file.len() <= body.len());
            }
        }

        #[test]
        fn no_content_type_is_too_strange(content_type in "multipart/form-data;? ?(boundary=.{0,80})?|[ -~]{0,40}", body in near()) {
            drop(read(&content_type, &body, 50));
        }
    }
}
