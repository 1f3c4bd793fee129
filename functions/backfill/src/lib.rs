//! Goes through all customers, once for each scan that was begun.
//!
//! The customers are divided into parts, each of which is gone through by itself, page by
//! page. With each page the part's place and what has come of its customers are moved on
//! together, by a conditional write: so of two workers on one part one is overtaken and
//! stops, of one that died the next goes on from there, and each customer counts once.
//! What is done with the customers is a [`task::Task`]'s business. Copying a segment to an
//! audience goes through the segment's members alone, likewise.
//!
//! A worker hands on to itself after a minute, so that the parts of all scans take turns. The
//! schedule sees to scans whose messages were lost: a part that was not moved for a while is
//! put on the queue again. A message that is handed on says from which version of the part it
//! goes on; whatever was sent for the part before that stops there, so that there is one.

mod again;
mod copy;
mod segments;
mod survey;
mod task;
mod walk;

use anyhow::Context as _;
use aws::Queue;
use aws_lambda_events::sqs::SqsEvent;
use campaigns::{SegmentCopy, Survey};
use contracts::{ScanName, ScanWork};
use facts::History;
use jiff::{SignedDuration, Timestamp};
use lambda::{Clock, Context, batch};
use membership::Keeper;
use serde_json::Value;
use store::{ActiveSet, Customers, Definitions, DictionaryCache, MembershipRows, Messages, Scans, Sizes, Timers};

use crate::survey::SurveyTask;

/// How long a worker stays with a part while others may wait.
const TURN: SignedDuration = SignedDuration::from_mins(1);

/// How long before the end of its time a worker hands on: longer than a page takes.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(60);

/// Serves the schedule and the backfill queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = aws_sdk_dynamodb::Client::new(&config);
    let required = lambda::config::required;
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let timers = Timers::new(db.clone(), required("TIMERS_TABLE")?);
    let clock = Clock::from_env();
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let messages = Messages::new(db.clone(), required("MESSAGES_TABLE")?);
    let backfill = Backfill {
        keeper: Keeper {
            history: History::new(customers.clone(), messages, DictionaryCache::new(definitions.clone())),
            customers,
            rows: MembershipRows::new(db.clone(), required("CUSTOMERS_TABLE")?, timers),
            active: ActiveSet::new(definitions),
            clock: clock.clone(),
        },
        scans: Scans::new(db.clone(), required("CHECKPOINTS_TABLE")?),
        sizes: Sizes::new(db, required("CHECKPOINTS_TABLE")?),
        queue: Queue::new(aws_sdk_sqs::Client::new(&config), required("BACKFILL_QUEUE_URL")?),
        clock,
    };
    lambda::serve(async |event, context| backfill.invoked(event, context).await).await
}

struct Backfill {
    keeper: Keeper,
    scans: Scans,
    sizes: Sizes,
    queue: Queue,
    clock: Clock,
}

impl Backfill {
    /// A batch from the queue has records; the schedule's event has none.
    async fn invoked(&self, event: Value, context: Context) -> anyhow::Result<Value> {
        let deadline = Timestamp::from_millisecond(i64::try_from(context.deadline)?)?;
        if event.get("Records").is_none() {
            self.see_to_what_is_to_build().await?;
            let again = self.see_to_what_is_lost().await?;
            self.see_to_sizes(deadline).await?;
            self.see_to_what_is_gone(deadline).await?;
            return Ok(again);
        }
        let event: SqsEvent = serde_json::from_value(event).ok().context("the batch could not be read")?;
        let until = (deadline - TO_SPARE).min(self.clock.now() + TURN);
        let answer = batch::messages(event, async |work: ScanWork| self.work(work, until).await).await?;
        Ok(serde_json::to_value(answer)?)
    }

    /// Goes on with a part of a scan, until it is time to hand on. Of one that was stopped
    /// nothing is there any more.
    async fn work(&self, work: ScanWork, until: Timestamp) -> anyhow::Result<()> {
        let name = work.scan.to_string();
        match &work.scan {
            ScanName::Segments(number) => self.build(*number, work, until).await,
            ScanName::Survey(_) => match self.scans.work::<Survey>(&name).await? {
                Some(survey) => self.walk(&SurveyTask::new(&self.keeper.history, &survey).await?, work, until).await,
                None => Ok(()),
            },
            ScanName::Copy(_) => match self.scans.work::<SegmentCopy>(&name).await? {
                Some(copy) => self.copy(&copy, work, until).await,
                None => Ok(()),
            },
        }
    }
}
