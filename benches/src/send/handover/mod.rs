//! What handing finished mails over to SES takes: one a call with `SendEmail`, or several a call
//! with `SendBulkEmail`.
//!
//! The SDK's client runs on one thread, as in a function, and is made as the sender makes its own. What
//! it talks to runs on another and takes everything, so the processor time of the first is the
//! client's alone. There is no TLS and no way to AWS in it.

mod endpoint;
mod mails;
mod report;
mod requests;

use super::Args;
use crate::ingest::price::Price;
use crate::proc;
use crate::stats::median;
use crate::usage::FunctionCost;
use aws_sdk_sesv2::Client;
use endpoint::Endpoint;
use futures::{StreamExt as _, TryStreamExt as _};
use mails::Finished;
pub(crate) use report::Handover;
use report::Way;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Rounds, of which the median counts.
const ROUNDS: usize = 11;
/// Mails that each round hands over each way.
const MAILS: usize = 2_000;
/// Calls that are under way at the same time, as many as a sender has.
const AT_ONCE: usize = 10;
/// How many mails a call is given; 10 come with one invocation, and SES takes 50.
const A_CALL: [usize; 3] = [1, 10, 50];
/// The sender's `MemorySize` in template.yaml.
const MEMORY_MB: u32 = 256;

/// One way for one kind of mail, and what its rounds came to.
struct Lane {
    mail: &'static str,
    mails: Vec<Finished>,
    a_call: usize,
    endpoint: Endpoint,
    client: Client,
    rounds: Vec<Round>,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    cpu: Duration,
    took: Duration,
}

/// Measures on the thread that it is called on.
///
/// # Errors
/// A mail was not taken, or Linux does not say what the thread took.
pub(super) fn run(args: &Args) -> anyhow::Result<Handover> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(args))
}

async fn measure(args: &Args) -> anyhow::Result<Handover> {
    let mut lanes = Vec::new();
    for (mail, mails) in [("newsletter", mails::newsletters()?), ("10 lines", mails::confirmations()?)] {
        for a_call in A_CALL {
            let endpoint = Endpoint::start(&requests::answer(a_call))?;
            let client = requests::client(endpoint.url());
            lanes.push(Lane { mail, mails: mails.clone(), a_call, endpoint, client, rounds: Vec::new() });
        }
    }
    // One after the other, so that whatever else the machine does falls on all of them; the first
    // round, which connects, does not count.
    for number in 0..=ROUNDS {
        for lane in &mut lanes {
            let round = lane.round().await?;
            if number > 0 {
                lane.rounds.push(round);
            }
        }
    }
    let ways = lanes.iter().map(|lane| lane.way(args.call_ms)).collect();
    Ok(Handover { rounds: ROUNDS, mails: MAILS, at_once: AT_ONCE, call_ms: args.call_ms, ways })
}

impl Lane {
    async fn round(&self) -> anyhow::Result<Round> {
        let (cpu, begun) = (proc::thread_cpu()?, Instant::now());
        let calls = (0..MAILS / self.a_call).map(|call| self.call(call));
        futures::stream::iter(calls).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(Round { cpu: proc::thread_cpu()?.saturating_sub(cpu), took: begun.elapsed() })
    }

    async fn call(&self, number: usize) -> anyhow::Result<()> {
        let first = number * self.a_call % self.mails.len();
        match &self.mails[first..first + self.a_call] {
            [mail] => requests::one(&self.client, mail).await,
            mails => requests::many(&self.client, mails).await,
        }
    }

    fn way(&self, call_ms: f64) -> Way {
        let each_ms = |round: &Round| round.cpu.as_secs_f64() * 1e3 / MAILS as f64;
        let cpu_ms: Vec<f64> = self.rounds.iter().map(each_ms).collect();
        let mails_a_second = median(self.rounds.iter().map(|round| MAILS as f64 / round.took.as_secs_f64()).collect());
        let first = &self.mails[0];
        let (least_cpu_ms, most_cpu_ms) =
            cpu_ms.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), ms| (least.min(*ms), most.max(*ms)));
        let cpu_ms = median(cpu_ms);
        Way {
            mail: self.mail,
            html_bytes: first.html.len(),
            text_bytes: first.text.len(),
            mails_a_call: self.a_call,
            bytes_a_call: self.endpoint.bytes_a_call(),
            cpu_ms,
            least_cpu_ms,
            most_cpu_ms,
            calls_a_second: mails_a_second / self.a_call as f64,
            mails_a_second,
            usd_per_million: usd_per_million(cpu_ms, self.a_call, call_ms),
        }
    }
}

/// What the sender's time would cost at list price that goes into handing over a million mails.
fn usd_per_million(cpu_ms: f64, mails_a_call: usize, call_ms: f64) -> f64 {
    let sender = FunctionCost {
        name: "sender".to_owned(),
        cpu_ms,
        invocations: 0.0,
        aws_calls: BTreeMap::from([("sesv2".to_owned(), 1.0 / mails_a_call as f64)]),
        billed_ms: 0.0,
        memory_mb: MEMORY_MB,
        dynamodb: BTreeMap::new(),
        sqs_requests: 0.0,
        sqs_messages: 0.0,
    };
    Price { api_requests: 0.0, call_ms }.of(std::iter::once(&sender)).usd_per_million.function_time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_mails_a_call_wait_for_a_fiftieth_of_it_each() {
        // A gigabyte-second is $0.0000133334, and the sender has a quarter of a gigabyte.
        assert!((usd_per_million(0.0, 1, 5.0) - 0.016_667).abs() < 1e-6);
        assert!((usd_per_million(0.0, 50, 5.0) - 0.000_333).abs() < 1e-6);
        // Of a processor it has a seventh.
        assert!((usd_per_million(1.0, 1, 0.0) - 0.023_034).abs() < 1e-6);
    }

    #[test]
    fn every_mail_is_handed_over_once() {
        for a_call in A_CALL {
            assert_eq!((MAILS % a_call, mails::DIFFERENT % a_call), (0, 0), "{a_call}");
        }
    }

    #[tokio::test]
    async fn either_way_carries_the_whole_mail() {
        for mails in [mails::newsletters().unwrap(), mails::confirmations().unwrap()] {
            for a_call in A_CALL {
                let endpoint = Endpoint::start(&requests::answer(a_call)).unwrap();
                let client = requests::client(endpoint.url());
                match &mails[..a_call] {
                    [mail] => requests::one(&client, mail).await.unwrap(),
                    mails => requests::many(&client, mails).await.unwrap(),
                }
                let whole: usize = mails[..a_call].iter().map(|mail| mail.html.len() + mail.text.len()).sum();
                assert!(endpoint.bytes_a_call() > whole, "{a_call}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_about_fewer_mails_is_an_error() {
        let mails = mails::newsletters().unwrap();
        let endpoint = Endpoint::start(&requests::answer(9)).unwrap();
        assert!(requests::many(&requests::client(endpoint.url()), &mails[..10]).await.is_err());
    }
}
