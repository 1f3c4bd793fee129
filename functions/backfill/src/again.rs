use contracts::{ScanName, ScanWork};
use jiff::SignedDuration;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use store::{Scan, Versioned, Written};

use crate::Backfill;

/// After how long a part that is not done and was not moved is put on the queue again. A
/// worker moves its part every few seconds; a part may wait its turn for longer, and then
/// its message is there twice, which does no harm.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

impl Backfill {
    /// Puts the parts on the queue again on which nobody seems to be at work.
    pub(crate) async fn see_to_what_is_lost(&self) -> anyhow::Result<Value> {
        let now = self.clock.now();
        let (mut lost, mut over) = (Vec::new(), Vec::new());
        for open in self.scans.open().await? {
            if open.begun_at + SILENCE > now {
                continue;
            }
            let Some(name) = ScanName::parse(&open.name) else {
                tracing::error!("a scan is open of which nobody knows what it is for");
                continue;
            };
            let scan: Option<Scan<IgnoredAny, Value>> = self.scans.get(&open.name).await?;
            let Some(scan) = scan else { continue };
            if scan.is_done() {
                over.push(ScanWork { scan: name.clone(), part: 0 });
            }
            for (part, Versioned { value: mut known, version }) in scan.parts {
                if known.done || known.moved_at + SILENCE > now {
                    continue;
                }
                // Noted first, so that it is not put on the queue every time from now on.
                known.moved_at = now;
                if self.scans.advance(&open.name, part, &known, version).await? == Written::Done {
                    lost.push(ScanWork { scan: name.clone(), part });
                }
            }
        }
        let again: Vec<_> = lost.iter().chain(&over).map(|work| (work, SignedDuration::ZERO)).collect();
        self.queue.send(&again).await?;
        Ok(json!({ "again": again.len() }))
    }
}
