use campaigns::{Campaign, Run, RunState, Status};
use conditions::Condition;
use domain::{CampaignId, Change};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::{Value, json};
use store::{DecidedBy, Entry, Kind, Versioned, Wanted};

use super::causes::{Cause, MOMENTS, OnRecord, waits_for};
use super::{Asked, Because};
use crate::messages::kind_of;
use crate::{Manage, not_found};

/// How many versions of a campaign are looked through for since when it is active or not.
const MOST_VERSIONS: usize = 50;

impl Manage {
    /// Why a customer got what a campaign sends or did not, the newest messages of it to them,
    /// and their runs of it.
    pub(super) async fn why_campaign(
        &self,
        id: &CampaignId,
        asked: &Asked,
    ) -> Result<(Because, Vec<Entry>, Vec<Value>), Failure> {
        let known = self.definitions.get::<Campaign>(Kind::Campaign, id.as_str()).await?;
        let known = known.ok_or_else(|| not_found("campaign"))?;
        // The runs are read before the messages, which are written together with them.
        let mut runs: Vec<Run> = Vec::new();
        for customer in asked.ids.iter().filter(|id| !id.is_visitor()) {
            runs.extend(self.customers.runs(customer).await?.into_iter().filter(|run| run.campaign_id == *id));
        }
        let messages = self.decided_by(DecidedBy::Campaign(id.clone()), asked).await?;
        let because = match (messages.first(), runs.iter().filter_map(Run::due).min()) {
            (Some(entry), due) => {
                let mut because = Because::of_message(entry);
                if let Some(due) = due {
                    because.in_words += &format!(" A run of it waits until {due} for its next step.");
                }
                because
            }
            (None, Some(until)) => {
                let in_words = format!("It was set off, and its run waits until {until} before it goes on.");
                Because::not("waiting", in_words).with("waits_until", json!(until))
            }
            (None, None) if !runs.is_empty() => {
                Because::not("ended", "It was set off, and its run came to its end without a message that is known of.")
            }
            (None, None) => self.not_set_off(&known, asked).await?,
        };
        Ok((because, messages, runs.iter().map(show_run).collect()))
    }

    /// Why a campaign has no run for a customer.
    async fn not_set_off(&self, known: &Versioned<Campaign>, asked: &Asked) -> anyhow::Result<Because> {
        let campaign = &known.value;
        let since = self.so_since(known).await?;
        let waits = waits_for(&json!(campaign.trigger));
        if campaign.status != Status::Active {
            let status = json!(campaign.status);
            let status = status.as_str().unwrap_or_default();
            let in_words = format!("The campaign is not active: it is {status} since {since}.");
            return Ok(Because::not("not_active", in_words).with("since", json!(since)));
        }
        let waits_for = json!({ "in_words": waits, "trigger": campaign.trigger });
        let not = |answer, in_words: String| {
            Because::not(answer, in_words).with("since", json!(since)).with("waits_for", waits_for.clone())
        };
        let cause = match self.on_record(&asked.customer.id, &campaign.trigger, since).await? {
            OnRecord::Nothing => {
                let in_words = format!("Nothing has set it off. It is active since {since} and waits for: {waits}.");
                return Ok(not("not_set_off", in_words));
            }
            OnRecord::NotKept => {
                let in_words = format!(
                    "It was not set off, or its filter did not let them through. It is active since {since} and waits \
                     for: {waits}. Of that nothing is kept by which it could be told which of the two."
                );
                return Ok(not("not_set_off", in_words));
            }
            OnRecord::Happened(cause) => *cause,
        };
        let happened = json!({ "cause": cause.change, "at": cause.at });
        let what = kind_of(&json!(cause.change));
        if cause.at < since {
            let in_words = format!(
                "It waits for: {waits}. That happened last at {}, and the campaign is active since {since} only.",
                cause.at
            );
            return Ok(not("not_set_off", in_words).worked_out(json!({ "happened": happened })));
        }
        let is_news = asked.now.duration_since(cause.at) < MOMENTS;
        let filter = match &campaign.filter {
            Some(filter) => Some(self.filter_now(filter, &cause, asked).await?),
            None => None,
        };
        let holds = filter.as_ref().and_then(|filter| filter["holds"].as_bool());
        let why = filter.as_ref().map(|filter| filter["why_in_words"].as_str().unwrap_or_default().to_owned());
        let (answer, in_words) = match (holds, is_news) {
            (Some(false), _) => {
                let why = why.unwrap_or_default();
                (
                    "filtered",
                    format!(
                        "It waits for: {waits}. That happened at {}, but the filter does not let them through, as of now: {why}.",
                        cause.at
                    ),
                )
            }
            (_, true) => {
                ("on_its_way", format!("What it waits for ({what}) happened a moment ago; it takes some seconds."))
            }
            (Some(true), false) => (
                "filtered",
                format!(
                    "It waits for: {waits}. That happened at {}. The filter would let them through now; it did not when \
                     it was asked, right after that.",
                    cause.at
                ),
            ),
            (None, false) => (
                "not_heard",
                format!(
                    "It waits for: {waits}. That happened at {}, but the campaign did not hear of it: it was told of \
                     before the campaign was active, or came with somebody else who turned out to be them.",
                    cause.at
                ),
            ),
        };
        Ok(not(answer, in_words).worked_out(json!({ "happened": happened, "filter": filter })))
    }

    /// Since when a campaign is active, or is not, as far as its last versions tell.
    async fn so_since(&self, known: &Versioned<Campaign>) -> anyhow::Result<Timestamp> {
        let (id, is_active) = (known.value.id.as_str(), known.value.status == Status::Active);
        let mut since = Timestamp::UNIX_EPOCH;
        for version in (1..=known.version).rev().take(MOST_VERSIONS) {
            let saved = self.definitions.version_and_time::<Campaign>(Kind::Campaign, id, version).await?;
            let Some((campaign, saved)) = saved else { break };
            if (campaign.status == Status::Active) != is_active {
                break;
            }
            since = saved;
        }
        Ok(since)
    }

    /// What a campaign's filter says of a cause, as of now.
    async fn filter_now(&self, filter: &Condition, cause: &Cause, asked: &Asked) -> anyhow::Result<Value> {
        let change: &Change = &cause.change;
        let wanted = Wanted {
            orders: change.order_id().cloned().into_iter().collect(),
            events: change.event_id().cloned().into_iter().collect(),
            runs: Vec::new(),
        };
        let id = &asked.customer.id;
        let loaded = self.customers.load(id, &wanted).await?;
        let (order, event) = (loaded.orders.first(), loaded.events.first());
        let mut single = contracts::facts::of(Some(&asked.customer), order, event, None, Some(change));
        if let Some(order) = order {
            single.insert("order".into(), self.history.order(order, asked.now).await?);
        }
        let (at, segments) = (self.history.at(asked.now).await?, self.definitions.segments().await?);
        let looked = self.history.looked_at(filter, &segments, id, single, &at).await?;
        let (verdict, why) = (looked.verdict(), looked.why());
        Ok(json!({
            "in_words": filter.to_string(),
            "holds": verdict.holds,
            "why": why,
            "why_in_words": why.to_string(),
            "turns_at": verdict.next,
        }))
    }
}

fn show_run(run: &Run) -> Value {
    let mut shown = json!({
        "id": run.id, "campaign_version": run.campaign_version, "cause": run.change, "caused_at": run.caused_at,
        "step": run.step,
    });
    match run.state {
        RunState::Waiting { until } => shown["waits_until"] = json!(until),
        RunState::Ended { at } => shown["ended_at"] = json!(at),
    }
    shown
}
