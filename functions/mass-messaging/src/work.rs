use anyhow::Context;
use campaigns::{Mailing, MailingProgress, Segments, Stage};
use conditions::{Condition, Program};
use contracts::MailingWork;
use domain::message::State;
use domain::{Code, Customer, CustomerId, MailingId, Message};
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use store::{AudiencePage, CUSTOMER_SHARDS, Entry, Kind, List, Versioned, Written};

use crate::MassMessaging;

/// How many customers are looked at for one page of the audience.
const PAGE: usize = 250;

/// The same where all that they did and have is read of each.
const PAGE_WITH_HISTORY: usize = 50;

/// How many messages are written at the same time.
const WRITES_AT_ONCE: usize = 16;

/// How long before its deadline a worker hands on to the next.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(10);

/// How long to wait before messages that are under way are looked at again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// How long an UNKNOWN message may still turn out to have been sent. One that was put back onto its
/// queue comes again within SQS's longest delay, which is 15 minutes; one on which a sender failed
/// comes every two minutes, up to twenty times.
const HOPE: SignedDuration = SignedDuration::from_mins(45);

/// What comes next.
enum Next {
    /// The checkpoint was moved; there is more to do.
    On(MailingProgress),
    /// Messages are under way; nothing to do until they are settled.
    Later(MailingProgress),
    /// Everybody is accounted for, or somebody else is at it.
    Over,
}

impl MassMessaging {
    /// Works on a mailing from its checkpoint until it is done or time is up.
    pub(crate) async fn go_on(&self, work: MailingWork, deadline: Timestamp) -> anyhow::Result<()> {
        let MailingWork { mailing_id: id, checkpoint } = work;
        let Some(Versioned { value: mut progress, mut version }) = self.mailings.progress(&id).await? else {
            return Ok(());
        };
        if checkpoint.is_some_and(|checkpoint| checkpoint < version) {
            return Ok(());
        }
        let mailing =
            self.definitions.version::<Mailing>(Kind::Mailing, id.as_str(), progress.definition_version).await?;
        let mailing = mailing.context("the version of the mailing that is being sent is gone")?;
        loop {
            let next = self.step(&mailing, progress, version).await?;
            let delay = match next {
                Next::Over => return Ok(()),
                Next::On(_) if self.clock.now() + TO_SPARE < deadline => None,
                Next::On(_) => Some(SignedDuration::ZERO),
                Next::Later(_) => Some(PATIENCE),
            };
            let (Next::On(moved) | Next::Later(moved)) = next else { return Ok(()) };
            progress = moved;
            version += 1;
            if let Some(delay) = delay {
                return self.queue.send(&[(MailingWork { mailing_id: id, checkpoint: Some(version) }, delay)]).await;
            }
        }
    }

    async fn step(&self, mailing: &Mailing, progress: MailingProgress, version: u64) -> anyhow::Result<Next> {
        match progress.stage {
            Stage::Scheduled if mailing.at > self.clock.now() => Ok(Next::Over),
            Stage::Scheduled => {
                let started_at = Some(self.clock.now());
                self.moved(&mailing.id, MailingProgress { stage: Stage::Collecting, started_at, ..progress }, version)
                    .await
            }
            Stage::Collecting if progress.written < progress.pages => {
                self.write_messages(mailing, progress, version).await
            }
            Stage::Collecting if progress.shard < CUSTOMER_SHARDS => self.collect(mailing, progress, version).await,
            Stage::Collecting => {
                self.moved(&mailing.id, MailingProgress { stage: Stage::Sending, ..progress }, version).await
            }
            Stage::Sending if progress.tallied < progress.pages => self.tally(mailing, progress, version).await,
            Stage::Sending => {
                let ended_at = Some(self.clock.now());
                self.moved(&mailing.id, MailingProgress { stage: Stage::Sent, ended_at, ..progress }, version).await
            }
            Stage::Sent => {
                self.mailings.close(&mailing.id).await?;
                Ok(Next::Over)
            }
        }
    }

    /// Puts the next page of the audience down.
    async fn collect(&self, mailing: &Mailing, mut progress: MailingProgress, version: u64) -> anyhow::Result<Next> {
        let page = if mailing.audience.as_ref().is_some_and(asks_for_history) { PAGE_WITH_HISTORY } else { PAGE };
        let (audience, next) = self.meant(mailing, &progress, page).await?;
        if next.is_none() {
            progress.shard += 1;
        }
        progress.after = next;
        if audience.is_empty() {
            return self.moved(&mailing.id, progress, version).await;
        }
        let number = progress.pages;
        progress.pages += 1;
        progress.audience += audience.len() as u64;
        match self.mailings.put_page(&mailing.id, number, &audience, &progress, version).await? {
            Written::Done => Ok(Next::On(progress)),
            Written::Overtaken => Ok(Next::Over),
        }
    }

