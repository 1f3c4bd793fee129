//! Finding the members of segments that are new or have another condition.

use campaigns::{Building, EditionOf};
use contracts::{ScanName, ScanWork};
use futures::{StreamExt, TryStreamExt};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use membership::{Keeper, Look};
use serde::{Deserialize, Serialize};
use store::{Kinds, List, SCAN_PARTS, Scanned, Written};

use crate::Backfill;
use crate::task::Task;

/// At how many customers is looked at the same time.
const AT_ONCE: usize = 16;

/// How many members of an edition that is gone are forgotten at a time.
const CLEARED_AT_ONCE: usize = 100;

/// How long before its deadline nothing more is begun.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(30);

/// How long until a part is looked for again that somebody is about to write.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// What has come of the customers that were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// How many were handed to `evaluate`'s own function, to be looked at once more: they
    /// were in one of the segments, or will be by the passing of time alone.
    handed_on: u64,
}

/// Finds the members of the segments that are being built.
pub(crate) struct SegmentsTask<'b> {
    keeper: &'b Keeper,
    number: u64,
    kinds: Kinds,
}

impl Task for SegmentsTask<'_> {
    type Tally = Handed;

    fn kinds(&self) -> Kinds {
        self.kinds.clone()
    }

    async fn is_wanted(&self) -> anyhow::Result<bool> {
        let editions = self.keeper.active.definitions().editions().await?.0;
        Ok(editions.building.is_some_and(|building| building.number == self.number && !building.paused))
    }

    /// Whoever is in none of the segments, nor will be by the passing of time alone, needs
    /// nothing to be kept; unless somebody put them in who went by a dictionary that was old.
    /// The others are looked at once more by what stands of them then, as when something
    /// happens to them.
    async fn look_at(&self, customers: &[Scanned], tally: &mut Handed) -> anyhow::Result<()> {
        let now = self.keeper.clock.now();
        let at = self.keeper.history.at(now).await?;
        // Anew for each page: whatever was edited meanwhile is looked at with the rest.
        let active = self.keeper.active.current().await?;
        let upkeep = &active.upkeep;
        let chosen = upkeep.building(self.number);
        let needs = upkeep.needs(&chosen);
        // Of somebody without a profile, who was erased or is another one, nothing is to stay.
        let known = customers.iter().filter(|scanned| scanned.customer.is_some() || scanned.has_memberships);
        let looked = futures::stream::iter(known).map(async |scanned| {
            let facts = self.keeper.history.seen_facts(scanned, &needs, now).await?;
            let mut judged = upkeep.judged(&chosen, &facts, &at).into_iter();
            let is_of_interest = scanned.customer.is_none()
                || scanned.editions.contains(&self.number)
                || judged.any(|judged| judged.verdict.holds || judged.verdict.next.is_some());
            if is_of_interest {
                self.keeper.keep_up(&active, &scanned.id, &Look::Found(self.number)).await?;
            }
            anyhow::Ok(u64::from(is_of_interest))
        });
        let handed_on: Vec<u64> = looked.buffer_unordered(AT_ONCE).try_collect().await?;
        tally.handed_on += handed_on.iter().sum::<u64>();
        Ok(())
    }

    /// From now on these segments serve.
    async fn ended(&self) -> anyhow::Result<()> {
        let definitions = self.keeper.active.definitions();
        loop {
            let saved = definitions.saved_segments().await?;
            let editions = saved.editions.built(self.number, &saved.versions(), self.keeper.clock.now());
            let Some(editions) = editions else { return Ok(()) };
            if definitions.move_editions(&editions, saved.read).await? == Written::Done {
                return Ok(());
            }
        }
    }
}

impl Backfill {
    /// Goes on with a part of what is to be built under this number; begins with it, if
    /// nobody has.
    pub(crate) async fn build(&self, number: u64, work: ScanWork, deadline: Timestamp) -> anyhow::Result<()> {
        let name = work.scan.to_string();
        match self.building().await? {
            Some(building) if building.number == number && building.paused => return Ok(()),
            Some(building) if building.number == number => {
                let now = self.clock.now();
                if building.since > now {
                    return self.queue.send(&[(work, building.since.duration_since(now))]).await;
                }
                if self.scans.part::<Handed>(&name, work.part).await?.is_none()
                    && self.scans.begin::<Building, Handed>(&name, &building, SCAN_PARTS, now).await?
                        == Written::Overtaken
                    && self.scans.part::<Handed>(&name, work.part).await?.is_none()
                {
                    // Somebody is beginning with it at this moment.
                    return self.queue.send(&[(work, A_MOMENT)]).await;
                }
                // Read after it was seen that it is to be built, so that it is among them.
                let active = self.keeper.active.current().await?;
                let kinds = facts::kinds(&active.upkeep.needs(&active.upkeep.building(number)), now);
                self.walk(&SegmentsTask { keeper: &self.keeper, number, kinds }, work, deadline).await?;
            }
            _ => {}
        }
        match self.building().await? {
            Some(building) if building.number == number => Ok(()),
            next => {
                // Built, or built no more. Whoever forgets the scan sees to what comes next, and
                // nobody else: or each message that comes late would become sixteen, and each
                // of these in its turn.
                if self.scans.forget(&name).await? == Written::Done
                    && let Some(next) = next
                {
                    self.put_on_queue(&next).await?;
                }
                Ok(())
            }
        }
    }

