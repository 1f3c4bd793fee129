use std::collections::BTreeMap;

use domain::message::{Message, Origin};
use domain::{CampaignId, Change, CustomerId, RunId, TemplateId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Campaign, Step};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RunState {
    /// Waits for a time.
    Waiting {
        /// For which.
        until: Timestamp,
    },
    /// Has done its last step.
    Ended {
        /// When.
        at: Timestamp,
    },
}

/// One customer's way through a campaign, from one cause.
///
/// A run keeps the versions of the campaign and of the templates that were in
/// force when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Made from the campaign, the customer and the cause.
    pub id: RunId,
    /// Which campaign.
    pub campaign_id: CampaignId,
    /// Which of its versions.
    pub campaign_version: u64,
    /// Whose run.
    pub customer_id: CustomerId,
    /// What set it off.
    pub change: Change,
    /// When that was taken in.
    pub caused_at: Timestamp,
    /// The version of each template that its steps name.
    pub templates: BTreeMap<TemplateId, u64>,
    /// The step to do next, from 0.
    pub step: usize,
    /// Where it stands.
    pub state: RunState,
}

/// What comes of going on with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The run as it stands now.
    pub run: Run,
    /// The messages to be written with it.
    pub messages: Vec<Message>,
}

impl Run {
    /// The id that a run of this campaign has for this customer and cause.
    #[must_use]
    pub fn id_of(campaign_id: &CampaignId, customer_id: &CustomerId, change: &Change) -> RunId {
        let cause = change.cause();
        let mut parts = vec!["run", campaign_id.as_str(), customer_id.as_str()];
        parts.extend(cause.iter().map(String::as_str));
        #[expect(clippy::expect_used, reason = "a digest is 32 hexadecimal digits, which is a well-formed id")]
        RunId::parse(&domain::digest(&parts)).expect("a digest is an id")
    }

    /// A run at its start, and what its first steps bring.
    ///
    /// A first wait counts from when the cause was taken in, not from when we
    /// came to look at it.
    #[must_use]
    pub fn start(
        campaign: &Campaign,
        campaign_version: u64,
        templates: BTreeMap<TemplateId, u64>,
        customer_id: &CustomerId,
        change: Change,
        caused_at: Timestamp,
        now: Timestamp,
    ) -> Progress {
        let run = Self {
            id: Self::id_of(&campaign.id, customer_id, &change),
            campaign_id: campaign.id.clone(),
            campaign_version,
            customer_id: customer_id.clone(),
            change,
            caused_at,
            templates,
            step: 0,
            state: RunState::Waiting { until: caused_at },
        };
        run.go_on(campaign, now)
    }

    /// The run with every step done that can be done by `now`.
    ///
    /// `campaign` is the version that the run began with. A run that still waits
    /// or has ended comes back as it is.
    #[must_use]
    pub fn go_on(mut self, campaign: &Campaign, now: Timestamp) -> Progress {
        let mut messages = Vec::new();
        let mut reached = match self.state {
            RunState::Waiting { until } if until <= now => until,
            _ => return Progress { run: self, messages },
        };
        while let Some(step) = campaign.steps.get(self.step) {
            match step {
                Step::Wait(length) => {
                    let until = reached.saturating_add(*length).unwrap_or(Timestamp::MAX);
                    self.step += 1;
                    if until > now {
                        self.state = RunState::Waiting { until };
                        return Progress { run: self, messages };
                    }
                    reached = until;
                }
                Step::Send { template } => {
                    messages.push(self.message(campaign, template, now));
                    self.step += 1;
                    reached = now;
                }
            }
        }
        self.state = RunState::Ended { at: now };
        Progress { run: self, messages }
    }

    /// When it has to be looked at again.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match self.state {
            RunState::Waiting { until } => Some(until),
            RunState::Ended { .. } => None,
        }
    }

    fn message(&self, campaign: &Campaign, template: &TemplateId, now: Timestamp) -> Message {
        Message {
            id: Message::id_of_step(&self.id, self.step),
            customer_id: self.customer_id.clone(),
            origin: Origin::Campaign {
                campaign_id: self.campaign_id.clone(),
                version: self.campaign_version,
                run_id: self.id.clone(),
                step: self.step,
                change: self.change.clone(),
                caused_at: self.caused_at,
            },
            purpose: campaign.purpose,
            terms: campaign.sending.terms(),
            template_id: template.clone(),
            template_version: self.templates.get(template).copied().unwrap_or_default(),
            created_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::OrderId;
    use domain::message::Purpose;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    fn campaign(steps: &[i64]) -> Campaign {
        let step = |hours: &i64| match hours {
            0 => Step::Send { template: TemplateId::parse("t").unwrap() },
            hours => Step::Wait(SignedDuration::from_hours(*hours)),
        };
        Campaign {
            id: CampaignId::parse("c").unwrap(),
            name: "c".into(),
            status: crate::Status::Active,
            purpose: Purpose::Marketing,
            sending: crate::Sending::default(),
            trigger: crate::Trigger::OrderCreated,
            filter: None,
            steps: steps.iter().map(step).collect(),
        }
    }

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn start(campaign: &Campaign, now: Timestamp) -> Progress {
        let change = Change::OrderCreated { order_id: OrderId::parse("o").unwrap() };
        let templates = BTreeMap::from([(TemplateId::parse("t").unwrap(), 7)]);
        Run::start(campaign, 3, templates, &CustomerId::parse("a").unwrap(), change, hour(0), now)
    }

    #[test]
    fn a_run_waits_sends_and_ends() {
        let campaign = campaign(&[1, 0, 72, 0]);
        let Progress { run, messages } = start(&campaign, hour(0));
        assert_eq!((run.due(), messages.len()), (Some(hour(1)), 0));
        let early = run.clone().go_on(&campaign, hour(0));
        assert_eq!((&early.run, early.messages.len()), (&run, 0));
        let Progress { run, messages } = run.go_on(&campaign, hour(1));
        assert_eq!((run.due(), messages.len()), (Some(hour(73)), 1));
        assert_eq!(messages[0].template_version, 7);
        let Progress { run, messages } = run.go_on(&campaign, hour(80));
        assert_eq!((&run.state, messages.len()), (&RunState::Ended { at: hour(80) }, 1));
        assert_eq!(run.clone().go_on(&campaign, hour(99)), Progress { run, messages: vec![] });
    }

    proptest! {
        #[test]
        fn however_often_a_run_is_looked_at_it_writes_each_message_once(
            steps in prop::collection::vec(0i64..30, 1..8),
            looks in prop::collection::vec(0i64..20, 1..40),
        ) {
            let campaign = campaign(&steps);
            let mut now = 0;
            let Progress { mut run, mut messages } = start(&campaign, hour(0));
            for look in looks.into_iter().chain([10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000]) {
                now += look;
                let progress = run.go_on(&campaign, hour(now));
                run = progress.run;
                messages.extend(progress.messages);
            }
            prop_assert_eq!(run.due(), None);
            let mut ids: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
            ids.dedup();
            prop_assert_eq!(ids.len(), steps.iter().filter(|hours| **hours == 0).count());
        }
    }
}
