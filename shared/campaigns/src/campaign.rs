use conditions::Condition;
use domain::message::Purpose;
use domain::{CampaignId, TemplateId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{Sending, Trigger};

/// Whether a campaign starts runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being written; starts nothing.
    Draft,
    /// Starts a run for each cause.
    Active,
    /// Starts nothing new. Runs that have begun go on to their end.
    Paused,
}

/// One thing that a run does, then goes on to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Lets time pass.
    Wait(SignedDuration),
    /// Writes a message from a template.
    Send {
        /// Which template.
        template: TemplateId,
    },
}

/// A campaign as it was defined: trigger, filter, steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// Its name, for people.
    pub name: String,
    /// Whether it starts runs.
    pub status: Status,
    /// What its messages are for.
    pub purpose: Purpose,
    /// On what terms its messages go out.
    #[serde(default)]
    pub sending: Sending,
    /// What sets it off.
    pub trigger: Trigger,
    /// Who and what it is limited to; `None` is everybody.
    pub filter: Option<Condition>,
    /// What a run does, in order.
    pub steps: Vec<Step>,
}

impl Campaign {
    /// The templates that its steps name, without repetition.
    #[must_use]
    pub fn templates(&self) -> Vec<&TemplateId> {
        let mut templates: Vec<&TemplateId> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Send { template } => Some(template),
                Step::Wait(_) => None,
            })
            .collect();
        templates.sort();
        templates.dedup();
        templates
    }
}
