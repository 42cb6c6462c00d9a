//! What nobody needs any more goes: files that nothing refers to, and sessions that have ended.

use std::time::Duration;

use tracing::info;

use super::{Chat, split_stored};
use crate::chat::error::Result;
use crate::clock::now_ms;

/// Files looked at together.
const PAGE: usize = 500;

impl Chat {
    /// Removes old sessions, files that nothing has referred to for a while, and what lies on disk and belongs to
    /// nothing.
    ///
    /// # Errors
    /// If the database or the disk fails; the next time goes on from there.
    pub async fn clean_up(&self) -> Result<()> {
        self.store.remove_old_sessions(now_ms() - self.limits.session_max_ms).await?;
        let unused = self.remove_unused_files().await?;
        let strays = self.remove_strays().await?;
        if unused + strays > 0 {
            info!(unused, strays, "removed files");
        }
        Ok(())
    }

    async fn remove_unused_files(&self) -> Result<u64> {
        let before_ms = now_ms() - self.files.limits.unused_max_ms;
        let (mut removed, mut after) = (0, None);
        loop {
            let page = self.store.old_files(before_ms, after.as_ref(), PAGE).await?;
            for (place, is_used) in &page {
                // It may have come into use since it was read: the store looks again, and the row goes before the
                // bytes. If the bytes stay behind, they are a stray.
                if !is_used && let Some(file) = self.store.remove_unused_file(&place.name, before_ms).await? {
                    self.discard(&file).await;
                    self.files.metrics.files_removed.increment(1);
                    removed += 1;
                }
            }
            match page.into_iter().next_back() {
                Some((place, _)) => after = Some(place),
                None => return Ok(removed),
            }
        }
    }

    /// A file on disk is older than its row by the time of one statement; those as old as unused ones have none
    /// coming.
    async fn remove_strays(&self) -> Result<u64> {
        let age = Duration::from_millis(self.files.limits.unused_max_ms.unsigned_abs());
        let mut removed = 0;
        for shelf in self.files.blobs.shelves().await? {
            let stored = self.files.blobs.old_files(&shelf, age).await?;
            for page in stored.chunks(PAGE) {
                let names: Vec<_> = page.iter().map(|stored| split_stored(stored).map(|(name, _)| name)).collect();
                let asked: Vec<_> = names.iter().copied().flatten().collect();
                let known = self.store.known_files(&asked).await?;
                for (stored, name) in page.iter().zip(names) {
                    if name.is_some_and(|name| !known.contains(name)) {
                        self.files.blobs.remove(stored).await?;
                        self.files.metrics.files_removed.increment(1);
                        removed += 1;
                    }
                }
            }
        }
        Ok(removed)
    }
}
