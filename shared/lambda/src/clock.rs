use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

/// The one clock that everything asks.
///
/// It is the system's clock, unless the environment variable `CARTWIRE_CLOCK`
/// names a file: that file then holds how far the clock is ahead of the
/// system's, in milliseconds, as decimal text. A runner moves the time of the
/// whole bundle with it.
#[derive(Debug, Clone)]
pub struct Clock {
    offset: Option<Arc<File>>,
}

impl Clock {
    /// The clock that the environment names.
    #[must_use]
    pub fn from_env() -> Self {
        let file = std::env::var_os("CARTWIRE_CLOCK").and_then(|path| File::open(path).ok());
        Self { offset: file.map(Arc::new) }
    }

    /// What time it is, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now().saturating_add(SignedDuration::from_millis(self.offset())).unwrap_or(Timestamp::MAX);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn offset(&self) -> i64 {
        let mut text = [0; 20];
        let read = self.offset.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
        std::str::from_utf8(&text[..read]).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}
