//! The time in the bundle: the system's, moved by an offset that only grows.

use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// The clock of a bundle.
///
/// Its offset is kept in a file, as decimal milliseconds, which the functions read too.
pub struct Clock {
    offset_ms: AtomicI64,
    path: PathBuf,
    file: File,
    moved: watch::Sender<()>,
}

impl Clock {
    /// Goes on with the offset in the file, or starts without one.
    ///
    /// # Errors
    /// The file can't be read, or holds something else.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let text = io::read_to_string(&file)?;
        let offset_ms = match text.trim() {
            "" => 0,
            text => text.parse().map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no offset", path.display()))
            })?,
        };
        let clock = Self { offset_ms: AtomicI64::new(offset_ms), path, file, moved: watch::Sender::new(()) };
        clock.write(offset_ms)?;
        Ok(clock)
    }

    /// The time in the bundle.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::MAX)
    }

    /// The time in the bundle, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        Timestamp::now().as_millisecond().saturating_add(self.offset_ms())
    }

    /// How far ahead of the system's clock this one is, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::SeqCst)
    }

    /// The file with the offset, for `CARTWIRE_CLOCK`.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Makes it `ms` milliseconds later.
    ///
    /// # Errors
    /// The offset can't be kept; the clock has not moved then.
    pub(crate) fn advance(&self, ms: i64) -> io::Result<()> {
        let offset_ms = self.offset_ms().saturating_add(ms.max(0));
        self.write(offset_ms)?;
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
        self.moved.send_replace(());
        Ok(())
    }

    /// Changes whenever the clock has been moved.
    pub(crate) fn moves(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Returns when it is `at_ms`, by itself or by being moved there.
    pub(crate) async fn sleep_until(&self, at_ms: i64) {
        let mut moves = self.moves();
        loop {
            let left = at_ms.saturating_sub(self.now_ms());
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                _ = moves.changed() => {}
            }
        }
    }

    /// Returns after `duration` of this clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now_ms().saturating_add(millis(duration))).await;
    }

    fn write(&self, offset_ms: i64) -> io::Result<()> {
        // In place and always as wide: functions keep the file open, and read it as one piece.
        self.file.write_all_at(format!("{offset_ms:<20}").as_bytes(), 0)
    }
}

/// A duration in the milliseconds that times are kept in.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
