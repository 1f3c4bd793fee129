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
#[derive(Clone)]
pub struct Clock {
    ahead: Ahead,
}

/// How far the clock is ahead of the system's, or what it tells instead.
#[derive(Clone)]
enum Ahead {
    Not,
    /// As the file says, in milliseconds.
    ByFile(Arc<File>),
    Told(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    /// The clock that the environment names.
    #[must_use]
    pub fn from_env() -> Self {
        let file = std::env::var_os("CARTWIRE_CLOCK").and_then(|path| File::open(path).ok());
        Self { ahead: file.map_or(Ahead::Not, |file| Ahead::ByFile(Arc::new(file))) }
    }

    /// A clock that says what it is told: for whoever simulates time.
    #[must_use]
    pub fn telling(time: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { ahead: Ahead::Told(Arc::new(time)) }
    }

    /// What time it is, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match &self.ahead {
            Ahead::Not => Timestamp::now(),
            Ahead::ByFile(file) => Timestamp::now().saturating_add(offset(file)).unwrap_or(Timestamp::MAX),
            Ahead::Told(time) => time(),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

fn offset(file: &File) -> SignedDuration {
    let mut text = [0; 20];
    let read = file.read_at(&mut text, 0).unwrap_or(0);
    let ahead = std::str::from_utf8(&text[..read]).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    SignedDuration::from_millis(ahead)
}
