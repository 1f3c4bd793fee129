//! Edits because of which segments may have other members.

use std::collections::BTreeSet;

use campaigns::{Building, Editions, Segment};
use conditions::Needs;
use contracts::{ScanName, ScanWork};
use domain::Code;
use jiff::{SignedDuration, Timestamp};
use lambda::http::{Failure, Request};
use serde::Serialize;
use store::{Deleted, Kind as Defined, SCAN_PARTS, SavedSegments, Written};

use crate::Manage;

/// After how long everybody goes by a word of the dictionary that was edited: as long as it
/// is kept in memory, and what clocks differ by.
const WORDS_ARE_KNOWN: SignedDuration = SignedDuration::from_secs(3);

/// What an edit means for the editions.
enum Meaning {
    /// Nothing, whatever else is saved.
    Nothing,
    /// They stay as they are. They are written all the same, so that this is refused if
    /// something was saved meanwhile because of which it means something else.
    Same,
    /// There are to be others of the segment that is saved and of all that ask about it.
    Segment(Code, BTreeSet<Code>),
    /// There are to be others of the segments that go by a word, if there are any; and of
    /// none from before this time.
    Word(BTreeSet<Code>, Timestamp),
    /// There are none of this one any more.
    Gone(Code),
}

impl Meaning {
    /// The editions after it, given the version that the edit makes.
    fn editions(&self, saved: &SavedSegments, version: u64, now: Timestamp) -> Option<Editions> {
        let mut versions = saved.versions();
        match self {
            Self::Nothing => None,
            Self::Same => Some(saved.editions.clone()),
            Self::Segment(code, affected) => {
                versions.insert(code.clone(), version);
                Some(saved.editions.edited(affected, &versions, now))
            }
            Self::Word(affected, since) => {
                Some(saved.editions.no_earlier_than(*since).edited(affected, &versions, now))
            }
            Self::Gone(code) => {
                versions.remove(code);
                Some(saved.editions.without(code, &versions, now))
            }
        }
    }
}

impl Manage {
    /// Saves a segment, with other editions of it and of all that ask about it. `check`
    /// is asked by what else is saved.
    pub(crate) async fn save_segment(
        &self,
        request: &Request,
        segment: &Segment,
        check: impl AsyncFn(&SavedSegments) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let code = &segment.code;
        let meaning = async |saved: &SavedSegments| {
            check(saved).await?;
            let mut segments = saved.segments();
            // One that was saved before editions were kept has none yet.
            if segments.condition(code.as_str()) == Some(&segment.condition) && saved.editions.is_known(code) {
                return Ok(Meaning::Same);
            }
            segments.insert(segment.clone());
            Ok(Meaning::Segment(code.clone(), segments.asking_about(code)))
        };
        let saved = self.edit(request, Defined::Segment, code.as_str(), Some(segment), meaning).await?;
        Ok(saved.unwrap_or_default())
    }

    /// Deletes a segment, if there is one. `check` is asked by what else is saved.
    pub(crate) async fn forget_segment(
        &self,
        request: &Request,
        code: &Code,
        check: impl AsyncFn(&SavedSegments) -> Result<(), Failure>,
    ) -> Result<Option<u64>, Failure> {
        let meaning = async |saved: &SavedSegments| {
            check(saved).await?;
            Ok(Meaning::Gone(code.clone()))
        };
        self.edit(request, Defined::Segment, code.as_str(), None::<&Segment>, meaning).await
    }

    /// Saves a word of the dictionary or deletes it, with other editions of the segments
    /// that go by it; none, if segments never go by such words. `check` is asked by what is
    /// saved beside it.
    pub(crate) async fn edit_word(
        &self,
        request: &Request,
        id: &str,
        word: Option<&impl Serialize>,
        goes_by_it: Option<fn(&Needs) -> bool>,
        check: impl AsyncFn() -> Result<(), Failure>,
    ) -> Result<Option<u64>, Failure> {
        let meaning = async |saved: &SavedSegments| {
            check().await?;
            let Some(goes_by_it) = goes_by_it else { return Ok(Meaning::Nothing) };
            let needs = saved.segments();
            let affected = needs.needs().filter(|(_, needs)| goes_by_it(needs)).map(|(code, _)| code).collect();
            Ok(Meaning::Word(affected, self.clock.now() + WORDS_ARE_KNOWN))
        };
        self.edit(request, Defined::Word, id, word, meaning).await
    }

    /// Saves a definition or deletes it, with what that means for the editions; anew, if
    /// others were saved meanwhile. The version; none if there was nothing to delete.
    async fn edit(
        &self,
        request: &Request,
        kind: Defined,
        id: &str,
        definition: Option<&impl Serialize>,
        meaning: impl AsyncFn(&SavedSegments) -> Result<Meaning, Failure>,
    ) -> Result<Option<u64>, Failure> {
        loop {
            // The revision first: whatever is saved after it was looked for is noticed.
            let revision = self.definitions.revision().await?;
            let definitions = self.definitions.by(request.key_id()).only_at(revision);
            let (saved, now) = (self.definitions.saved_segments().await?, self.clock.now());
            let meaning = meaning(&saved).await?;
            let also = |version| {
                let put = meaning
                    .editions(&saved, version, now)
                    .map(|editions| self.definitions.put_editions(&editions, saved.read));
                Ok(put.transpose()?.into_iter().collect())
            };
            let edited = match definition {
                Some(definition) => {
                    definitions.save(kind, id, definition, now, also).await?.map_or(Deleted::Refused, Deleted::Now)
                }
                None => definitions.delete(kind, id, kind == Defined::Word, now, also).await?,
            };
            match edited {
                Deleted::Refused => {}
                Deleted::Before => return Ok(None),
                Deleted::Now(version) => {
                    let editions = meaning.editions(&saved, version, now);
                    if let (Meaning::Segment(code, _), Some(editions)) = (&meaning, &editions)
                        && saved.versions().get(code) == Some(&version)
                        && self.definitions.move_editions(editions, saved.read).await? == Written::Overtaken
                    {
                        // It is the same as was saved, so nothing was written, and has no edition.
                        continue;
                    }
                    let building = editions.and_then(|editions| editions.building);
                    if let Some(building) =
                        building.filter(|building| saved.editions.building.as_ref() != Some(building))
                    {
                        self.hasten(&building).await;
                    }
                    return Ok(Some(version));
                }
            }
        }
    }

    /// Has the building of segments begin, or go on, at once.
    pub(crate) async fn hasten(&self, building: &Building) {
        let delay = building.since.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        self.put_on_queue(&ScanName::Segments(building.number), SCAN_PARTS, delay).await;
    }

    /// Has all parts of a scan that was noted begin. Should that fail, the schedule finds
    /// them: whoever asked for the scan is not to ask again, or there would be two.
    pub(crate) async fn put_on_queue(&self, scan: &ScanName, parts: u32, delay: SignedDuration) {
        let work = |part| (ScanWork { scan: scan.clone(), part, version: None }, delay);
        if let Err(error) = self.backfill.send(&(0..parts).map(work).collect::<Vec<_>>()).await {
            tracing::warn!(scan = %scan, error = format!("{error:#}"), "a scan begins later");
        }
    }
}
