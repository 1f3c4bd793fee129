//! What a change costs beside so many active segments.

use super::Args;
use super::asked::{self, CONCERNED, HEARD, UNHEARD};
use super::customers::{self, History};
use super::shop::Shop;
use crate::http::Client;
use crate::ingest::price::{Price, Share};
use crate::others::Others;
use crate::proc;
use crate::stats::median;
use crate::usage::{self, FunctionCost};
use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use hyper::Method;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// The functions that a change goes through once it was taken in.
const FUNCTIONS: [&str; 2] = ["fan-out", "evaluate"];

/// What is sent.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Unheard,
    Heard,
    Order,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Unheard, Self::Heard, Self::Order];

    /// Whether some segments may turn by it.
    pub(super) fn is_asked_about(self) -> bool {
        !matches!(self, Self::Unheard)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unheard => "an event that no segment asks about",
            Self::Heard => "an event that some ask about and that turns none",
            Self::Order => "an order that lets the customer into one",
        }
    }
}

/// Changes of all kinds beside so many segments.
#[derive(Debug, Serialize)]
pub(crate) struct Active {
    pub(super) segments: usize,
    /// How many of them can depend on an event that is asked about, and on an order.
    pub(super) concerned: usize,
    /// How long it took to define the segments that are more than before, and to find their members.
    pub(super) defining_seconds: f64,
    pub(super) changes: Vec<Change>,
    /// What the machine did beside, in percent of one core.
    pub(super) others_percent: f64,
}

/// One change, the median of the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) kind: Kind,
    pub(super) fan_out_cpu_ms: f64,
    pub(super) evaluate_cpu_ms: f64,
    pub(super) cpu_ms: f64,
    /// Of the round with the least, and of the one with the most.
    pub(super) cpu_ms_from: f64,
    pub(super) cpu_ms_to: f64,
    pub(super) read_units: f64,
    pub(super) write_units: f64,
    /// How often somebody was looked at: messages that `evaluate` was given.
    pub(super) evaluations: f64,
    pub(super) sqs_requests: f64,
    pub(super) usd_per_million: f64,
}

/// One round.
struct Round {
    fan_out_cpu_ms: f64,
    evaluate_cpu_ms: f64,
    evaluations: f64,
    share: Share,
}

pub(super) async fn run(args: &Args, template: &Path) -> anyhow::Result<Vec<Active>> {
    let mut levels = args.active.clone();
    levels.sort_unstable();
    levels.dedup();
    let mut shop = Shop::open(args, template, History::FULL).await.context("the shop could not be set up")?;
    // Each round has customers of its own, whose eleventh order it is; the first of each level does not count.
    let rounds = args.active_rounds.max(1) + 1;
    let first = shop.models();
    shop.copy(first, first + levels.len() * rounds * args.changes).await?;
    let (mut measured, mut defined, mut next) = (Vec::new(), 0, first);
    for segments in levels {
        let begun = Instant::now();
        for number in defined..segments {
            shop.put_segment(&format!("s-{number}"), &asked::active(number)).await?;
        }
        shop.settle(Duration::from_millis(200)).await?;
        let defining_seconds = begun.elapsed().as_secs_f64();
        defined = segments;
        let others = Others::watch(&shop.runner)?;
        let mut rounds_of: [Vec<Round>; 3] = Default::default();
        for round in 0..rounds {
            for (kind, rounds) in Kind::ALL.into_iter().zip(&mut rounds_of) {
                let measured = one_round(args, &mut shop, kind, next).await.with_context(|| kind.name())?;
                if round > 0 {
                    rounds.push(measured);
                }
            }
            next += args.changes;
        }
        let others_percent = others.percent(&shop.runner)?;
        if segments > 0 {
            // Those whose eleventh order came before there was a segment are found when it is built.
            let (entered, wanted) = (shop.members("s-0").await?, next - first);
            ensure!(entered == wanted, "{entered} customers entered the segment and not {wanted}");
        }
        let changes = Kind::ALL.into_iter().zip(&rounds_of).map(|(kind, rounds)| middle(kind, rounds)).collect();
        let concerned = segments.min(CONCERNED);
        measured.push(Active { segments, concerned, defining_seconds, changes, others_percent });
    }
    shop.stop().await?;
    Ok(measured)
}

