//! EventBridge's default bus: rules with a pattern, queues behind them.

use crate::activity::{Activity, Busy};
use crate::sqs::Queues;
use crate::template::Rule;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Where events are put; clones are the same bus.
#[derive(Clone)]
pub(crate) struct Events {
    sender: mpsc::UnboundedSender<Item>,
    activity: Arc<Activity>,
}

/// What the bus works through, in order.
pub(crate) enum Item {
    Event(Value, Busy),
    Flush(oneshot::Sender<()>),
}

impl Events {
    pub(crate) fn new(activity: Arc<Activity>) -> (Self, mpsc::UnboundedReceiver<Item>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, activity }, receiver)
    }

    /// Takes an event in EventBridge's envelope.
    pub(crate) fn publish(&self, event: Value) {
        let _ = self.sender.send(Item::Event(event, self.activity.begin()));
    }

    /// Returns when everything published before is in its queues.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.sender.send(Item::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

/// Puts events into the queues of the rules they match.
pub(crate) async fn run(rules: Vec<Rule>, queues: Arc<Queues>, mut items: mpsc::UnboundedReceiver<Item>) {
    while let Some(item) = items.recv().await {
        match item {
            Item::Event(event, _busy) => {
                let matching = rules.iter().filter(|rule| rule.pattern.matches(&event));
                for queue in matching.flat_map(|rule| &rule.queues).filter_map(|arn| queues.find(arn)) {
                    // The store fails for good or not at all, and then the runner says so elsewhere.
                    let _ = queues.put(queue, event.to_string()).await;
                }
            }
            Item::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}
