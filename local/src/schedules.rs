//! What runs by the clock.

use crate::mappings::Parts;
use crate::names;
use crate::template::Schedule;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A schedule that is running.
pub(crate) struct Running {
    pub(crate) schedule: Schedule,
    /// When it starts its function next.
    next_ms: AtomicI64,
}

impl Running {
    pub(crate) fn new(schedule: Schedule, now_ms: i64) -> Arc<Self> {
        let next_ms = AtomicI64::new(schedule.due.next(now_ms));
        Arc::new(Self { schedule, next_ms })
    }

    pub(crate) fn next_ms(&self) -> i64 {
        self.next_ms.load(Ordering::SeqCst)
    }

    /// Starts the function each time it is due. After a jump it is started once, and while it
    /// still runs it is not started again.
    pub(crate) async fn run(self: Arc<Self>, parts: Parts) {
        loop {
            tokio::select! {
                () = parts.stopped() => return,
                () = parts.clock.sleep_until(self.next_ms()) => {}
            }
            // Before it stops being due, for otherwise it would look as if nothing were left to do.
            let busy = parts.activity.begin();
            let now_ms = parts.clock.now_ms();
            let due_ms = self.next_ms.swap(self.schedule.due.next(now_ms), Ordering::SeqCst);
            let event = self.event(self.schedule.due.meant(due_ms, now_ms));
            if let Some(pool) = parts.functions.find(&self.schedule.function) {
                // An error is counted where the function is; the next time is the retry.
                let _ = parts.functions.invoke(pool, event.to_string()).await;
            }
            drop(busy);
        }
    }

    fn event(&self, due_ms: i64) -> Value {
        if let Some(input) = &self.schedule.input {
            return input.clone();
        }
        let due = Timestamp::from_millisecond(due_ms).unwrap_or_default();
        let resource = match self.schedule.source {
            "aws.scheduler" => names::arn("scheduler", &format!("schedule/default/{}", self.schedule.logical_id)),
            _ => names::arn("events", &format!("rule/{}", self.schedule.logical_id)),
        };
        json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "Scheduled Event",
            "source": self.schedule.source,
            "account": names::ACCOUNT,
            "time": due.to_string(),
            "region": names::REGION,
            "resources": [resource],
            "detail": {},
        })
    }
}
