//! The processes of one function: as many as there is work for, one invocation at a time each.

use super::logs::Log;
use super::process::{self, Process};
use super::usage::{self, Usage};
use super::{Counts, Failure, Launch, Outcome};
use crate::template::Function;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a process may have nothing to do before it is ended.
const IDLE: Duration = Duration::from_secs(60);
/// How long a process may take to ask for its first work.
const INIT: Duration = Duration::from_secs(30);

/// The pool of one function.
pub(crate) struct Pool {
    pub(crate) function: Function,
    launch: Arc<Launch>,
    most: usize,
    log: Log,
    me: Weak<Pool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    instances: HashMap<u64, Instance>,
    /// Instances that wait for work, the longest waiting first.
    idle: Vec<u64>,
    waiting: VecDeque<Job>,
    last_instance: u64,
    stopping: bool,
    counts: Counts,
    /// What processes took that have ended.
    past: Usage,
}

struct Instance {
    process: Process,
    /// Where it gets its next work, while it waits for some.
    parked: Option<oneshot::Sender<Work>>,
    running: Option<Running>,
    /// Whether it has ever asked for work.
    ready: bool,
    since: Instant,
    /// As last looked at, for the system forgets when it ends.
    usage: Usage,
}

impl Instance {
    fn look(&mut self) {
        if let Some(usage) = usage::of(self.process.id) {
            self.usage = usage;
        }
    }
}

struct Running {
    id: String,
    reply: oneshot::Sender<Outcome>,
}

struct Job {
    work: Work,
    started: oneshot::Sender<u64>,
    reply: oneshot::Sender<Outcome>,
}

/// What an instance gets to do.
pub(super) struct Work {
    pub(super) id: String,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: i64,
}

impl Pool {
    pub(super) fn new(function: Function, launch: Arc<Launch>, most: usize) -> Arc<Self> {
        let log = Log::new(launch.logs.as_deref(), &function.name);
        Arc::new_cyclic(|me| Self { function, launch, most, log, me: me.clone(), state: Mutex::default() })
    }

    /// Runs the function once. Waits for a free process, starting one if there may be more.
    pub(crate) async fn invoke(&self, payload: Bytes) -> Outcome {
        let (started, starts) = oneshot::channel();
        let (reply, replies) = oneshot::channel();
        let work = Work { id: uuid::Uuid::new_v4().to_string(), payload, deadline_ms: 0 };
        if !self.queue(Job { work, started, reply }) {
            return Err(Failure::Stopping);
        }
        let instance = match starts.await {
            Err(_) => {
                let outcome = replies.await.unwrap_or(Err(Failure::Stopping));
                self.count(&outcome, Duration::ZERO);
                return outcome;
            }
            Ok(instance) => instance,
        };
        let begun = Instant::now();
        let outcome = match tokio::time::timeout(self.function.timeout, replies).await {
            Ok(outcome) => outcome.unwrap_or(Err(Failure::Stopping)),
            Err(_) => {
                self.kill(instance).await;
                Err(Failure::TimedOut(self.function.timeout))
            }
        };
        self.count(&outcome, begun.elapsed());
        outcome
    }

    /// Ends an instance as a crash would.
    pub(crate) async fn kill(&self, instance: u64) {
        let process = self.lock().instances.get(&instance).map(|instance| instance.process.clone());
        if let Some(process) = process {
            process.kill().await;
        }
    }

