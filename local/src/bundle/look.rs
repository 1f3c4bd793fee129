//! Looking at a bundle, and waiting for it.

use super::{Bundle, Core, NotQuiet};
use crate::names;
use crate::state::{FunctionState, QueueState, State, StreamState, TableState, TableUnits, TimersState, Units};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a wait is for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Until {
    /// Nothing goes on and nothing waits but for its time.
    Quiet,
    /// Nothing goes on that does not need the clock to move: messages that failed may wait for their next try.
    Settled,
}

impl Bundle {
    /// Waits until nothing is going on: no invocation, no message visible or in flight, no stream
    /// record unread, no schedule due. Messages that are delayed do not count.
    ///
    /// # Errors
    /// It has not become quiet in `timeout` of real time; says what was going on.
    pub async fn wait_quiet(&self, timeout: Duration) -> Result<(), NotQuiet> {
        self.core.wait(Until::Quiet, timeout).await
    }

    /// The bundle at this moment.
    pub async fn state(&self) -> State {
        self.core.state().await
    }
}

impl Core {
    pub(super) async fn wait(&self, until: Until, timeout: Duration) -> Result<(), NotQuiet> {
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            // Before looking, so that no change is missed.
            let changed = self.activity.changed();
            let Some(obstacle) = self.obstacle(until).await else { return Ok(()) };
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return match self.obstacle(until).await {
                    None => Ok(()),
                    Some(_) => Err(NotQuiet(obstacle)),
                };
            }
        }
    }

    /// What keeps the bundle from being quiet. All places are looked at without any work
    /// having begun meanwhile, so nothing slips from one to another unseen.
    pub(super) async fn obstacle(&self, until: Until) -> Option<String> {
        const WORKING: &str = "invocations or calls are under way";
        let epoch = self.activity.epoch();
        if !self.activity.is_idle() {
            return Some(WORKING.to_owned());
        }
        if let Some(reader) = self.readers.iter().find(|reader| !reader.is_caught_up()) {
            return Some(format!("{} has stream records to read", reader.mapping.logical_id));
        }
        let now_ms = self.clock.now_ms();
        if let Some(schedule) = self.schedules.iter().find(|schedule| schedule.next_ms() <= now_ms) {
            return Some(format!("schedule {} is due", schedule.schedule.logical_id));
        }
        let fed: Vec<String> =
            self.description.queue_mappings.iter().map(|mapping| names::last(&mapping.queue, ':').to_owned()).collect();
        match self.queues.pending(fed.clone()).await {
            Ok(None) => {}
            Ok(Some(queue)) => return Some(format!("queue {queue} has messages")),
            Err(e) => return Some(e.to_string()),
        }
        if until == Until::Quiet {
            match self.queues.awaiting_redelivery(fed).await {
                Ok(None) => {}
                Ok(Some(queue)) => return Some(format!("queue {queue} has failed messages that will be tried again")),
                Err(e) => return Some(e.to_string()),
            }
        }
        (!self.activity.is_idle() || self.activity.epoch() != epoch).then(|| WORKING.to_owned())
    }

    async fn state(&self) -> State {
        let busy_with = self.obstacle(Until::Quiet).await;
        let functions = self.functions.all().map(|pool| {
            let counts = pool.counts();
            let billed = self.calls.of(&pool.function.name);
            FunctionState {
                name: pool.function.name.clone(),
                invocations: counts.invocations,
                errors: counts.errors,
                cold_starts: counts.cold_starts,
                instances: counts.instances,
                memory_bytes: counts.memory_bytes,
                peak_memory_bytes: counts.peak_memory_bytes,
                cpu_ms: counts.cpu_ms,
                last_error: counts.last_error,
                aws_calls: billed.calls,
                dynamodb: self.by_short_name(&billed.tables),
                sqs_requests: billed.sqs_requests,
                sqs_polls: billed.sqs_polls,
                sqs_messages: billed.sqs_messages,
                billed_ms: counts.billed_ms,
                memory_mb: pool.function.memory,
            }
        });
        let functions = functions.collect();
        let (queues, next_due) = self.queue_states().await;
        let tables = self.table_states().await;
        let timers = self
            .description
            .tables
            .iter()
            .position(|table| matches!(table.logical_id.as_str(), "Timers" | "TimersTable"));
        State {
            quiet: busy_with.is_none(),
            busy_with,
            now: self.clock.now(),
            clock_offset_ms: self.clock.offset_ms(),
            functions,
            queues,
            streams: self.stream_states().await,
            timers: TimersState {
                next_schedule: self.schedules.iter().map(|schedule| schedule.next_ms()).min().and_then(at),
            },
            timers_pending: timers.and_then(|position| tables.get(position)).map(|table| table.items),
            aws_calls: self.calls.all(),
            tables,
            next_due,
        }
    }

    async fn queue_states(&self) -> (Vec<QueueState>, Option<Timestamp>) {
        let queues = &self.description.queues;
        let names = queues.iter().map(|queue| queue.queue_name.clone()).collect();
        let depths = self.queues.depths(names).await.unwrap_or_default();
        let is_dead_letters = |arn: &str| {
            queues.iter().any(|queue| queue.redrive.as_ref().is_some_and(|(dead_letters, _)| dead_letters == arn))
        };
        let depth_of = |arn: &str| {
            let position = queues.iter().position(|queue| queue.arn == arn)?;
            depths.get(position)
        };
        let states =
            queues.iter().zip(&depths).filter(|(queue, _)| !is_dead_letters(&queue.arn)).map(|(queue, depth)| {
                let dead_letters = queue.redrive.as_ref().and_then(|(arn, _)| depth_of(arn));
                QueueState {
                    name: queue.name.clone(),
                    depth: depth.visible,
                    in_flight: depth.in_flight,
                    delayed: depth.delayed,
                    dead_letters: dead_letters.map_or(0, |depth| depth.visible + depth.in_flight + depth.delayed),
                }
            });
        (states.collect(), depths.iter().filter_map(|depth| depth.next_ms).min().and_then(at))
    }

    async fn stream_states(&self) -> Vec<StreamState> {
        let mut states = Vec::new();
        for reader in &self.readers {
            let name = &reader.mapping.table_name;
            let table = self.description.tables.iter().find(|table| &table.table_name == name);
            // What the filters leave out is read all the same.
            let pending = match reader.is_caught_up() {
                true => 0,
                false => self.dynamodb.pending(name, reader.checkpoint()).await.unwrap_or_default(),
            };
            states.push(StreamState {
                table: table.map_or(name, |table| &table.name).clone(),
                mapping: reader.mapping.logical_id.clone(),
                pending,
            });
        }
        states
    }

    async fn table_states(&self) -> Vec<TableState> {
        let names = self.description.tables.iter().map(|table| table.table_name.clone()).collect();
        let counts = self.dynamodb.counts(names).await;
        let units = self.calls.tables();
        let state = |table: &crate::template::Table| TableState {
            name: table.name.clone(),
            items: counts.get(&table.table_name).copied().unwrap_or_default(),
            units: units.get(&table.table_name).copied().unwrap_or_default(),
        };
        self.description.tables.iter().map(state).collect()
    }

    fn by_short_name(&self, units: &BTreeMap<String, Units>) -> TableUnits {
        let mut named = TableUnits::default();
        for table in &self.description.tables {
            if let Some(units) = units.get(&table.table_name) {
                named.all.read_units += units.read_units;
                named.all.write_units += units.write_units;
                named.tables.insert(table.name.clone(), *units);
            }
        }
        named
    }
}

fn at(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}
