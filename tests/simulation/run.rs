//! One run: a shop's messages, the functions that send them, and all that happens to both.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use contracts::DeliverMessage;
use feedback::Feedback;
use jiff::{SignedDuration, Timestamp};
use lambda::{Clock, Context};
use sender::Sender;
use serde_json::{Value, json};
use store::{Customers, Definitions, Entry, Messages, TIMER_SHARDS, Timer, Timers};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::network::Network;
use crate::plan::{Codes, Plan, Planned};
use crate::shop;
use crate::world::{Time, World};

/// The functions' timeout.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How many of one function run at the same time.
const AT_ONCE: usize = 50;

/// How many copies of a message come at once where there are many.
const CROWD: u8 = 50;

/// After how long a timer that is still there is handed on again.
const HANDED_ON_AGAIN: Duration = Duration::from_secs(360);

/// How often a message may be put back onto its queue. In the longest stop one message is tried
/// some twenty times, and each time the others may come by more than once.
pub(crate) const PUT_BACK: usize = 400;

/// How long a run may take, in its own time.
pub(crate) const LONGEST: Duration = Duration::from_secs(48 * 3600);

/// What became of everything.
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) entries: BTreeMap<String, Entry>,
    pub(crate) world: Network,
    /// When it was noted of an address that it is not to be written to.
    pub(crate) noted: BTreeMap<String, Timestamp>,
    /// Which promo code each message was given.
    pub(crate) given: BTreeMap<String, String>,
    /// What was still under way when time was up.
    pub(crate) left: usize,
}

/// Runs what the seed says, from its beginning until nothing is left to do.
pub(crate) fn run(seed: u64, clock: &Arc<local::Clock>) -> Outcome {
    // The SDK's own chances: how long it waits before it asks again.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let network = Network::new(World::new(seed, Arc::clone(clock)));
        let plan = Plan::by(&mut network.world().rng);
        Rc::new(Run::begin(network, plan).await).to_the_end().await
    })
}

struct Run {
    plan: Plan,
    network: Network,
    time: Time,
    messages: Messages,
    timers: Timers,
    definitions: Definitions,
    /// Senders that are alive and idle, as Lambda keeps them.
    senders: RefCell<Vec<Rc<Sender>>>,
    feedbacks: RefCell<Vec<Rc<Feedback>>>,
    running: Cell<usize>,
    /// How much is still to happen without anybody's doing: messages to be decided on, an upload.
    to_come: Cell<usize>,
    handed_on: RefCell<BTreeMap<String, Vec<Instant>>>,
    noted: RefCell<BTreeMap<String, Timestamp>>,
}

/// What the environment holds for the functions.
fn setting(name: &str) -> Result<String, lambda::Error> {
    Ok(match name {
        "FROM_ADDRESS" => "shop@example.com".to_owned(),
        "SHOP_NAME" => "Shop".to_owned(),
        "PUBLIC_URL" => "https://shop.example".to_owned(),
        "CONFIGURATION_SET" => "set".to_owned(),
        _ => match name.strip_suffix("_TABLE") {
            Some(table) => table_name(table),
            None => format!("http://aws/{name}"),
        },
    })
}

/// A table as the template names it: `MESSAGES` is `cartwire-MessagesTable`.
fn table_name(table: &str) -> String {
    let mut name = table.to_lowercase();
    name[..1].make_ascii_uppercase();
    format!("cartwire-{name}Table")
}

impl Run {
    async fn begin(network: Network, plan: Plan) -> Self {
        let db = aws_sdk_dynamodb::Client::new(&network.calm());
        let time = network.world().time;
        let definitions = Definitions::new(db.clone(), setting("DEFINITIONS_TABLE").unwrap());
        let customers = Customers::new(db.clone(), setting("CUSTOMERS_TABLE").unwrap());
        shop::open(&definitions, &customers, &plan, time.now()).await;
        {
            let mut world = network.world();
            let from = Instant::now() + Duration::from_millis(world.rng.u64(..600_000));
            let until = from + Duration::from_millis(world.rng.u64(60_000..7_200_000));
            world.ses.paused = plan.paused.then_some((from, until));
            world.ses.deaf = plan.deaf;
            world.faults = plan.faults;
        }
        Self {
            messages: Messages::new(db.clone(), setting("MESSAGES_TABLE").unwrap()),
            timers: Timers::new(db, setting("TIMERS_TABLE").unwrap()),
            definitions,
            time,
            senders: RefCell::default(),
            feedbacks: RefCell::default(),
            running: Cell::new(0),
            to_come: Cell::new(plan.messages.len() + usize::from(matches!(plan.codes, Codes::Uploaded(..)))),
            handed_on: RefCell::default(),
            noted: RefCell::default(),
            network,
            plan,
        }
    }

