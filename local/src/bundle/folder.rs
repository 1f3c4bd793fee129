//! Where a bundle keeps things: a folder with a lock, or nowhere.

use anyhow::{Context as _, bail};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What `fresh` deletes. Nothing else in the folder is touched.
const KEPT: &[&str] = &["tables.db", "queues.db", "mailbox.db", "clock", "logs", "key"];

/// A bundle's folder, for as long as this lives.
pub(super) struct Folder {
    path: PathBuf,
    /// Whether it is a temporary one, which only holds what must be a file.
    temporary: bool,
    /// Unlocks when it is closed, also when the process is killed.
    lock: File,
}

impl Folder {
    /// # Errors
    /// Another runner has it, or it can't be written.
    pub(super) fn open(data: Option<&Path>, fresh: bool) -> anyhow::Result<Self> {
        let path = match data {
            // Absolute, for the functions' processes may be elsewhere.
            Some(path) => std::path::absolute(path)?,
            None => std::env::temp_dir().join(format!("bundle-{}", uuid::Uuid::new_v4().simple())),
        };
        fs::create_dir_all(&path).with_context(|| format!("cannot make the data folder {}", path.display()))?;
        let lock = File::create(path.join("lock")).with_context(|| format!("cannot write to {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("the data folder {} is in use by another runner", path.display()),
            Err(TryLockError::Error(e)) => bail!("cannot lock the data folder {}: {e}", path.display()),
        }
        let folder = Self { path, temporary: data.is_none(), lock };
        if fresh {
            folder.clear().with_context(|| format!("cannot empty the data folder {}", folder.path.display()))?;
        }
        if !folder.temporary {
            fs::create_dir_all(folder.path.join("logs"))?;
        }
        Ok(folder)
    }

    /// Lets another runner have the folder.
    pub(super) fn release(&self) {
        // What cannot be unlocked is unlocked when the process ends.
        let _ = self.lock.unlock();
    }

    pub(super) fn clock(&self) -> PathBuf {
        self.path.join("clock")
    }

    /// `None` in memory.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        (!self.temporary).then(|| self.path.join(name))
    }

    fn clear(&self) -> io::Result<()> {
        let gone = |result: io::Result<()>| match result {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
        for name in KEPT {
            let path = self.path.join(name);
            if path.is_dir() {
                gone(fs::remove_dir_all(&path))?;
                continue;
            }
            for suffix in ["", "-wal", "-shm"] {
                gone(fs::remove_file(self.path.join(format!("{name}{suffix}"))))?;
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // It is the system's temporary folder: what stays there is not for long.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
