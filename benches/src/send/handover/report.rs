//! The figures, for people.

use crate::table::Table;
use serde::Serialize;
use std::fmt;

/// What handing mails over takes.
#[derive(Debug, Serialize)]
pub(crate) struct Handover {
    pub(super) rounds: usize,
    /// Mails that each round hands over each way.
    pub(super) mails: usize,
    /// Calls under way at the same time.
    pub(super) at_once: usize,
    /// How long a call to AWS was taken to last there, however many mails it has.
    pub(super) call_ms: f64,
    /// Of each kind of mail, one a call comes first.
    pub(super) ways: Vec<Way>,
}

/// One way for one kind of mail, the medians of its rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Way {
    pub(super) mail: &'static str,
    pub(super) html_bytes: usize,
    pub(super) text_bytes: usize,
    /// One is `SendEmail`, more are `SendBulkEmail`.
    pub(super) mails_a_call: usize,
    pub(super) bytes_a_call: usize,
    /// The client's processor time for one mail.
    pub(super) cpu_ms: f64,
    pub(super) least_cpu_ms: f64,
    pub(super) most_cpu_ms: f64,
    pub(super) calls_a_second: f64,
    pub(super) mails_a_second: f64,
    /// The function's time for a million mails, waiting for SES included.
    pub(super) usd_per_million: f64,
}

impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            "a mail",
            "HTML and text, bytes",
            "call",
            "mails a call",
            "kB a call",
            "CPU ms a mail",
            "least",
            "most",
            "calls/s",
            "mails/s",
            "$ a million mails",
            "saves $",
        ]);
        let mut alone = 0.0;
        for way in &self.ways {
            let is_alone = way.mails_a_call == 1;
            if is_alone {
                alone = way.usd_per_million;
            }
            table.row([
                way.mail.to_owned(),
                format!("{} + {}", way.html_bytes, way.text_bytes),
                if is_alone { "SendEmail" } else { "SendBulkEmail" }.to_owned(),
                way.mails_a_call.to_string(),
                format!("{:.1}", way.bytes_a_call as f64 / 1e3),
                format!("{:.3}", way.cpu_ms),
                format!("{:.3}", way.least_cpu_ms),
                format!("{:.3}", way.most_cpu_ms),
                format!("{:.0}", way.calls_a_second),
                format!("{:.0}", way.mails_a_second),
                format!("{:.4}", way.usd_per_million),
                format!("{:.4}", alone - way.usd_per_million),
            ]);
        }
        writeln!(f, "{table}")?;
        writeln!(
            f,
            "Medians of {} rounds of {} mails each, {} calls at the same time, over plain HTTP. Dollars are the \
             sender's time: its processor time at its share of a processor, and {} ms for each call.",
            self.rounds, self.mails, self.at_once, self.call_ms,
        )
    }
}
