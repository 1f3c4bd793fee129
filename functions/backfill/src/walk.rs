use contracts::ScanWork;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::IgnoredAny;
use store::{SCAN_PARTS, ScanPart, Scanned, Versioned, Written, lies_in_rows};

use crate::Backfill;
use crate::task::Task;

impl Backfill {
    /// Goes through one part of all customers from its checkpoint, until it is done or it is
    /// time to hand on.
    pub(crate) async fn walk<T: Task>(&self, task: &T, work: ScanWork, until: Timestamp) -> anyhow::Result<()> {
        let name = work.scan.to_string();
        let Some(Versioned { value: mut part, mut version }) = self.scans.part::<T::Tally>(&name, work.part).await?
        else {
            return Ok(());
        };
        if work.version.is_some_and(|goes_on_from| goes_on_from < version) {
            return Ok(());
        }
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
            part.failed += look_at(task, &page.customers, &mut part.tally).await?;
            part.rows += page.rows;
            part.customers += page.customers.len() as u64;
            part.place = page.place.filter(|_| !page.is_last);
            part.done = page.is_last;
            if !self.moved(&work, &mut part, &mut version, until).await? {
                return Ok(());
            }
            if part.done {
                return self.end(task, &name).await;
            }
        }
    }

    /// Keeps how far a part is. Whether its worker goes on: not if somebody else is at it, or
    /// it was stopped; nor if it is time, and it was handed on.
    pub(crate) async fn moved<T: Serialize>(
        &self,
        work: &ScanWork,
        part: &mut ScanPart<T>,
        version: &mut u64,
        until: Timestamp,
    ) -> anyhow::Result<bool> {
        part.moved_at = self.clock.now();
        if self.scans.advance(&work.scan.to_string(), work.part, part, *version).await? == Written::Overtaken {
            return Ok(false);
        }
        *version += 1;
        if !part.done && self.clock.now() >= until {
            let next = ScanWork { version: Some(*version), ..work.clone() };
            self.queue.send(&[(next, SignedDuration::ZERO)]).await?;
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

/// Has a task look at some customers, and says how many were passed over: those of whom a row
/// cannot be read, now or ever. Whoever waited for them would wait for good; what fails for
/// any other reason is tried again with the whole page.
async fn look_at<T: Task>(task: &T, customers: &[Scanned], tally: &mut T::Tally) -> anyhow::Result<u64> {
    let mut failed = 0;
    // Whole ones beside each other; then, where somebody among them fails, one half and the other.
    let mut open: Vec<&[Scanned]> = customers.split(|scanned| scanned.is_broken).collect();
    failed += open.len() as u64 - 1;
    while let Some(some) = open.pop() {
        let Err(error) = task.look_at(some, tally).await else { continue };
        if some.is_empty() || !lies_in_rows(&error) {
            return Err(error);
        }
        if some.len() == 1 {
            tracing::error!(error = format!("{error:#}"), "a customer cannot be looked at and is passed over");
            failed += 1;
        } else {
            let (some, others) = some.split_at(some.len() / 2);
            open.extend([some, others]);
        }
    }
    Ok(failed)
}
