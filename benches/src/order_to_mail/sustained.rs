//! Many orders from several clients at once.

use super::{Args, mailbox, shop};
use crate::others::Others;
use crate::runner::{self, Runner};
use crate::stats::Times;
use crate::usage::{self, Cost};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What many orders come to.
#[derive(Debug, Serialize)]
pub(crate) struct Sustained {
    pub(crate) orders: usize,
    pub(crate) clients: usize,
    /// From the first request to the last mail.
    pub(crate) seconds: f64,
    pub(crate) orders_per_second: f64,
    /// Requests alone, until the last was answered.
    pub(crate) requests_per_second: f64,
    pub(crate) to_answer: Times,
    /// From an order's request to its mail, with all the others before it.
    pub(crate) to_mail: Times,
    /// Orders without a mail.
    pub(crate) lost: usize,
    /// Mails beyond one of an order.
    pub(crate) twice: usize,
    /// Per order, until everything is quiet again, SES's events included.
    pub(crate) cost: Cost,
    /// What the machine did beside, in percent of one core.
    pub(crate) others_percent: f64,
}

pub(super) async fn run(runner: &Runner, key: &str, args: &Args) -> anyhow::Result<Sustained> {
    let (orders, clients) = (args.orders, args.clients.max(1));
    let mut page = runner.page().await?;
    let taken = mailbox::count(&mut page).await?;
    let before = usage::now(runner, &mut page).await?;
    let others = Others::watch(runner)?;
    let next = AtomicUsize::new(0);
    let began = Timestamp::now();
    let sent =
        futures::future::try_join_all((0..clients).map(|_| client(runner, key, &next, orders, args.customers.max(1))))
            .await?;
    let requests = Timestamp::now().duration_since(began).as_secs_f64();
    mailbox::wait(&mut page, taken + orders as u64, Duration::from_millis(250)).await?;
    runner::quiet(&mut page).await?;
    let cost = usage::now(runner, &mut page).await?.cost(&before, orders);
    let others_percent = others.percent(runner)?;
    // Whatever came beyond what was wanted is looked at too.
    let all = mailbox::count(&mut page).await? - taken;
    let mails = mailbox::newest(&mut page, all).await?;

    let sent: Vec<Sent> = sent.into_iter().flatten().collect();
    let mut mailed: HashMap<&str, Vec<Timestamp>> = HashMap::new();
    for mail in &mails {
        mailed.entry(&mail.subject).or_default().push(mail.time);
    }
    let of = |order: &Sent| mailed.get(order.id.as_str()).map(Vec::as_slice).unwrap_or_default();
    let took = |order: &Sent| {
        let first = of(order).first()?;
        Duration::try_from(first.duration_since(order.at)).ok()
    };
    let last = mails.iter().map(|mail| mail.time).max().unwrap_or(began);
    let seconds = last.duration_since(began).as_secs_f64();
    Ok(Sustained {
        orders,
        clients,
        seconds,
        orders_per_second: orders as f64 / seconds.max(0.001),
        requests_per_second: orders as f64 / requests.max(0.001),
        to_answer: Times::of(&sent.iter().map(|order| order.answered).collect::<Vec<_>>()),
        to_mail: Times::of(&sent.iter().filter_map(took).collect::<Vec<_>>()),
        lost: sent.iter().filter(|order| of(order).is_empty()).count(),
        twice: sent.iter().map(|order| of(order).len().saturating_sub(1)).sum(),
        cost,
        others_percent,
    })
}

struct Sent {
    id: String,
    at: Timestamp,
    answered: Duration,
}

async fn client(
    runner: &Runner,
    key: &str,
    next: &AtomicUsize,
    orders: usize,
    customers: usize,
) -> anyhow::Result<Vec<Sent>> {
    let mut api = runner.api(key).await?;
    let mut sent = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= orders {
            return Ok(sent);
        }
        let id = format!("many-{number}");
        let (at, begun) = (Timestamp::now(), Instant::now());
        shop::order(&mut api, &id, number % customers).await?;
        sent.push(Sent { id, at, answered: begun.elapsed() });
    }
}
