//! How often a key may call.
//!
//! A key has so many requests for each window of ten seconds. They are counted
//! in one row per key and window; a sandbox takes a block of them from the row
//! at a time, so that it writes once for many requests and all sandboxes
//! together never let more through. It begins with a block as large as what it
//! needed in the window before, and doubles: a key that calls once now and then
//! must not use up its window by being answered in many sandboxes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use contracts::{Kind, Problem};
use jiff::Timestamp;
use lambda::http::Response;
use store::{Requests, Reserved};

/// How long a window is, in seconds.
const WINDOW: u32 = 10;

/// The largest block is this part of a window's requests.
const PART: u32 = 50;

/// How many keys a sandbox keeps account of, before it forgets those that have
/// not called in this window.
const MOST_KEYS: usize = 1_000;

/// How a key stands in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    quota: u32,
    /// As far as this sandbox knows; None if nothing is left.
    remaining: Option<u32>,
    /// Seconds to the next window, from 1.
    seconds: u32,
}

impl Standing {
    /// The problem to answer with, if the key may not call now.
    #[must_use]
    pub fn refusal(&self) -> Option<Problem> {
        let Self { quota, seconds, .. } = self;
        let said = format!("{quota} requests are taken in {WINDOW} seconds; try again in {seconds}");
        let problem = || Problem::new(Kind::TooManyRequests).because(said).after((*seconds).into());
        self.remaining.is_none().then(problem)
    }

    /// The answer, with how the key stands in its headers.
    #[must_use]
    pub fn told_in(&self, response: Response) -> Response {
        let Self { quota, remaining, seconds } = self;
        let remaining = remaining.unwrap_or(0);
        response
            .with_header("ratelimit-policy", format!("\"default\";q={quota};w={WINDOW}"))
            .with_header("ratelimit", format!("\"default\";r={remaining};t={seconds}"))
    }
}

/// What this sandbox knows of the keys that call.
#[derive(Debug)]
pub(crate) struct Rates {
    requests: Requests,
    windows: Mutex<HashMap<String, Window>>,
}

impl Rates {
    pub(crate) fn new(requests: Requests) -> Self {
        Self { requests, windows: Mutex::default() }
    }

    /// Counts one more request of this key, which may make `rate` a second.
    pub(crate) async fn admit(&self, key_id: &str, rate: u32, now: Timestamp) -> Standing {
        let quota = rate.max(1).saturating_mul(WINDOW);
        let number = now.as_second().div_euclid(WINDOW.into());
        let seconds = u32::try_from(now.as_second().rem_euclid(WINDOW.into())).map_or(WINDOW, |past| WINDOW - past);
        let standing = |remaining| Standing { quota, remaining, seconds };
        loop {
            let want = match self.step(key_id, number, quota) {
                Step::Go(remaining) => return standing(Some(remaining)),
                Step::Full => return standing(None),
                Step::Reserve(want) => want,
            };
            match self.requests.reserve(key_id, number, want, quota, now).await {
                Ok(reserved) => self.with(key_id, |window| window.heard(number, want, quota, reserved)),
                Err(error) => {
                    // The limit keeps one key from crowding out the others; it
                    // must not be what stops them all.
                    tracing::warn!(error = format!("{error:#}"), "a request was let through uncounted");
                    return standing(Some(0));
                }
            }
        }
    }

    fn step(&self, key_id: &str, number: i64, quota: u32) -> Step {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_KEYS && !windows.contains_key(key_id) {
            windows.retain(|_, window| window.number >= number);
        }
        windows.entry(key_id.to_owned()).or_default().step(number, quota)
    }

    fn with(&self, key_id: &str, change: impl FnOnce(&mut Window)) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        change(windows.entry(key_id.to_owned()).or_default());
    }
}

/// What is to be done with a request.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It may go ahead, and so may this many more.
    Go(u32),
    /// A block of this size is needed first.
    Reserve(u32),
    /// Nothing is left.
    Full,
}

/// What this sandbox knows of one key's window.
#[derive(Debug, Default)]
struct Window {
    number: i64,
    /// Of the blocks that this sandbox took.
    left: u32,
    /// Requests let through here.
    spent: u32,
    /// The size of the next block.
    block: u32,
    /// Taken by all, when this sandbox last heard.
    taken: u32,
    full: bool,
}

