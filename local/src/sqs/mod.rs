//! SQS: durable queues, by the bundle's clock.

mod digest;
mod endpoint;
pub(crate) mod engine;
mod receipts;

use crate::clock::{Clock, millis};
use crate::faults::Faults;
use crate::store::{Store, StoreError};
use crate::template::Queue;
pub(crate) use endpoint::{Refusal, message_bytes};
use engine::{Depth, Outgoing, Receive, Received};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The queues of a bundle.
pub(crate) struct Queues {
    store: Store,
    clock: Arc<Clock>,
    faults: Arc<Faults>,
    /// By queue name.
    queues: HashMap<String, (Queue, watch::Sender<()>)>,
}

impl Queues {
    /// # Errors
    /// The store could not be read.
    pub(crate) async fn open(
        store: Store,
        queues: &[Queue],
        clock: Arc<Clock>,
        faults: Arc<Faults>,
    ) -> Result<Self, StoreError> {
        let now = clock.now_ms();
        store.run(move |db| engine::release_all(db, now)).await?;
        let queues = queues.iter().map(|queue| (queue.queue_name.clone(), (queue.clone(), watch::Sender::new(()))));
        Ok(Self { store, clock, faults, queues: queues.collect() })
    }

    /// The queue with this ARN, URL or name.
    pub(crate) fn find(&self, name: &str) -> Option<&Queue> {
        let name = crate::names::last(crate::names::last(name, '/'), ':');
        self.queues.get(name).map(|(queue, _)| queue)
    }

    /// Keeps the messages; returns when they are safe.
    pub(crate) async fn send(&self, queue: &Queue, messages: Vec<Outgoing>) -> Result<(), StoreError> {
        let copies = self.faults.copies(&queue.name, &queue.logical_id);
        let (name, now) = (queue.queue_name.clone(), self.clock.now_ms());
        self.store
            .run(move |db| messages.iter().try_for_each(|message| engine::send(db, &name, message, copies, now)))
            .await?;
        self.wake(&queue.queue_name);
        Ok(())
    }

    /// Keeps one message that a service of AWS sends, such as EventBridge.
    pub(crate) async fn put(&self, queue: &Queue, body: String) -> Result<(), StoreError> {
        let visible_ms = self.clock.now_ms() + millis(queue.delay);
        let message = Outgoing {
            message_id: uuid::Uuid::new_v4().to_string(),
            md5: digest::of_body(&body),
            body,
            attributes: None,
            sender: "AIDALOCALSERVICE".to_owned(),
            visible_ms,
        };
        self.send(queue, vec![message]).await
    }

    /// Takes up to `most` messages that are visible now.
    pub(crate) async fn receive(&self, queue: &Queue, most: usize) -> Result<Received, StoreError> {
        self.receive_for(queue, most, queue.visibility).await
    }

    /// Takes up to `most` messages that are visible now, which nobody else sees for that long.
    async fn receive_for(&self, queue: &Queue, most: usize, visibility: Duration) -> Result<Received, StoreError> {
        let how = Receive {
            queue: queue.queue_name.clone(),
            most,
            visibility_ms: millis(visibility),
            redrive: queue.redrive.as_ref().map(|(arn, most)| (crate::names::last(arn, ':').to_owned(), *most)),
        };
        let now = self.clock.now_ms();
        let received = self.store.run(move |db| engine::receive(db, &how, now)).await?;
        if received.redriven > 0
            && let Some((arn, _)) = &queue.redrive
        {
            self.wake(crate::names::last(arn, ':'));
        }
        Ok(received)
    }

    /// Deletes what is done and leaves the failed ones to their visibility timeout.
    pub(crate) async fn settle(&self, done: Vec<i64>, failed: Vec<i64>) -> Result<(), StoreError> {
        self.store.run(move |db| engine::settle(db, &done, &failed)).await
    }

    /// Puts messages back as if they had not been received.
    pub(crate) async fn release(&self, ids: Vec<i64>) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        self.store.run(move |db| engine::release(db, &ids, now)).await
    }

    /// How many messages each of these queues has, in their order.
    pub(crate) async fn depths(&self, queue_names: Vec<String>) -> Result<Vec<Depth>, StoreError> {
        let now = self.clock.now_ms();
        self.store.run(move |db| queue_names.iter().map(|queue| engine::depth(db, queue, now)).collect()).await
    }

    /// One of these queues that has a message which waits for its function alone.
    pub(crate) async fn pending(&self, queue_names: Vec<String>) -> Result<Option<String>, StoreError> {
        let now = self.clock.now_ms();
        self.first(queue_names, move |db, queue| engine::is_pending(db, queue, now)).await
    }

    /// One of these queues that has a message which failed and will come again.
    pub(crate) async fn awaiting_redelivery(&self, queue_names: Vec<String>) -> Result<Option<String>, StoreError> {
        self.first(queue_names, engine::awaits_redelivery).await
    }

    /// The bodies of a queue's messages, oldest first.
    pub(crate) async fn peek(&self, queue: &Queue) -> Result<Vec<String>, StoreError> {
        let name = queue.queue_name.clone();
        self.store.run(move |db| engine::peek(db, &name)).await
    }

    /// Changes when something may have come into the queue.
    pub(crate) fn subscribe(&self, queue: &Queue) -> Option<watch::Receiver<()>> {
        self.queues.get(&queue.queue_name).map(|(_, woken)| woken.subscribe())
    }

    async fn first(
        &self,
        queue_names: Vec<String>,
        test: impl Fn(&rusqlite::Connection, &str) -> rusqlite::Result<bool> + Send + 'static,
    ) -> Result<Option<String>, StoreError> {
        let job = move |db: &rusqlite::Connection| {
            for queue in queue_names {
                if test(db, &queue)? {
                    return Ok(Some(queue));
                }
            }
            Ok(None)
        };
        self.store.run(job).await
    }

    fn wake(&self, queue_name: &str) {
        if let Some((_, woken)) = self.queues.get(queue_name) {
            woken.send_replace(());
        }
    }
}
