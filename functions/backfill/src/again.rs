use contracts::{ScanName, ScanWork};
use jiff::SignedDuration;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use store::{OpenScan, Scan, Versioned, Written};

use crate::{Backfill, TURN};

/// After how long a part that is not done and was not moved is put on the queue again, once
/// every part has had its turn. A worker moves its part every few seconds; but if a part were
/// put behind the others while it waits, it might never come to be the first.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

/// How many parts have their turn at the same time, as the template has it.
const WORKERS: usize = 4;

impl Backfill {
    /// Puts the parts on the queue again on which nobody seems to be at work.
    pub(crate) async fn see_to_what_is_lost(&self) -> anyhow::Result<Value> {
        let now = self.clock.now();
        let mut scans: Vec<(OpenScan, ScanName, Scan<IgnoredAny, Value>)> = Vec::new();
        for open in self.scans.open().await? {
            let Some(name) = ScanName::parse(&open.name) else {
                tracing::error!("a scan is open of which nobody knows what it is for");
                continue;
            };
            if let Some(scan) = self.scans.get(&open.name).await? {
                scans.push((open, name, scan));
            }
        }
        let parts = scans.iter().flat_map(|(.., scan)| scan.parts.values());
        let waiting = parts.filter(|part| !part.value.done).count();
        let silence = SILENCE + TURN * i32::try_from(waiting.div_ceil(WORKERS))?;
        let (mut lost, mut over) = (Vec::new(), Vec::new());
        for (open, name, scan) in scans {
            if scan.is_done() && open.begun_at + SILENCE <= now {
                over.push(ScanWork { scan: name.clone(), part: 0, version: None });
            }
            for (part, Versioned { value: mut known, version }) in scan.parts {
                if known.done || known.moved_at + silence > now {
                    continue;
                }
                // Noted first, so that it is not put on the queue every time from now on.
                known.moved_at = now;
                if self.scans.advance(&open.name, part, &known, version).await? == Written::Done {
                    lost.push(ScanWork { scan: name.clone(), part, version: Some(version + 1) });
                }
            }
        }
        let again: Vec<_> = lost.iter().chain(&over).map(|work| (work, SignedDuration::ZERO)).collect();
        self.queue.send(&again).await?;
        Ok(json!({ "again": again.len() }))
    }
}
