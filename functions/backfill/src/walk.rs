use contracts::ScanWork;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use store::{SCAN_PARTS, Versioned, Written};

use crate::Backfill;
use crate::task::Task;

/// How long before its deadline a worker hands on to the next: longer than a page takes.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(60);

impl Backfill {
    /// Goes through one part of all customers from its checkpoint, until it is done or time
    /// is up.
    pub(crate) async fn walk<T: Task>(&self, task: &T, work: ScanWork, deadline: Timestamp) -> anyhow::Result<()> {
        let name = work.scan.to_string();
        let Some(Versioned { value: mut part, mut version }) = self.scans.part::<T::Tally>(&name, work.part).await?
        else {
            return Ok(());
        };
        if part.done {
            return self.end(task, &name).await;
        }
        let mut scan = self.keeper.customers.scan(work.part, SCAN_PARTS, part.place.clone(), task.kinds());
        loop {
            if !task.is_wanted().await? {
                return Ok(());
            }
            let page = scan.next().await?;
            if page.place == part.place && !page.is_last {
                // A customer of whom there is more than a page: whoever handed on here would
                // come no further.
                continue;
            }
            task.look_at(&page.customers, &mut part.tally).await?;
            part.rows += page.rows;
            part.customers += page.customers.len() as u64;
            part.place = page.place.filter(|_| !page.is_last);
            part.done = page.is_last;
            part.moved_at = self.clock.now();
            match self.scans.advance(&name, work.part, &part, version).await? {
                Written::Done => version += 1,
                // Somebody else is at it, or it was stopped.
                Written::Overtaken => return Ok(()),
            }
            if part.done {
                return self.end(task, &name).await;
            }
            if self.clock.now() + TO_SPARE >= deadline {
                return self.queue.send(&[(work, SignedDuration::ZERO)]).await;
            }
        }
    }

    /// Ends a scan, if all of its parts are done.
    async fn end<T: Task>(&self, task: &T, name: &str) -> anyhow::Result<()> {
        let scan = self.scans.get::<IgnoredAny, IgnoredAny>(name).await?;
        if scan.is_some_and(|scan| scan.is_done()) {
            task.ended().await?;
            self.scans.close(name).await?;
        }
        Ok(())
    }
}
