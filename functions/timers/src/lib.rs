//! Hands on what falls due.
//!
//! Once a minute everything that falls due before the next time goes onto the
//! evaluations queue, or, if it is a message that was put off, onto its lane, held back
//! there for the seconds that are left. How far
//! that was done is noted, so that an outage delays and never skips. A timer
//! that is still there some minutes after its time got lost on the way, and is
//! handed on once more.

use aws::Queue;
use contracts::{DeliverMessage, Evaluation};
use jiff::{SignedDuration, Timestamp};
use lambda::Clock;
use serde::{Deserialize, Serialize};
use store::{TIMER_SHARDS, TIMERS_AHEAD, Timer, Timers, TimersCursor};

/// How long after it was handed on a timer that is still there counts as lost.
/// Longer than an evaluation that fails takes to come again.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(6);

/// Serves the schedule.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = aws_sdk_dynamodb::Client::new(&config);
    let client = aws_sdk_sqs::Client::new(&config);
    let queue = |name| Ok::<_, lambda::Error>(Queue::new(client.clone(), lambda::config::required(name)?));
    let hand_on = HandOn {
        timers: Timers::new(db.clone(), lambda::config::required("TIMERS_TABLE")?),
        cursor: TimersCursor::new(db, lambda::config::required("CHECKPOINTS_TABLE")?),
        evaluations: queue("EVALUATIONS_QUEUE_URL")?,
        deliveries: queue("DELIVERIES_QUEUE_URL")?,
        bulk_deliveries: queue("BULK_DELIVERIES_QUEUE_URL")?,
        clock: Clock::from_env(),
    };
    lambda::serve(async |_: Scheduled, _| hand_on.all().await).await
}

/// The schedule's event. The clock says what time it is, so nothing of it is
/// needed.
#[derive(Debug, Deserialize)]
struct Scheduled {}

/// What was done, for whoever invokes the function by hand.
#[derive(Debug, Serialize)]
struct Done {
    handed_on: usize,
}

struct HandOn {
    timers: Timers,
    cursor: TimersCursor,
    evaluations: Queue,
    deliveries: Queue,
    bulk_deliveries: Queue,
    clock: Clock,
}

impl HandOn {
    async fn all(&self) -> anyhow::Result<Done> {
        let now = self.clock.now();
        let to = now + TIMERS_AHEAD;
        let from = self.cursor.get().await?.unwrap_or(Timestamp::UNIX_EPOCH);
        if to <= from {
            // Another one was here a moment ago, by a clock a little ahead of ours.
            return Ok(Done { handed_on: 0 });
        }
        let shards = (0..TIMER_SHARDS).map(|shard| self.shard(shard, from, now, to));
        let handed_on = futures::future::try_join_all(shards).await?.into_iter().sum();
        self.cursor.set(to).await?;
        Ok(Done { handed_on })
    }

    async fn shard(&self, shard: u32, from: Timestamp, now: Timestamp, to: Timestamp) -> anyhow::Result<usize> {
        let mut handed_on = 0;
        let mut hand_on = async |timers: Vec<Timer>| {
            handed_on += timers.len();
            let (mut evaluations, mut deliveries, mut bulk_deliveries) = (Vec::new(), Vec::new(), Vec::new());
            for Timer { customer_id, run_id, message, at } in timers {
                let left = at.duration_since(now);
                let Some(message) = message else {
                    evaluations.push((Evaluation::due(customer_id, run_id, at), left));
                    continue;
                };
                let lane = if message.is_bulk() { &mut bulk_deliveries } else { &mut deliveries };
                lane.push((DeliverMessage { message: *message, due: Some(at), copy: None }, left));
            }
            self.evaluations.send(&evaluations).await?;
            self.deliveries.send(&deliveries).await?;
            self.bulk_deliveries.send(&bulk_deliveries).await
        };
        let lost_from = from.saturating_sub(LOST_AFTER).unwrap_or(from);
        self.timers.due(shard, lost_from, (to - LOST_AFTER).min(from), &mut hand_on).await?;
        self.timers.due(shard, from, to, &mut hand_on).await?;
        Ok(handed_on)
    }
}
