use campaigns::{CopyTally, EditionOf, SegmentCopy};
use contracts::ScanWork;
use domain::dictionary::WordKind;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use store::{Kind as Defined, List, ScanPart, Versioned};

use crate::Backfill;

/// How many of those whom the index lists are looked at with one call.
const PAGE: usize = 100;

/// How many are put into the audience at the same time.
const AT_ONCE: usize = 16;

impl Backfill {
    /// Puts those who stand in one part of a segment's list into an audience, from the part's
    /// checkpoint, until it is done or it is time to hand on. Whoever is in the audience already stays
    /// in it, so it does no harm that a page is gone through again.
    pub(crate) async fn copy(&self, copy: &SegmentCopy, work: ScanWork, until: Timestamp) -> anyhow::Result<()> {
        let name = work.scan.to_string();
        let part = self.scans.part::<CopyTally>(&name, work.part).await?;
        let Some(Versioned { value: mut part, mut version }) = part else { return Ok(()) };
        if work.version.is_some_and(|goes_on_from| goes_on_from < version) {
            return Ok(());
        }
        while !part.done {
            self.copy_some(copy, work.part, &mut part).await?;
            if !self.moved(&work, &mut part, &mut version, until).await? {
                return Ok(());
            }
        }
        if self.is_done(&name).await? {
            self.scans.close(&name).await?;
        }
        Ok(())
    }

    async fn copy_some(&self, copy: &SegmentCopy, number: u32, part: &mut ScanPart<CopyTally>) -> anyhow::Result<()> {
        let customers = &self.keeper.customers;
        let (listed, next, members) = loop {
            let Some(edition) = self.copied_by(copy).await? else {
                (part.done, part.tally.stopped) = (true, true);
                return Ok(());
            };
            // A place in the list of one edition is a place in that of another.
            let list = List::Segment(edition.clone());
            let (listed, next) = customers.listed_in(&list, number, part.tally.after.as_deref(), PAGE).await?;
            let members = customers.memberships(&edition, &listed).await?;
            // Another edition may have taken over meanwhile, and what is kept of the one before
            // be forgotten while it was read.
            if self.copied_by(copy).await? == Some(edition) {
                break (listed, next, members);
            }
        };
        // Whoever is somebody else now is copied as that one, if that one is a member.
        let gone = customers.identities(&listed).await?;
        let is_in = |id: &&_| members.get(id).is_some_and(|membership| membership.is_in) && !gone.contains_key(id);
        let now = self.clock.now();
        let joined = futures::stream::iter(listed.iter().filter(is_in))
            .map(async |id| customers.join_audience(id, &copy.audience, now).await);
        let joined: Vec<()> = joined.buffer_unordered(AT_ONCE).try_collect().await?;
        part.rows += listed.len() as u64;
        part.customers += listed.len() as u64;
        part.tally.copied += joined.len() as u64;
        part.done = next.is_none();
        part.tally.after = next;
        Ok(())
    }

    /// The edition by whose members a copy goes; none if the segment or the audience was
    /// deleted, be it that there is another under the same code.
    async fn copied_by(&self, copy: &SegmentCopy) -> anyhow::Result<Option<EditionOf>> {
        let definitions = self.keeper.active.definitions();
        let serving = definitions.editions().await?.0.serving;
        let Some(edition) = serving.get(&copy.segment).filter(|edition| edition.first == copy.first) else {
            return Ok(None);
        };
        let audience = WordKind::Audience.id(copy.audience.as_str());
        let audience = definitions.get::<IgnoredAny>(Defined::Word, &audience).await?;
        Ok(audience.map(|_| (copy.segment.clone(), edition.number)))
    }
}