impl Window {
    fn step(&mut self, number: i64, quota: u32) -> Step {
        if self.number != number {
            let block = self.spent.clamp(1, most(quota));
            *self = Self { number, block, ..Self::default() };
        }
        if self.left > 0 {
            self.left -= 1;
            self.spent += 1;
            return Step::Go(quota.saturating_sub(self.taken) + self.left);
        }
        if self.full { Step::Full } else { Step::Reserve(self.block.clamp(1, quota)) }
    }

    fn heard(&mut self, number: i64, want: u32, quota: u32, reserved: Reserved) {
        if self.number != number {
            return;
        }
        match reserved {
            Reserved::Done { taken } => {
                self.taken = taken;
                self.left += want;
                self.block = (want * 2).min(most(quota));
            }
            Reserved::Refused { taken } => {
                self.taken = taken;
                self.block = quota.saturating_sub(taken);
                self.full = self.block == 0;
            }
        }
    }
}

/// The largest block.
fn most(quota: u32) -> u32 {
    (quota / PART).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that sandboxes take blocks from, and how often they did.
    struct Row {
        taken: u32,
        quota: u32,
        writes: u32,
    }

    impl Row {
        fn ask(&mut self, window: &mut Window, number: i64) -> bool {
            loop {
                let want = match window.step(number, self.quota) {
                    Step::Go(_) => return true,
                    Step::Full => return false,
                    Step::Reserve(want) => want,
                };
                self.writes += 1;
                let fits = self.taken + want <= self.quota;
                self.taken += if fits { want } else { 0 };
                let taken = self.taken;
                let reserved = if fits { Reserved::Done { taken } } else { Reserved::Refused { taken } };
                window.heard(number, want, self.quota, reserved);
            }
        }
    }

    #[test]
    fn sandboxes_together_let_exactly_the_quota_through() {
        for quota in [10, 70, 5_000] {
            for count in [1, 3, 40] {
                let mut windows: Vec<Window> = (0..count).map(|_| Window::default()).collect();
                let mut row = Row { taken: 0, quota, writes: 0 };
                let mut passed = 0;
                let mut turn = || windows.iter_mut().map(|w| u32::from(row.ask(w, 7))).sum::<u32>();
                loop {
                    match turn() {
                        0 => break,
                        more => passed += more,
                    }
                }
                assert_eq!(passed, quota, "{count} sandboxes");
            }
        }
    }

    #[test]
    fn one_write_lets_many_requests_through() {
        let mut window = Window::default();
        let mut row = Row { taken: 0, quota: 5_000, writes: 0 };
        assert!((0..5_000).all(|_| row.ask(&mut window, 7)));
        assert!(row.writes < 65, "{}", row.writes);
        // The next window begins where this one ended.
        let mut row = Row { taken: 0, quota: 5_000, writes: 0 };
        assert!((0..5_000).all(|_| row.ask(&mut window, 8)));
        assert_eq!(row.writes, 50);
    }

    #[test]
    fn a_request_now_and_then_takes_no_more_than_itself() {
        let mut window = Window::default();
        for number in 1..5 {
            let mut row = Row { taken: 0, quota: 5_000, writes: 0 };
            assert!(row.ask(&mut window, number));
            assert_eq!((row.taken, row.writes), (1, 1));
        }
    }

    #[test]
    fn a_standing_is_told_in_the_answers_headers() {
        let standing = Standing { quota: 5_000, remaining: Some(4_950), seconds: 7 };
        assert!(standing.refusal().is_none());
        let answer = standing.told_in(Response::empty());
        let told: Vec<_> = answer.headers().filter(|(name, _)| name.starts_with("ratelimit")).collect();
        assert_eq!(told, [("ratelimit-policy", "\"default\";q=5000;w=10"), ("ratelimit", "\"default\";r=4950;t=7")]);
        let refused = Standing { remaining: None, ..standing };
        assert_eq!(refused.refusal().unwrap().retry_after(), Some(7));
    }
}
