//! What is going on right now, so that somebody can wait until nothing is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Counts the work under way.
///
/// Work that is waiting (a message, a stream record) is not counted here but where it waits.
/// Whatever takes work from where it waits begins before it takes and ends after it has put
/// down what came of it, so a look at all places under one [`Activity::epoch`] misses nothing.
#[derive(Default)]
pub(crate) struct Activity {
    active: AtomicUsize,
    epoch: AtomicU64,
    changed: Arc<Notify>,
}

/// Work under way, for as long as this lives.
pub(crate) struct Busy(Arc<Activity>);

impl Activity {
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.active.fetch_add(1, Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        Busy(Arc::clone(self))
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.active.load(Ordering::SeqCst) == 0
    }

    /// Grows whenever work begins.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Says that something waiting has gone.
    pub(crate) fn touch(&self) {
        self.changed.notify_waiters();
    }

    /// Resolves at the next change after this call.
    pub(crate) fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.changed).notified_owned()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.active.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.touch();
        }
    }
}