    /// An instance asks for work. Resolves when there is some; never for one that is not known.
    pub(super) fn next(&self, instance: u64) -> Option<oneshot::Receiver<Work>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        let known = state.instances.get_mut(&instance)?;
        known.ready = true;
        known.since = Instant::now();
        known.running = None;
        known.parked = Some(sender);
        state.idle.retain(|id| *id != instance);
        state.idle.push(instance);
        self.hand_out(&mut state);
        Some(receiver)
    }

    /// An instance has answered. `false` if it was not asked.
    pub(super) fn answer(&self, instance: u64, id: &str, outcome: Outcome) -> bool {
        let mut state = self.lock();
        let running = state.instances.get_mut(&instance).and_then(|instance| instance.running.take_if(|r| r.id == id));
        drop(state);
        running.is_some_and(|running| running.reply.send(outcome).is_ok())
    }

    /// An instance could not get ready, and says why.
    pub(super) fn init_failed(&self, instance: u64, failure: Failure) {
        let mut state = self.lock();
        if state.instances.contains_key(&instance)
            && let Some(job) = state.waiting.pop_front()
        {
            let _ = job.reply.send(Err(failure));
        }
    }

    /// Ends what has been idle for long, or has not become ready in time.
    pub(super) fn reap(&self) {
        let mut state = self.lock();
        let State { instances, idle, .. } = &mut *state;
        for (id, instance) in instances.iter_mut() {
            instance.look();
            let late = !instance.ready && instance.since.elapsed() > INIT;
            if late || (idle.contains(id) && instance.since.elapsed() > IDLE) {
                instance.process.kill_later();
            }
        }
        idle.retain(|id| instances.get(id).is_some_and(|instance| instance.since.elapsed() <= IDLE));
    }

    /// Takes no more work; what waits is refused.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        state.waiting.clear();
    }

    pub(super) fn kill_later(&self) {
        self.lock().instances.values().for_each(|instance| instance.process.kill_later());
    }

    pub(super) async fn kill_all(&self) {
        let processes: Vec<_> = self.lock().instances.values().map(|instance| instance.process.clone()).collect();
        processes.iter().for_each(Process::kill_later);
        for process in processes {
            process.kill().await;
        }
    }

    /// Counts so far, the number of processes, and what they take.
    pub(crate) fn counts(&self) -> Counts {
        let mut state = self.lock();
        let mut counts = state.counts.clone();
        counts.instances = state.instances.len();
        counts.cpu_ms = state.past.cpu_ms;
        counts.peak_memory_bytes = state.past.peak_memory_bytes;
        for instance in state.instances.values_mut() {
            instance.look();
            counts.memory_bytes += instance.usage.memory_bytes;
            counts.peak_memory_bytes = counts.peak_memory_bytes.max(instance.usage.peak_memory_bytes);
            counts.cpu_ms += instance.usage.cpu_ms;
        }
        counts
    }

    pub(crate) fn logs(&self) -> Vec<String> {
        self.log.lines()
    }

    fn queue(&self, job: Job) -> bool {
        let mut state = self.lock();
        if state.stopping {
            return false;
        }
        state.counts.invocations += 1;
        state.waiting.push_back(job);
        self.hand_out(&mut state);
        let starting = state.instances.values().filter(|instance| !instance.ready).count();
        if state.waiting.len() > starting && state.instances.len() < self.most {
            self.start(&mut state);
        }
        true
    }

    /// Brings waiting work and waiting instances together.
    fn hand_out(&self, state: &mut State) {
        while !state.waiting.is_empty()
            && let Some(id) = state.idle.pop()
        {
            let Some(instance) = state.instances.get_mut(&id) else { continue };
            let Some(parked) = instance.parked.take() else { continue };
            let Some(mut job) = state.waiting.pop_front() else { return };
            job.work.deadline_ms = self.launch.now_ms().saturating_add(crate::clock::millis(self.function.timeout));
            let running = Running { id: job.work.id.clone(), reply: job.reply };
            match parked.send(job.work) {
                Ok(()) => {
                    instance.running = Some(running);
                    let _ = job.started.send(id);
                }
                // It hung up while it waited: it is of no use any more.
                Err(work) => {
                    instance.process.kill_later();
                    state.waiting.push_front(Job { work, started: job.started, reply: running.reply });
                }
            }
        }
    }

    fn start(&self, state: &mut State) {
        state.last_instance += 1;
        let id = state.last_instance;
        let me = self.me.clone();
        let ended = move |status| {
            if let Some(pool) = me.upgrade() {
                pool.ended(id, status);
            }
        };
        match process::start(&self.launch, &self.function, id, &self.log, ended) {
            Ok(process) => {
                state.counts.cold_starts += 1;
                let instance = Instance {
                    process,
                    parked: None,
                    running: None,
                    ready: false,
                    since: Instant::now(),
                    usage: Usage::default(),
                };
                state.instances.insert(id, instance);
            }
            Err(e) => {
                if let Some(job) = state.waiting.pop_front() {
                    let _ = job.reply.send(Err(Failure::NotStarted(e.to_string())));
                }
            }
        }
    }

    fn ended(&self, id: u64, status: ExitStatus) {
        let mut state = self.lock();
        let Some(instance) = state.instances.remove(&id) else { return };
        state.idle.retain(|idle| *idle != id);
        state.past.cpu_ms += instance.usage.cpu_ms;
        state.past.peak_memory_bytes = state.past.peak_memory_bytes.max(instance.usage.peak_memory_bytes);
        if let Some(running) = instance.running {
            let _ = running.reply.send(Err(Failure::Crashed(status.to_string())));
        } else if !instance.ready
            && let Some(job) = state.waiting.pop_front()
        {
            // It never got ready: without this, a broken function would be started over and over.
            let _ = job.reply.send(Err(Failure::Crashed(status.to_string())));
        }
        if !state.stopping && !state.waiting.is_empty() && state.instances.len() < self.most {
            self.start(&mut state);
        }
    }

    fn count(&self, outcome: &Outcome, took: Duration) {
        let mut state = self.lock();
        state.counts.billed_ms += u64::try_from(took.as_micros().div_ceil(1000)).unwrap_or_default();
        if let Err(failure) = outcome {
            state.counts.errors += 1;
            state.counts.last_error = Some(failure.to_string());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
