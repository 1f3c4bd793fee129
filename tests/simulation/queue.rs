//! A standard queue of SQS's: whatever is in it comes at least once, in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Six times the timeout of the functions that read it.
const VISIBILITY: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
pub(crate) struct Queue {
    letters: BTreeMap<u64, Letter>,
    next: u64,
}

#[derive(Debug, Clone)]
struct Letter {
    body: String,
    visible: Instant,
}

impl Queue {
    pub(crate) fn put(&mut self, body: String, delay: Duration) {
        self.next += 1;
        self.letters.insert(self.next, Letter { body, visible: Instant::now() + delay });
    }

    /// Some of what can be seen, and hidden for a while from then on.
    pub(crate) fn receive(&mut self, rng: &mut fastrand::Rng, most: usize) -> Vec<(u64, String)> {
        let now = Instant::now();
        let mut seen: Vec<u64> =
            self.letters.iter().filter(|(_, letter)| letter.visible <= now).map(|(id, _)| *id).collect();
        rng.shuffle(&mut seen);
        seen.truncate(most);
        let take = |id| {
            let letter = self.letters.get_mut(&id)?;
            // Now and then it is brought to two at once.
            letter.visible = if rng.u8(..30) == 0 { now } else { now + VISIBILITY };
            Some((id, letter.body.clone()))
        };
        seen.into_iter().filter_map(take).collect()
    }

    pub(crate) fn delete(&mut self, id: u64) {
        self.letters.remove(&id);
    }

    /// When something can be seen next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.letters.values().map(|letter| letter.visible).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }
}
