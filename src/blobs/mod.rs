//! Files on disk: `data_dir/files/ab/abc….jpg`, a folder for each two characters that a name begins with.
//!
//! What comes in is written to `data_dir/files/incoming` first, and moved into its place when it is complete and on
//! disk. While it comes in it is locked, so that what a crash left behind can be told from what another process of
//! the same folder is just receiving.

mod incoming;
mod kind;
mod picture;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub use kind::Kind;

use crate::chat::error::{Error, Reason, Result};
use crate::chat::files::{Blobs, Incoming, Work, split_stored};
use crate::config::Config;
use incoming::OnDisk;

/// Names read from one folder at a time.
const MAX_NAMES: usize = 10_000;
/// Characters of a name that are its folder's.
const SHELF_CHARS: usize = 2;

/// The folder of all files.
#[derive(Debug)]
pub struct Disk {
    folder: Arc<Folder>,
    /// Pictures that are decoded at the same time.
    pictures: Arc<Semaphore>,
    max_pixels: u64,
}

/// Where files lie.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
    incoming: PathBuf,
}

impl Disk {
    /// Makes the folders, and removes what a crash has left half done.
    ///
    /// # Errors
    /// One line for the operator.
    pub async fn open(config: &Config) -> Result<Self, String> {
        let root = config.data_dir.join("files");
        let shown = root.display().to_string();
        let folder = Folder { incoming: root.join("incoming"), root };
        let opened = spawn_blocking(move || {
            make_private(&folder.incoming)?;
            folder.remove_leftovers()?;
            Ok::<_, io::Error>(folder)
        });
        let folder = match opened.await {
            Ok(Ok(folder)) => Arc::new(folder),
            Ok(Err(error)) => return Err(format!("cannot use {shown}: {error}")),
            Err(error) => return Err(format!("cannot use {shown}: {error}")),
        };
        let pictures = Arc::new(Semaphore::new(config.pictures_parallel));
        Ok(Self { folder, pictures, max_pixels: config.picture_max_pixels })
    }

    /// Where the file of this name is, if it has the form of one.
    pub fn path(&self, stored: &str) -> Option<PathBuf> {
        split_stored(stored).map(|_| self.folder.place(stored))
    }
}

impl Folder {
    /// `stored` begins with a name, and so with ASCII.
    fn place(&self, stored: &str) -> PathBuf {
        self.root.join(&stored[..SHELF_CHARS]).join(stored)
    }

    /// A file to write to, which is gone when it is dropped. For this user alone, as `tempfile` makes them.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        let file = NamedTempFile::new_in(&self.incoming)?;
        file.as_file().try_lock()?;
        Ok(file)
    }

    /// Moves a file that is complete into its place, for good.
    fn settle(&self, file: NamedTempFile, stored: &str) -> io::Result<()> {
        file.as_file().sync_all()?;
        let place = self.place(stored);
        let shelf = place.parent().unwrap_or(&self.root);
        if !shelf.exists() {
            make_private(shelf)?;
            sync_folder(&self.root)?;
        }
        file.persist_noclobber(&place)?;
        sync_folder(shelf)
    }

    fn remove_leftovers(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.incoming)? {
            let path = entry?.path();
            if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn shelves(&self) -> io::Result<Vec<String>> {
        let mut shelves = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            shelves.extend(name.to_str().filter(|name| name.len() == SHELF_CHARS).map(str::to_owned));
        }
        Ok(shelves)
    }

    fn old_files(&self, shelf: &str, age: Duration) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.root.join(shelf))? {
            let entry = entry?;
            let modified = match entry.metadata() {
                Ok(metadata) => metadata.modified()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if SystemTime::now().duration_since(modified).is_ok_and(|old| old >= age) {
                names.extend(entry.file_name().into_string().ok());
            }
            if names.len() == MAX_NAMES {
                break;
            }
        }
        Ok(names)
    }
}

impl Blobs for Disk {
    fn begin(&self) -> Work<'_, Box<dyn Incoming>> {
        Box::pin(async {
            let folder = Arc::clone(&self.folder);
            let file = blocking(move || folder.temporary()).await?;
            Ok(Box::new(OnDisk::new(file, self)) as Box<dyn Incoming>)
        })
    }

    fn remove<'a>(&'a self, stored: &'a str) -> Work<'a, ()> {
        Box::pin(async {
            match self.path(stored) {
                Some(path) => blocking(move || remove(&path)).await,
                None => Ok(()),
            }
        })
    }

    fn shelves(&self) -> Work<'_, Vec<String>> {
        let folder = Arc::clone(&self.folder);
        Box::pin(blocking(move || folder.shelves()))
    }

    fn old_files<'a>(&'a self, shelf: &'a str, age: Duration) -> Work<'a, Vec<String>> {
        let (folder, shelf) = (Arc::clone(&self.folder), shelf.to_owned());
        Box::pin(blocking(move || folder.old_files(&shelf, age)))
    }
}

/// Runs what waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?.map_err(failed)
}

/// A disk that is full is nobody's fault, and the one trouble that people can be told of.
fn failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            tracing::error!(%error, "no room for files");
            Error::Forbidden(Reason::DiskFull)
        }
        _ => Error::internal(error),
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A new name in a folder survives a crash only after this.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