    async fn to_the_end(self: Rc<Self>) -> Outcome {
        for planned in self.plan.messages.clone() {
            spawn_local(Rc::clone(&self).decide(planned));
        }
        if let Codes::Uploaded(count, after) = self.plan.codes {
            spawn_local(Rc::clone(&self).upload_again(count, after));
        }
        let end = Instant::now() + LONGEST;
        let mut timers_looked_at = Instant::now();
        while Instant::now() < end && !self.goes_round() {
            self.invoke_senders();
            self.invoke_feedback();
            let next = {
                let world = self.network.world();
                [world.deliveries.next(), world.feedback.next()].into_iter().flatten().min()
            };
            let is_busy = self.running.get() + self.to_come.get() > 0 || next.is_some();
            let now = Instant::now();
            if !is_busy || timers_looked_at.elapsed() >= Duration::from_secs(60) {
                timers_looked_at = now;
                // While nobody does anything no timer is set, so the next thing to happen is the first of them.
                match self.hand_on_what_is_due().await {
                    None if !is_busy => break,
                    Some(first) if !is_busy => {
                        sleep_until(first.min(end)).await;
                        continue;
                    }
                    _ => {}
                }
            }
            let soon = now + Duration::from_millis(100);
            sleep_until(next.map_or(soon, |next| next.max(now + Duration::from_millis(1))).min(soon)).await;
        }
        let ids: Vec<_> = self.plan.messages().map(|message| message.id.clone()).collect();
        let entries = self.messages.entries(&ids, true).await.unwrap();
        let (timers, given) = (self.timers().await.len(), self.given().await);
        let left = {
            let world = self.network.world();
            world.deliveries.len() + world.feedback.len()
        };
        Outcome {
            plan: self.plan.clone(),
            entries: entries.into_iter().map(|entry| (entry.message.id.to_string(), entry)).collect(),
            world: self.network.clone(),
            noted: self.noted.borrow().clone(),
            given,
            left: left + timers,
        }
    }

    /// Uploads the codes once more, as somebody does to whom the first answer got lost; what
    /// comes of it they do not wait for.
    async fn upload_again(self: Rc<Self>, count: usize, after: Duration) {
        sleep(after).await;
        let db = aws_sdk_dynamodb::Client::new(&self.network.config());
        let definitions = Definitions::new(db, setting("DEFINITIONS_TABLE").unwrap());
        drop(definitions.add_codes(&shop::group(), shop::uploaded(count), self.time.now()).await);
        self.to_come.set(self.to_come.get() - 1);
    }

    async fn given(&self) -> BTreeMap<String, String> {
        let (given, _) = self.definitions.given_codes(&shop::group(), 1_000, None).await.unwrap();
        given.into_iter().map(|given| (given.message_id.to_string(), given.code)).collect()
    }

    /// Whether a message is put back onto its queue again and again: copies would soon be so
    /// many that no run ends.
    fn goes_round(&self) -> bool {
        self.network.world().put_back.values().any(|times| *times > PUT_BACK)
    }

    /// Writes a message, as campaigns and mailings do, and puts it on its queue, as the stream
    /// does: more than once, and some copies at the same moment.
    async fn decide(self: Rc<Self>, Planned { mut message, after, .. }: Planned) {
        sleep(after).await;
        message.created_at = self.time.now();
        self.messages.put(&message).await.unwrap();
        let body = serde_json::to_string(&DeliverMessage { message, due: None, copy: None }).unwrap();
        let mut world = self.network.world();
        let copies = if self.plan.crowded { CROWD } else { world.rng.u8(1..=self.plan.copies) };
        for _ in 0..copies {
            let late = world.rng.choice([0, 0, 50, 5_000, 200_000]).unwrap();
            let delay = if self.plan.crowded { 0 } else { world.rng.u64(..=late) };
            world.deliveries.put(body.clone(), Duration::from_millis(delay));
        }
        drop(world);
        self.to_come.set(self.to_come.get() - 1);
    }

    fn invoke_senders(self: &Rc<Self>) {
        while self.running.get() < AT_ONCE {
            let batch = {
                let world = &mut *self.network.world();
                let most = world.rng.usize(1..=10);
                world.deliveries.receive(&mut world.rng, most)
            };
            if batch.is_empty() {
                return;
            }
            let run = Rc::clone(self);
            self.running.set(self.running.get() + 1);
            spawn_local(async move {
                let sender = run.senders.borrow_mut().pop();
                let time = run.time;
                let sender = sender.unwrap_or_else(|| {
                    let clock = Clock::telling(move || time.now());
                    Rc::new(Sender::new(&run.network.config(), setting, clock).unwrap())
                });
                let context = run.context();
                if let Some(answer) = run.invoked(&batch, sender.batch(event(&batch), context)).await {
                    run.senders.borrow_mut().push(sender);
                    let failed = failures(&answer);
                    let mut world = run.network.world();
                    batch
                        .iter()
                        .filter(|(id, _)| !failed.contains(id))
                        .for_each(|(id, _)| world.deliveries.delete(*id));
                }
                run.running.set(run.running.get() - 1);
            });
        }
    }

