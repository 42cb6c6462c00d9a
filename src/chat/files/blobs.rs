//! What the domain needs of whoever keeps the bytes of files.

use std::pin::Pin;
use std::time::Duration;

use crate::chat::error::Result;

/// Something that takes a while, in another folder.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What an upload is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Kept as it came.
    #[default]
    Message,
    /// A picture, made square and small.
    Avatar,
}

/// Keeps the bytes of files, by name.
pub trait Blobs: Send + Sync {
    /// Makes ready for a file that comes in.
    fn begin(&self) -> Work<'_, Box<dyn Incoming>>;

    /// Removes a file; it may be gone already.
    fn remove<'a>(&'a self, stored: &'a str) -> Work<'a, ()>;

    /// The parts that the store of files has. A few thousand at most.
    fn shelves(&self) -> Work<'_, Vec<String>>;

    /// The names of files on a shelf that are at least so old, some thousand at most.
    fn old_files<'a>(&'a self, shelf: &'a str, age: Duration) -> Work<'a, Vec<String>>;
}

/// A file that comes in. Dropped before it is kept, it leaves nothing behind.
pub trait Incoming: Send {
    /// Appends to it.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Work<'a, ()>;

    /// Puts it in its place for good, under `name` with an extension that fits what it is.
    fn keep(self: Box<Self>, name: String, purpose: Purpose) -> Work<'static, Kept>;
}

/// A file in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The name with its extension.
    pub stored: String,
    /// By the first bytes.
    pub media_type: &'static str,
    pub size: u64,
    /// Width and height in pixels, as people see it.
    pub dimensions: Option<(u32, u32)>,
    /// The small picture's name with its extension; it may be the file itself.
    pub thumb: Option<String>,
}
