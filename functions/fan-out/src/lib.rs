//! Streams of changes onto the queues.
//!
//! A record's images become named changes, which go to the evaluations queue if a
//! campaign waits for them, and what was touched, if a segment may turn by it: those of
//! one customer in one message; those of products go to a queue of their
//! own, as it is not known whom they concern; a message row that is to be sent goes
//! to its lane; a timer that falls due too soon for the every-minute schedule
//! goes out with its delay. A batch that fails half-way comes again, and what
//! went out before goes out twice: every consumer bears that.

use std::collections::{BTreeMap, BTreeSet};

use aws::Queue;
use contracts::{Cause, DeliverMessage, Evaluation, Happened, ProductWork};
use domain::{CustomerId, Touched};
use jiff::SignedDuration;
use lambda::Clock;
use lambda::batch::{Answer, StreamEvent};
use store::images::{self, Ordered, Seen};
use store::{ActiveSet, Customers, Definitions, TIMERS_SOON};

/// How many changes of products one message holds.
const PRODUCTS: usize = 50;

/// How long the index may lag behind by which a customer's messages are found. Everything
/// else that is asked about is beside the customer.
const INDEX_LAGS: SignedDuration = SignedDuration::from_secs(5);

/// Serves batches of the streams.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let client = aws_sdk_sqs::Client::new(&config);
    let db = aws_sdk_dynamodb::Client::new(&config);
    let queue = |name| Ok::<_, lambda::Error>(Queue::new(client.clone(), lambda::config::required(name)?));
    let fan_out = FanOut {
        customers: Customers::new(db.clone(), lambda::config::required("CUSTOMERS_TABLE")?),
        active: ActiveSet::new(Definitions::new(db, lambda::config::required("DEFINITIONS_TABLE")?)),
        evaluations: queue("EVALUATIONS_QUEUE_URL")?,
        deliveries: queue("DELIVERIES_QUEUE_URL")?,
        bulk_deliveries: queue("BULK_DELIVERIES_QUEUE_URL")?,
        product_changes: queue("PRODUCT_CHANGES_QUEUE_URL")?,
        clock: Clock::from_env(),
    };
    lambda::serve(async |event, _| fan_out.hand_on(event).await).await
}

struct FanOut {
    customers: Customers,
    active: ActiveSet,
    evaluations: Queue,
    deliveries: Queue,
    bulk_deliveries: Queue,
    product_changes: Queue,
    clock: Clock,
}

impl FanOut {
    async fn hand_on(&self, event: StreamEvent) -> anyhow::Result<Answer> {
        let (seen, answer) =
            event.decode(|record| images::read(record.dynamodb.old_image, record.dynamodb.new_image))?;
        let active = self.active.current().await?;
        let mut causes: BTreeMap<CustomerId, Vec<Cause>> = BTreeMap::new();
        let mut touched_of: BTreeMap<CustomerId, BTreeSet<Touched>> = BTreeMap::new();
        let (mut evaluations, mut written_to) = (Vec::new(), BTreeSet::new());
        let (mut deliveries, mut bulk_deliveries) = (Vec::new(), Vec::new());
        let mut happened: Vec<Happened> = Vec::new();
        for seen in seen {
            match seen {
                Seen::Customer { customer_id, changes, touched, ordered, at, contacts_before } => {
                    if let Some(touched) = touched.filter(|touched| active.upkeep.heeds(touched)) {
                        touched_of.entry(customer_id.clone()).or_default().insert(touched);
                    }
                    let causes = causes.entry(customer_id).or_default();
                    causes.extend(ordered.map(|Ordered { container, at }| Cause::Ordered { container, at }));
                    let heard = changes.into_iter().filter(|change| active.is_heard(change));
                    causes.extend(heard.map(|change| Cause::Changed { change, at }));
                    causes.extend(contacts_before.map(|before| Cause::Contacts { before }));
                }
                Seen::Left { customer_id } => causes.entry(customer_id).or_default().push(Cause::Left),
                Seen::Settled(customer_id) => {
                    written_to.insert(customer_id);
                }
                Seen::Message(message) => {
                    if !message.origin.is_test() {
                        written_to.insert(message.customer_id.clone());
                    }
                    let lane = if message.is_bulk() { &mut bulk_deliveries } else { &mut deliveries };
                    lane.push((DeliverMessage { message: *message, due: None, copy: None }, SignedDuration::ZERO));
                }
                Seen::Timer(timer) => {
                    let left = timer.at.duration_since(self.clock.now());
                    if left > TIMERS_SOON {
                        continue;
                    }
                    match timer.message {
                        Some(message) => {
                            let lane = if message.is_bulk() { &mut bulk_deliveries } else { &mut deliveries };
                            lane.push((DeliverMessage { message: *message, due: Some(timer.at), copy: None }, left));
                        }
                        None => evaluations.push((Evaluation::due(timer.customer_id, timer.run_id, timer.at), left)),
                    }
                }
                Seen::Product { changes, at } => {
                    happened.extend(changes.into_iter().map(|change| Happened { change, at }));
                }
                Seen::Nothing => {}
            }
        }
        self.note_who_left(&mut causes).await?;
        for (customer_id, touched) in touched_of {
            let what = touched.into_iter().collect();
            causes.entry(customer_id).or_default().push(Cause::Touched { what });
        }
        causes.retain(|_, causes| !causes.is_empty());
        if active.upkeep.heeds(&Touched::Messages) {
            let touched = || vec![Cause::Touched { what: vec![Touched::Messages] }];
            let evaluation = |customer_id| (Evaluation { customer_id, causes: touched() }, INDEX_LAGS);
            evaluations.extend(written_to.into_iter().map(evaluation));
        }
        let changed =
            causes.into_iter().map(|(customer_id, causes)| (Evaluation { customer_id, causes }, SignedDuration::ZERO));
        evaluations.extend(changed);
        self.evaluations.send(&evaluations).await?;
        self.deliveries.send(&deliveries).await?;
        self.bulk_deliveries.send(&bulk_deliveries).await?;
        let product_changes: Vec<_> = happened
            .chunks(PRODUCTS)
            .map(|happened| (ProductWork::Changed { happened: happened.to_vec() }, SignedDuration::ZERO))
            .collect();
        self.product_changes.send(&product_changes).await?;
        Ok(answer)
    }

    /// Whatever is written for somebody who is another one by now, or was erased, has
    /// to follow: its writer looked too early who they are.
    async fn note_who_left(&self, causes: &mut BTreeMap<CustomerId, Vec<Cause>>) -> anyhow::Result<()> {
        let ids: Vec<CustomerId> = causes.keys().cloned().collect();
        for (id, _) in self.customers.identities(&ids).await? {
            let causes = causes.entry(id).or_default();
            if !causes.contains(&Cause::Left) {
                causes.push(Cause::Left);
            }
        }
        Ok(())
    }
}