    fn invoke_feedback(self: &Rc<Self>) {
        while self.running.get() < 2 * AT_ONCE {
            let batch = {
                let world = &mut *self.network.world();
                world.feedback.receive(&mut world.rng, 10)
            };
            if batch.is_empty() {
                return;
            }
            let run = Rc::clone(self);
            self.running.set(self.running.get() + 1);
            spawn_local(async move {
                let feedback = run.feedbacks.borrow_mut().pop();
                let time = run.time;
                let feedback = feedback.unwrap_or_else(|| {
                    let clock = Clock::telling(move || time.now());
                    Rc::new(Feedback::new(&run.network.config(), setting, clock).unwrap())
                });
                if let Some(answer) = run.invoked(&batch, feedback.batch(event(&batch))).await {
                    run.feedbacks.borrow_mut().push(feedback);
                    let failed = failures(&answer);
                    for (id, body) in batch.iter().filter(|(id, _)| !failed.contains(id)) {
                        run.network.world().feedback.delete(*id);
                        run.note(body);
                    }
                }
                run.running.set(run.running.get() - 1);
            });
        }
    }

    /// One invocation: what it answers, unless it is killed, or its time is up.
    async fn invoked<T: serde::Serialize>(
        &self,
        batch: &[(u64, String)],
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> Option<Value> {
        let polls = {
            let mut world = self.network.world();
            let killed = world.rng.u8(..100) < self.plan.kills;
            killed.then(|| world.rng.usize(..40 * batch.len()))
        };
        let answer = timeout(TIMEOUT, killable(work, polls)).await.ok()??;
        Some(serde_json::to_value(answer.ok()?).unwrap())
    }

    fn context(&self) -> Context {
        let mut context = Context::default();
        context.request_id = format!("{:x}", self.network.world().rng.u64(..));
        let deadline = self.time.now() + SignedDuration::try_from(TIMEOUT).unwrap();
        context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
        context
    }

    /// Remembers that an address is known by now not to be written to.
    fn note(&self, event: &str) {
        let event: Value = serde_json::from_str(event).unwrap();
        let detail = &event["detail"];
        let bounced = &detail["bounce"]["bouncedRecipients"][0]["emailAddress"];
        let complained = &detail["complaint"]["complainedRecipients"][0]["emailAddress"];
        if let Some(address) = bounced.as_str().or(complained.as_str()) {
            self.noted.borrow_mut().entry(address.to_owned()).or_insert(self.time.now());
        }
    }

    /// Hands on the messages whose time has come, and those that are still there minutes later
    /// once more. When there is something to hand on next, if there is anything at all.
    async fn hand_on_what_is_due(&self) -> Option<Instant> {
        let (now, time) = (Instant::now(), self.time.now());
        let mut next = None;
        for timer in self.timers().await {
            let Some(message) = timer.message else { continue };
            let key = format!("{} {}", message.id, timer.at);
            let mut handed_on = self.handed_on.borrow_mut();
            let left = timer.at.duration_since(time).unsigned_abs();
            let due = match handed_on.get(&key).map(Vec::as_slice) {
                // As `timers` does: once more, and never again.
                Some([_, _, ..]) => continue,
                Some([before]) => *before + HANDED_ON_AGAIN,
                Some([]) | None if timer.at > time => now + left,
                Some([]) | None => now,
            };
            if due <= now {
                handed_on.entry(key).or_default().push(now);
                let work = DeliverMessage { message: *message, due: Some(timer.at), copy: None };
                self.network.world().deliveries.put(serde_json::to_string(&work).unwrap(), Duration::ZERO);
            }
            let due = due.max(now);
            next = Some(next.map_or(due, |next: Instant| next.min(due)));
        }
        next
    }

    async fn timers(&self) -> Vec<Timer> {
        let far: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
        let mut timers = Vec::new();
        for shard in 0..TIMER_SHARDS {
            let mut take = async |some: Vec<Timer>| {
                timers.extend(some);
                Ok(())
            };
            self.timers.due(shard, Timestamp::UNIX_EPOCH, far, &mut take).await.unwrap();
        }
        timers
    }
}

/// The work, unless it is killed when it has been gone on with so often.
async fn killable<T>(work: impl Future<Output = T>, mut polls: Option<usize>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Some(left) = &mut polls {
            let Some(fewer) = left.checked_sub(1) else { return Poll::Ready(None) };
            *left = fewer;
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}

fn event(batch: &[(u64, String)]) -> SqsEvent {
    let records: Vec<_> = batch.iter().map(|(id, body)| json!({ "messageId": id.to_string(), "body": body })).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn failures(answer: &Value) -> Vec<u64> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().parse().unwrap()).collect()
}

/// The clock by which the tables keep tokens; it stands still.
pub(crate) fn tables_clock(folder: &Path) -> Arc<local::Clock> {
    Arc::new(local::Clock::open(folder.join("clock")).unwrap())
}
