//! What can be made to go wrong.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One thing that is to go wrong, as `POST /faults` takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Every message sent to the queue from now on is delivered `times` times in all.
    Duplicate {
        /// The queue's short name or logical id; `*` is every queue.
        queue: String,
        /// At least 1.
        times: u32,
    },
    /// Every call of the service takes this much longer.
    Delay {
        /// `dynamodb`, `sqs` or `ses`.
        service: String,
        /// In milliseconds.
        ms: u64,
    },
    /// The next calls are refused as if there were too many, and not carried out.
    Throttle {
        /// `dynamodb`, `sqs` or `ses`.
        service: String,
        /// E.g. `PutItem`; any if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// Calls of this function alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// How many calls.
        next: u32,
    },
    /// The next calls are answered with this error of SES's, and not carried out.
    Refuse {
        /// `ses`.
        service: String,
        /// E.g. `SendEmail`; any if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// Calls of this function alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// The answer's status, such as 503.
        status: u16,
        /// The error's name, such as `SlowDown`.
        error: String,
        /// What it says.
        #[serde(default)]
        message: String,
        /// How many calls.
        next: u32,
    },
    /// The next calls are carried out, and the connection is closed instead of an answer.
    LoseAnswer {
        /// `dynamodb`, `sqs` or `ses`.
        service: String,
        /// E.g. `PutItem`; any if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// Calls of this function alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// How many calls.
        next: u32,
    },
    /// The process that makes the n-th call from now on is killed.
    Kill {
        /// The function's short name.
        function: String,
        /// The number of the call, from 1, among the function's matching calls.
        at_call: u32,
        /// `dynamodb`, `sqs` or `ses`; any if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// E.g. `SendEmail`; any if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// Before the call is carried out, or after.
        when: When,
        /// How many times over, counting anew each time.
        #[serde(default = "once")]
        next: u32,
    },
}

/// When a process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The call is not carried out.
    Before,
    /// The call is carried out, its answer never arrives.
    After,
}

fn once() -> u32 {
    1
}

/// A call of a function to AWS.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    /// `None` for a caller that is no function.
    pub(crate) function: Option<&'a str>,
}

/// What happens to one call.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) throttle: bool,
    /// Status, name and text of the error to answer with.
    pub(crate) refuse: Option<(u16, String, String)>,
    pub(crate) lose_answer: bool,
    pub(crate) kill: Option<When>,
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults {
    /// Spares the usual call the lock.
    any: AtomicBool,
    faults: Mutex<Vec<Armed>>,
}

struct Armed {
    fault: Fault,
    /// Calls counted towards [`Fault::Kill::at_call`].
    calls: u32,
}

impl Faults {
    pub(crate) fn add(&self, faults: Vec<Fault>) {
        let mut armed = self.lock();
        armed.extend(faults.into_iter().map(|fault| Armed { fault, calls: 0 }));
        self.any.store(!armed.is_empty(), Ordering::SeqCst);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.any.store(false, Ordering::SeqCst);
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.lock().iter().map(|armed| armed.fault.clone()).collect()
    }

    /// How often each message sent to this queue is to be delivered.
    pub(crate) fn copies(&self, name: &str, logical_id: &str) -> u32 {
        if !self.any.load(Ordering::SeqCst) {
            return 1;
        }
        let copies = |armed: &Armed| match &armed.fault {
            Fault::Duplicate { queue, times } if queue == "*" || queue == name || queue == logical_id => Some(*times),
            _ => None,
        };
        self.lock().iter().filter_map(copies).max().unwrap_or(1).max(1)
    }

    /// What happens to this call; what is used up by it is gone.
    pub(crate) fn judge(&self, call: Call<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        if !self.any.load(Ordering::SeqCst) {
            return verdict;
        }
        let mut faults = self.lock();
        faults.retain_mut(|armed| armed.apply(call, &mut verdict));
        self.any.store(!faults.is_empty(), Ordering::SeqCst);
        verdict
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Armed>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    /// Whether the fault stays in force.
    fn apply(&mut self, call: Call<'_>, verdict: &mut Verdict) -> bool {
        match &mut self.fault {
            Fault::Delay { service, ms } => {
                if service == call.service {
                    verdict.delay += Duration::from_millis(*ms);
                }
                true
            }
            Fault::Throttle { service, operation, function, next } => {
                if !verdict.throttle && call.is(Some(service), operation.as_deref(), function.as_deref()) && *next > 0 {
                    verdict.throttle = true;
                    *next -= 1;
                }
                *next > 0
            }
            Fault::Refuse { service, operation, function, status, error, message, next } => {
                if verdict.refuse.is_none()
                    && call.is(Some(service), operation.as_deref(), function.as_deref())
                    && *next > 0
                {
                    verdict.refuse = Some((*status, error.clone(), message.clone()));
                    *next -= 1;
                }
                *next > 0
            }
            Fault::LoseAnswer { service, operation, function, next } => {
                if !verdict.lose_answer
                    && call.is(Some(service), operation.as_deref(), function.as_deref())
                    && *next > 0
                {
                    verdict.lose_answer = true;
                    *next -= 1;
                }
                *next > 0
            }
            Fault::Kill { function, at_call, service, operation, when, next } => {
                if call.is(service.as_deref(), operation.as_deref(), Some(function)) && *next > 0 {
                    self.calls += 1;
                    if self.calls == (*at_call).max(1) {
                        verdict.kill = Some(*when);
                        self.calls = 0;
                        *next -= 1;
                    }
                }
                *next > 0
            }
            Fault::Duplicate { .. } => true,
        }
    }
}

impl Call<'_> {
    fn is(&self, service: Option<&str>, operation: Option<&str>, function: Option<&str>) -> bool {
        service.is_none_or(|service| service == self.service)
            && operation.is_none_or(|operation| operation == self.operation)
            && function.is_none_or(|function| Some(function) == self.function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(value: serde_json::Value) -> Faults {
        let faults = Faults::default();
        faults.add(vec![serde_json::from_value(value).unwrap()]);
        faults
    }

    const SEND: Call<'static> = Call { service: "ses", operation: "SendEmail", function: Some("sender") };
    const GET: Call<'static> = Call { service: "dynamodb", operation: "GetItem", function: Some("sender") };

    #[test]
    fn a_throttle_is_used_up() {
        let faults = faults(json!({"kind": "throttle", "service": "ses", "next": 2}));
        assert!(!faults.judge(GET).throttle);
        assert!(faults.judge(SEND).throttle);
        assert!(faults.judge(SEND).throttle);
        assert!(!faults.judge(SEND).throttle);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_kill_counts_the_functions_matching_calls() {
        let faults = faults(
            json!({"kind": "kill", "function": "sender", "at_call": 2, "operation": "SendEmail", "when": "after"}),
        );
        assert_eq!(faults.judge(SEND).kill, None);
        assert_eq!(faults.judge(GET).kill, None);
        assert_eq!(faults.judge(Call { function: Some("other"), ..SEND }).kill, None);
        assert_eq!(faults.judge(SEND).kill, Some(When::After));
        assert_eq!(faults.judge(SEND).kill, None);
    }

    #[test]
    fn copies_are_those_of_the_queue() {
        let faults = faults(json!({"kind": "duplicate", "queue": "deliveries", "times": 3}));
        assert_eq!(faults.copies("deliveries", "Deliveries"), 3);
        assert_eq!(faults.copies("other", "Other"), 1);
    }
}
