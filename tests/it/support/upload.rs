//! Multipart forms, byte by byte, and what becomes of them on the server's disk.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Client, Server, within};

const BOUNDARY: &str = "----boundary4711";

/// A form as a browser would send it.
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    /// With one part `file`.
    pub(crate) fn file(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self::default().and_file(name, bytes)
    }

    pub(crate) fn and_file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let head =
            format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html");
        self.part(head, bytes)
    }

    pub(crate) fn field(self, name: &str, value: impl ToString) -> Self {
        self.part(format!("Content-Disposition: form-data; name=\"{name}\""), value.to_string())
    }

    pub(crate) fn part(mut self, head: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Self {
        let start = format!("--{BOUNDARY}\r\n");
        for piece in [start.as_bytes(), head.as_ref(), b"\r\n\r\n", bytes.as_ref(), b"\r\n"] {
            self.0.extend_from_slice(piece);
        }
        self
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        [self.0.as_slice(), format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }
}

impl Server {
    /// A request to `POST /api/files`.
    pub(crate) fn uploading(&self, by: &Client, body: Vec<u8>) -> RequestBuilder {
        let request = reqwest::Client::new().post(self.url("/api/files")).bearer_auth(&by.token);
        request.header("content-type", Form::content_type()).body(body)
    }

    pub(crate) async fn try_upload(&self, by: &Client, form: Form) -> (StatusCode, Value) {
        let response = within("the reply to an upload", self.uploading(by, form.body()).send()).await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap())
    }

    /// Uploads a file that must be taken; returns its card.
    pub(crate) async fn upload(&self, by: &Client, form: Form) -> Value {
        let (status, card) = self.try_upload(by, form).await;
        assert_eq!(status, StatusCode::OK, "{card}");
        card
    }

    /// Uploads what must be refused; returns the status and the reason.
    pub(crate) async fn refused(&self, by: &Client, form: Form) -> (u16, String) {
        let (status, fault) = self.try_upload(by, form).await;
        assert_eq!(fault["code"], status.as_u16(), "{fault}");
        assert!(fault["message"].as_str().is_some_and(|text| !text.is_empty()), "{fault}");
        (status.as_u16(), fault["reason"].as_str().unwrap().to_owned())
    }

    /// A connection on which the head of an upload was sent, and then `body` as one piece of a body whose length
    /// nobody was told.
    pub(crate) async fn begin_upload(&self, by: &Client, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /api/files HTTP/1.1\r\nHost: x\r\nAuthorization: bearer {}\r\nContent-Type: {}\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            by.token,
            Form::content_type()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        send_chunk(&mut stream, body).await.unwrap();
        stream
    }

    /// All files that were uploaded, and those that are coming in.
    pub(crate) fn files_on_disk(&self) -> Vec<PathBuf> {
        let root = self.database.data_dir().join("files");
        let folders = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect()
    }

    /// Where the file behind `url` is.
    pub(crate) fn on_disk(&self, url: &str) -> PathBuf {
        let stored = Path::new(url).file_name().unwrap().to_str().unwrap();
        self.database.data_dir().join("files").join(&stored[..2]).join(stored)
    }
}

pub(crate) async fn send_chunk(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.write_all(b"\r\n").await
}

/// What the server says until it ends the connection, or says no more for long.
pub(crate) async fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset after the answer is as good as an end.
    drop(within("an answer", stream.read_to_end(&mut text)).await);
    String::from_utf8_lossy(&text).into_owned()
}

/// A picture whose left half is red and whose right half is blue.
pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixel = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_fn(width, height, pixel)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