async fn one_round(args: &Args, shop: &mut Shop, kind: Kind, first: usize) -> anyhow::Result<Round> {
    let before = usage::now(&shop.runner, &mut shop.page).await?;
    let cpu_before = cpu(shop)?;
    let clients = args.clients.max(1);
    let sent = (0..clients).map(|client| send(shop, kind, (first + client..first + args.changes).step_by(clients)));
    try_join_all(sent).await?;
    shop.settle(Duration::from_millis(100)).await?;
    let cpu_after = cpu(shop)?;
    let cost = usage::now(&shop.runner, &mut shop.page).await?.cost(&before, args.changes);
    // Linux's hundredths of a second are too coarse for so little.
    let [fan_out_cpu_ms, evaluate_cpu_ms] =
        FUNCTIONS.map(|name| used_us(&cpu_before[name], &cpu_after[name]) as f64 / 1e3 / args.changes.max(1) as f64);
    let of = |name: &str| cost.functions.iter().find(|cost| cost.name == name).cloned();
    let fan_out = of("fan-out").map(|cost| FunctionCost { cpu_ms: fan_out_cpu_ms, ..cost });
    let evaluate = of("evaluate").map(|cost| FunctionCost { cpu_ms: evaluate_cpu_ms, ..cost });
    let evaluations = evaluate.as_ref().map_or(0.0, |cost| cost.sqs_messages);
    let price = Price { api_requests: 0.0, call_ms: args.call_ms };
    let share = price.of(fan_out.iter().chain(&evaluate));
    Ok(Round { fan_out_cpu_ms, evaluate_cpu_ms, evaluations, share })
}

/// Processor time of each process of each function.
fn cpu(shop: &Shop) -> anyhow::Result<BTreeMap<&'static str, BTreeMap<u32, u64>>> {
    let of = |name| {
        let processes = proc::of_function(shop.runner.process, name)?.into_iter();
        let times = processes.filter_map(|process| Some((process, proc::fine_cpu_us(process)?)));
        anyhow::Ok((name, times.collect()))
    };
    FUNCTIONS.into_iter().map(of).collect()
}

/// A process that ended meanwhile had nothing to do for a minute.
fn used_us(before: &BTreeMap<u32, u64>, after: &BTreeMap<u32, u64>) -> u64 {
    after.iter().map(|(process, us)| us.saturating_sub(before.get(process).copied().unwrap_or_default())).sum()
}

async fn send(shop: &Shop, kind: Kind, customers: impl Iterator<Item = usize>) -> anyhow::Result<()> {
    let mut api: Client = shop.runner.api(&shop.key).await?;
    for customer in customers {
        let (id, now) = (customers::id(customer), Timestamp::now());
        let event = |name: &str| {
            json!({
                "id": format!("{id}-{name}"), "customer_id": id, "name": name, "at": now, "source": "shop",
                "context": { "category": "c1", "price": "10.00" },
            })
        };
        match kind {
            Kind::Unheard => api.json(Method::POST, "/v1/events", &event(UNHEARD)).await?,
            Kind::Heard => api.json(Method::POST, "/v1/events", &event(HEARD)).await?,
            Kind::Order => {
                let order = customers::order(&id, 0, 0, now)?;
                api.put(&format!("/v1/orders/{id}-new"), &order).await?
            }
        };
    }
    Ok(())
}

fn middle(kind: Kind, rounds: &[Round]) -> Change {
    let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let cpu_ms = |round: &Round| round.fan_out_cpu_ms + round.evaluate_cpu_ms;
    Change {
        kind,
        fan_out_cpu_ms: of(&|round| round.fan_out_cpu_ms),
        evaluate_cpu_ms: of(&|round| round.evaluate_cpu_ms),
        cpu_ms: of(&cpu_ms),
        cpu_ms_from: rounds.iter().map(cpu_ms).fold(f64::INFINITY, f64::min),
        cpu_ms_to: rounds.iter().map(cpu_ms).fold(0.0, f64::max),
        read_units: of(&|round| round.share.read_units),
        write_units: of(&|round| round.share.write_units),
        evaluations: of(&|round| round.evaluations),
        sqs_requests: of(&|round| round.share.sqs_requests),
        usd_per_million: of(&|round| round.share.usd_per_million.total),
    }
}