    async fn building(&self) -> anyhow::Result<Option<Building>> {
        Ok(self.keeper.active.definitions().editions().await?.0.building)
    }

    async fn put_on_queue(&self, building: &Building) -> anyhow::Result<()> {
        let delay = building.since.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        let work = |part| (ScanWork { scan: ScanName::Segments(building.number), part, version: None }, delay);
        self.queue.send(&(0..SCAN_PARTS).map(work).collect::<Vec<_>>()).await
    }

    /// Begins with what is to be built and was not begun, as whoever saved it died or could
    /// not reach the queue.
    pub(crate) async fn see_to_what_is_to_build(&self) -> anyhow::Result<()> {
        let Some(building) = self.building().await?.filter(|building| !building.paused) else { return Ok(()) };
        let begun = self.scans.work::<Building>(&ScanName::Segments(building.number).to_string()).await?;
        match begun {
            None => self.put_on_queue(&building).await,
            Some(_) => Ok(()),
        }
    }

    /// Forgets the members of editions by which nobody goes any more, and how many there were
    /// on each day, of a segment that was deleted.
    pub(crate) async fn see_to_what_is_gone(&self, deadline: Timestamp) -> anyhow::Result<()> {
        let definitions = self.keeper.active.definitions();
        let mut cleared = Vec::new();
        for edition in definitions.editions().await?.0.all_gone() {
            if !self.clear(&edition, deadline).await? {
                break;
            }
            let is_first = definitions.editions().await?.0.is_first(&edition);
            if !is_first {
                self.sizes.forget(&edition).await?;
            }
            cleared.push((edition, is_first));
        }
        while !cleared.is_empty() {
            let (editions, read) = definitions.editions().await?;
            // If the segment was deleted since, its sizes are still to be forgotten.
            cleared.retain(|(edition, was_first)| editions.is_first(edition) == *was_first);
            let cleared: Vec<EditionOf> = cleared.iter().map(|(edition, _)| edition.clone()).collect();
            if definitions.put_gone(&editions.cleared(&cleared), read).await? == Written::Done {
                break;
            }
        }
        Ok(())
    }

    /// Forgets the members of an edition. Whether that was done in time.
    async fn clear(&self, edition: &EditionOf, deadline: Timestamp) -> anyhow::Result<bool> {
        let list = List::Segment(edition.clone());
        while self.clock.now() + TO_SPARE < deadline {
            let (members, next) = self.keeper.customers.listed(&list, None, CLEARED_AT_ONCE).await?;
            self.keeper.rows.clear(edition, &members).await?;
            if next.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes once a day how many are in each segment; of those that serve for the first time
    /// later that day, then.
    pub(crate) async fn see_to_sizes(&self, deadline: Timestamp) -> anyhow::Result<()> {
        let now = self.clock.now();
        let today = now.to_zoned(TimeZone::UTC).date();
        let mut serving = self.keeper.active.definitions().editions().await?.0.serving;
        // Whatever serves for the first time later has a higher number.
        let noted = self.sizes.noted(today).await?;
        serving.retain(|_, edition| noted.is_none_or(|noted| edition.first > noted));
        let Some(last) = serving.values().map(|edition| edition.first).max() else { return Ok(()) };
        for (code, edition) in serving {
            let first = (code.clone(), edition.first);
            if !self.sizes.sizes(&first, today, 1).await?.is_empty() {
                continue;
            }
            let has_time = || self.clock.now() + TO_SPARE < deadline;
            let counted = self.keeper.customers.count_members(&(code, edition.number), has_time).await?;
            if !counted.exact {
                return Ok(());
            }
            self.sizes.put_size(&first, today, counted.of[0]).await?;
        }
        self.sizes.put_noted(today, last).await
    }
}
