//! A file that comes in, on disk.

use std::io::{self, Write};
use std::sync::Arc;

use image::ImageFormat;
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use super::kind::{HEAD_BYTES, Kind, UNKNOWN};
use super::picture::{Encoded, Thumb, avatar, examine};
use super::{Disk, Folder, blocking, failed};
use crate::chat::error::{Error, Reason, Result};
use crate::chat::files::{Incoming, Kept, Purpose, Work};

/// A temporary file, written to as bytes come, and the beginning of it.
pub(super) struct OnDisk {
    file: File,
    /// Removes the file when it is dropped.
    path: TempPath,
    head: Vec<u8>,
    folder: Arc<Folder>,
    pictures: Arc<Semaphore>,
    max_pixels: u64,
}

impl OnDisk {
    pub(super) fn new(file: NamedTempFile, disk: &Disk) -> Self {
        let (file, path) = file.into_parts();
        Self {
            file: File::from_std(file),
            path,
            head: Vec::new(),
            folder: Arc::clone(&disk.folder),
            pictures: Arc::clone(&disk.pictures),
            max_pixels: disk.max_pixels,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let missing = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        self.file.write_all(bytes).await.map_err(failed)
    }

    async fn keep(mut self, name: String, purpose: Purpose) -> Result<Kept> {
        // What was written last may fail only now.
        self.file.flush().await.map_err(failed)?;
        let file = NamedTempFile::from_parts(self.file.into_std().await, self.path);
        let (folder, max_pixels) = (self.folder, self.max_pixels);
        let kind = Kind::of(&self.head);
        let format = kind.format();
        let _permit = match format {
            Some(_) => Some(self.pictures.acquire_owned().await.map_err(Error::internal)?),
            None => None,
        };
        match (purpose, format) {
            (Purpose::Message, None) => blocking(move || keep_plain(&folder, file, &name, kind)).await,
            (Purpose::Message, Some(format)) => {
                blocking(move || keep_picture(&folder, file, &name, kind, format, max_pixels)).await
            }
            (Purpose::Avatar, Some(format)) => {
                let kept = blocking(move || keep_avatar(&folder, &file, &name, format, max_pixels)).await?;
                kept.ok_or(Error::Invalid(Reason::NotAPicture))
            }
            (Purpose::Avatar, None) => Err(Error::Invalid(Reason::NotAPicture)),
        }
    }
}

impl Incoming for OnDisk {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Work<'a, ()> {
        Box::pin(Self::write(self, bytes))
    }

    fn keep(self: Box<Self>, name: String, purpose: Purpose) -> Work<'static, Kept> {
        Box::pin(Self::keep(*self, name, purpose))
    }
}

fn keep_plain(folder: &Folder, file: NamedTempFile, name: &str, kind: &Kind) -> io::Result<Kept> {
    let stored = format!("{name}.{}", kind.extension);
    let size = file.as_file().metadata()?.len();
    folder.settle(file, &stored)?;
    Ok(Kept { stored, media_type: kind.media_type, size, dimensions: None, thumb: None })
}

fn keep_picture(
    folder: &Folder,
    file: NamedTempFile,
    name: &str,
    kind: &Kind,
    format: ImageFormat,
    max_pixels: u64,
) -> io::Result<Kept> {
    let Some((dimensions, thumb)) = examine(file.path(), format, max_pixels) else {
        // It begins like a picture and is none: nothing that a browser should try to show.
        return keep_plain(folder, file, name, UNKNOWN);
    };
    let thumb = match thumb {
        Thumb::None => None,
        Thumb::Itself => Some(format!("{name}.{}", kind.extension)),
        Thumb::Made(encoded) => {
            let stored = format!("{name}.thumb.{}", extension(encoded.format));
            write_out(folder, &encoded, &stored)?;
            Some(stored)
        }
    };
    let kept = keep_plain(folder, file, name, kind);
    if let (Err(_), Some(thumb)) = (&kept, &thumb) {
        super::remove(&folder.place(thumb))?;
    }
    Ok(Kept { dimensions: Some(dimensions), thumb, ..kept? })
}

fn keep_avatar(
    folder: &Folder,
    file: &NamedTempFile,
    name: &str,
    format: ImageFormat,
    max_pixels: u64,
) -> io::Result<Option<Kept>> {
    let Some(encoded) = avatar(file.path(), format, max_pixels) else {
        return Ok(None);
    };
    let stored = format!("{name}.{}", extension(encoded.format));
    write_out(folder, &encoded, &stored)?;
    Ok(Some(Kept {
        thumb: Some(stored.clone()),
        stored,
        media_type: encoded.format.to_mime_type(),
        size: encoded.bytes.len() as u64,
        dimensions: Some(encoded.dimensions),
    }))
}

fn write_out(folder: &Folder, encoded: &Encoded, stored: &str) -> io::Result<()> {
    let mut file = folder.temporary()?;
    file.write_all(&encoded.bytes)?;
    folder.settle(file, stored)
}

fn extension(format: ImageFormat) -> &'static str {
    if format == ImageFormat::Png { "png" } else { "jpg" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    async fn on_disk(dir: &tempfile::TempDir) -> (Disk, OnDisk) {
        let config = Config { data_dir: dir.path().to_owned(), ..Config::defaults() };
        let disk = Disk::open(&config).await.unwrap();
        let incoming = OnDisk::new(disk.folder.temporary().unwrap(), &disk);
        (disk, incoming)
    }

    #[tokio::test]
    async fn a_full_disk_has_a_reason_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, mut incoming) = on_disk(&dir).await;
        incoming.file = File::from_std(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        incoming.write(b"hello").await.unwrap();
        let kept = incoming.keep("AbC-_0123456789abcdefg".to_owned(), Purpose::Message).await;
        assert!(matches!(kept, Err(Error::Forbidden(Reason::DiskFull))), "{kept:?}");
        assert_eq!(std::fs::read_dir(&disk.folder.incoming).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_a_crash_left_goes_and_what_comes_in_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, incoming) = on_disk(&dir).await;
        std::fs::write(disk.folder.incoming.join("left"), "x").unwrap();
        disk.folder.remove_leftovers().unwrap();
        let names: Vec<_> =
            std::fs::read_dir(&disk.folder.incoming).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(names, [incoming.path.to_path_buf()]);
        drop(incoming);
        assert_eq!(std::fs::read_dir(&disk.folder.incoming).unwrap().count(), 0);
    }
}