    /// Those to whom the mailing goes of the next customers, in their order, and the place
    /// behind these. What they did and have is read of each, if the audience asks for it.
    async fn meant(
        &self,
        mailing: &Mailing,
        progress: &MailingProgress,
        limit: usize,
    ) -> anyhow::Result<(Vec<CustomerId>, Option<String>)> {
        let (shard, after) = (progress.shard, progress.after.as_deref());
        let Some(audience) = &mailing.audience else {
            let (customers, next) = self.customers.page(shard, after, i32::try_from(limit)?).await?;
            return Ok((customers.into_iter().map(|customer| customer.id).collect(), next));
        };
        let (customers, next, segments) = loop {
            let list = self.list_of(audience).await?;
            let (customers, next) = match &list {
                Some(list) => self.members(list, shard, after, limit).await?,
                None => self.customers.page(shard, after, i32::try_from(limit)?).await?,
            };
            let segments =
                if audience.segments().is_empty() { Segments::default() } else { self.definitions.segments().await? };
            // Another edition may have taken over meanwhile, and what is kept of the one before
            // be forgotten while it was read.
            if list == self.list_of(audience).await? {
                break (customers, next, segments);
            }
        };
        Ok((self.history.those_who(audience, &segments, customers, self.clock.now()).await?, next))
    }

    /// The list of the members of a segment outside of which nobody is meant, if there is
    /// one: then nobody else need be looked at.
    async fn list_of(&self, audience: &Condition) -> anyhow::Result<Option<List>> {
        let within = audience.within();
        if within.is_empty() {
            return Ok(None);
        }
        let (editions, _) = self.definitions.editions().await?;
        let serving = |code: &str| {
            let (code, edition) = editions.serving.get_key_value(&Code::parse(code).ok()?)?;
            Some(List::Segment((code.clone(), edition.number)))
        };
        Ok(within.into_iter().find_map(serving))
    }

    /// Some of the customers in one part of a list, and the place behind them: it is the same
    /// place among all customers, and in every other list.
    async fn members(
        &self,
        list: &List,
        part: u32,
        after: Option<&str>,
        limit: usize,
    ) -> anyhow::Result<(Vec<Customer>, Option<String>)> {
        let (mut ids, next) = self.customers.listed_in(list, part, after, limit).await?;
        ids.retain(|id| !id.is_visitor());
        let mut known = self.customers.profiles(&ids).await?;
        Ok((ids.iter().filter_map(|id| known.remove(id)).collect(), next))
    }

    /// Writes the messages of the first page that lacks them. Those that are
    /// there already, from a worker that died, stay as they are.
    async fn write_messages(
        &self,
        mailing: &Mailing,
        mut progress: MailingProgress,
        version: u64,
    ) -> anyhow::Result<Next> {
        if let AudiencePage::Audience(audience) = self.mailings.page(&mailing.id, progress.written).await? {
            let now = self.clock.now();
            let messages =
                audience.iter().map(|customer_id| Ok(mailing.message(progress.definition_version, customer_id, now)));
            futures::stream::iter(messages)
                .try_for_each_concurrent(WRITES_AT_ONCE, async |message: Message| {
                    self.messages.put(&message).await.map(drop)
                })
                .await?;
            let ids: Vec<_> = audience.iter().map(|id| Message::id_of_mailing(&mailing.id, id)).collect();
            self.mailings.note_written(&mailing.id, progress.written, &ids).await?;
        }
        progress.written += 1;
        self.moved(&mailing.id, progress, version).await
    }

    /// Takes the next page into the accounts, if all of it is settled.
    async fn tally(&self, mailing: &Mailing, mut progress: MailingProgress, version: u64) -> anyhow::Result<Next> {
        let AudiencePage::Written(ids) = self.mailings.page(&mailing.id, progress.tallied).await? else {
            anyhow::bail!("a page whose messages are not written cannot be taken into the accounts");
        };
        let mut entries = self.messages.entries(&ids, false).await?;
        if entries.iter().any(|entry| entry.state == State::Unknown) {
            // That one is sent, or is not, is true however old it is. This is not.
            entries = self.messages.entries(&ids, true).await?;
        }
        let now = self.clock.now();
        let complete = entries.len() == ids.len() && entries.iter().all(|entry| is_over(entry, now));
        if complete {
            progress.tally(entries.iter().map(|entry| (entry.state, entry.reason)));
        }
        match self.moved(&mailing.id, progress, version).await? {
            Next::On(progress) if !complete => Ok(Next::Later(progress)),
            next => Ok(next),
        }
    }

    async fn moved(&self, id: &MailingId, progress: MailingProgress, version: u64) -> anyhow::Result<Next> {
        match self.mailings.checkpoint(id, &progress, version).await? {
            Written::Done => Ok(Next::On(progress)),
            Written::Overtaken => Ok(Next::Over),
        }
    }
}

/// Whether an audience may ask for more than the profile. What a segment asks for is not
/// looked into.
fn asks_for_history(audience: &Condition) -> bool {
    let needs = Program::new([audience], |_| None).all_needs();
    !needs.collections.is_empty() || !needs.audiences.is_empty() || !audience.segments().is_empty()
}

/// Whether the accounts may be closed on a message. One of which nobody knows is
/// given time, as SES's events may yet tell what became of it.
fn is_over(entry: &Entry, now: Timestamp) -> bool {
    match entry.state {
        State::Unknown => {
            // What is sent once more, be it at the end of quiet hours or of a stop, is not over
            // before that.
            let again = entry.put_off.map(|(until, _)| until).max(entry.waited_at);
            again.max(entry.settled_at).is_none_or(|at| at + HOPE < now)
        }
        state => state.is_settled(),
    }
}
