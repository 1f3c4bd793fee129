//! Event source mappings: what brings messages and stream records to functions.

mod answer;
mod given_up;
pub(crate) mod queue;
mod retry;
pub(crate) mod stream;

use crate::activity::Activity;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::dynamodb::DynamoDb;
use crate::functions::Functions;
use crate::sqs::Queues;
use crate::store::Store;
use crate::template::QueueMapping;
use std::sync::Arc;
use tokio::sync::watch;

/// Most bytes of records in one invocation, with room for what surrounds them.
const PAYLOAD_BYTES: usize = 5_500_000;

/// What mappings work with.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) clock: Arc<Clock>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) dynamodb: Arc<DynamoDb>,
    pub(crate) store: Store,
    pub(crate) activity: Arc<Activity>,
    pub(crate) calls: Arc<Calls>,
    /// True when nothing new is to be begun.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Most processes of a function.
    pub(crate) most_instances: usize,
    /// All mappings of queues.
    pub(crate) queue_mappings: Arc<[QueueMapping]>,
}

impl Parts {
    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Resolves when nothing new is to be begun.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}
