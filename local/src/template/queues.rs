//! `AWS::SQS::Queue`.

use super::{Properties, Queue, Stack};
use crate::names;
use std::time::Duration;

impl Stack {
    pub(super) fn queue(&self, logical_id: &str, properties: Properties<'_>) -> Result<Queue, String> {
        if properties.flag("FifoQueue") == Some(true) {
            return Err("FIFO queues are not supported".to_owned());
        }
        let queue_name = self.queue_name(logical_id)?;
        let redrive = properties.within("RedrivePolicy");
        let redrive = match redrive.text("deadLetterTargetArn") {
            Some(arn) => {
                let most = redrive.number("maxReceiveCount")?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
                Some((arn.to_owned(), most.ok_or("maxReceiveCount of the RedrivePolicy is missing")?))
            }
            None => None,
        };
        Ok(Queue {
            logical_id: logical_id.to_owned(),
            name: self.short_name(logical_id, &queue_name),
            url: names::queue_url(&queue_name),
            arn: names::arn("sqs", &queue_name),
            queue_name,
            visibility: properties.seconds("VisibilityTimeout")?.unwrap_or(Duration::from_secs(30)),
            delay: properties.seconds("DelaySeconds")?.unwrap_or_default(),
            redrive,
        })
    }
}
