use contracts::ScanWork;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::IgnoredAny;
use store::{SCAN_PARTS, ScanPart, Versioned, Written};

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
            if !self.moved(&work, &mut part, &mut version, deadline).await? {
                return Ok(());
            }
            if part.done {
                return self.end(task, &name).await;
            }
        }
    }

    /// Keeps how far a part is. Whether its worker goes on: not if somebody else is at it, or
    /// it was stopped; nor if time is up, and it was handed on.
    pub(crate) async fn moved<T: Serialize>(
        &self,
        work: &ScanWork,
        part: &mut ScanPart<T>,
        version: &mut u64,
        deadline: Timestamp,
    ) -> anyhow::Result<bool> {
        part.moved_at = self.clock.now();
        if self.scans.advance(&work.scan.to_string(), work.part, part, *version).await? == Written::Overtaken {
            return Ok(false);
        }
        *version += 1;
        if !part.done && self.clock.now() + TO_SPARE >= deadline {
            self.queue.send(&[(work, SignedDuration::ZERO)]).await?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Ends a scan, if all of its parts are done.
    async fn end<T: Task>(&self, task: &T, name: &str) -> anyhow::Result<()> {
        if self.is_done(name).await? {
            task.ended().await?;
            self.scans.close(name).await?;
        }
        Ok(())
    }

    /// Whether all parts of a scan are done.
    pub(crate) async fn is_done(&self, name: &str) -> anyhow::Result<bool> {
        let scan = self.scans.get::<IgnoredAny, IgnoredAny>(name).await?;
        Ok(scan.is_some_and(|scan| scan.is_done()))
    }
}
