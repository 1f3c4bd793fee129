//! A message to one customer, from the decision to send it to what became of it.
//!
//! Its states and the moves between them are drawn in `ARCHITECTURE.md`, under "The states of
//! a message"; [`State::may_become`] has the same moves. SENT and NOT_SENT are final. UNKNOWN
//! is final but for its sender come back with the truth, for what SES tells of it, and for the
//! one further attempt that a message's terms may allow. A message that is put off stays
//! PENDING, with the time at which it is looked at again.

mod words;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{CampaignId, Change, Code, CustomerId, EmailAddress, MailingId, MessageId, RunId, TemplateId};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Decided on, not yet taken up. The row is the outbox.
    Pending,
    /// A sender has taken it up and may be calling SES.
    Claimed,
    /// SES accepted it.
    Sent,
    /// It was not sent, and there is a reason.
    NotSent,
    /// A sender took it up and was never heard of again. It may have gone out,
    /// so it is not sent a second time.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Claimed, Self::Sent, Self::NotSent, Self::Unknown];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Claimed => "CLAIMED",
            Self::Sent => "SENT",
            Self::NotSent => "NOT_SENT",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether one state may follow on another: every move of the ledger is one of these.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use State::{Claimed, NotSent, Pending, Sent, Unknown};
        matches!(
            (self, next),
            (Pending, Pending | Claimed | NotSent | Sent)
                | (Claimed, Pending | Sent | NotSent | Unknown)
                | (Unknown, Sent | NotSent | Claimed)
        )
    }

    /// Whether nothing more is going to be tried.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Sent | Self::NotSent | Self::Unknown)
    }
}

/// Why a message was not sent. The list is closed: a new way of not sending
/// needs a new word here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No such customer is known.
    CustomerUnknown,
    /// The customer was erased.
    Erased,
    /// The customer has no e-mail address.
    NoAddress,
    /// A marketing message, and the customer has not agreed to any.
    NoConsent,
    /// The customer does not want messages of its category.
    CategoryRefused,
    /// The address bounced or complained before.
    Suppressed,
    /// The order, event or product that it was about is gone.
    SubjectGone,
    /// The template prints a value that is not there.
    MissingVariable,
    /// The template stopped it.
    BlockedByTemplate,
    /// The template could not be rendered.
    TemplateFailed,
    /// There is no promo code left for it.
    NoPromoCode,
    /// It came to be more than SES takes.
    TooLarge,
    /// The customer has had as many messages as they may.
    FrequencyCap,
    /// It was too late.
    Expired,
    /// SES does not let the account write to an address that it has not verified.
    NotVerified,
    /// SES refused this message for good.
    RefusedBySes,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::CustomerUnknown,
        Self::Erased,
        Self::NoAddress,
        Self::NoConsent,
        Self::CategoryRefused,
        Self::Suppressed,
        Self::SubjectGone,
        Self::MissingVariable,
        Self::BlockedByTemplate,
        Self::TemplateFailed,
        Self::NoPromoCode,
        Self::TooLarge,
        Self::FrequencyCap,
        Self::Expired,
        Self::NotVerified,
        Self::RefusedBySes,
    ];

    /// Its name in the API and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerUnknown => "customer_unknown",
            Self::Erased => "erased",
            Self::NoAddress => "no_address",
            Self::NoConsent => "no_consent",
            Self::CategoryRefused => "category_refused",
            Self::Suppressed => "suppressed",
            Self::SubjectGone => "subject_gone",
            Self::MissingVariable => "missing_variable",
            Self::BlockedByTemplate => "blocked_by_template",
            Self::TemplateFailed => "template_failed",
            Self::NoPromoCode => "no_promo_code",
            Self::TooLarge => "too_large",
            Self::FrequencyCap => "frequency_cap",
            Self::Expired => "expired",
            Self::NotVerified => "not_verified",
            Self::RefusedBySes => "refused_by_ses",
        }
    }
}

/// What a message is for, which decides what may stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Part of doing business with the customer, such as an order's
    /// confirmation. Needs no consent.
    Transactional,
    /// Everything else. Needs the customer's consent.
    Marketing,
}

/// On what terms a message goes out: what its campaign or mailing said when it was decided on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The mailing category that it is of; a customer may refuse that one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Code>,
    /// How long after it was to go out it is too late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<SignedDuration>,
    /// When it goes out by the customer's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_at: Option<jiff::civil::DateTime>,
    /// Whether it goes out in quiet hours too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_hour: bool,
    /// At most so many of this campaign or mailing, beside the caps of the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// What becomes of it where the customer has had as many messages as they may.
    #[serde(default, skip_serializing_if = "OverCap::is_skip")]
    pub over_cap: OverCap,
    /// How long after nobody knows whether it went out it is sent once more; never, if not
    /// given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resend_after: Option<SignedDuration>,
}

impl Terms {
    fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// At most so many messages to one customer in any span of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// How many; at least one.
    pub most: u32,
    /// In how long.
    pub per: SignedDuration,
}

/// What becomes of a message that is over a cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverCap {
    /// It is not sent.
    #[default]
    Skip,
    /// It waits until there is room, or it expires.
    Defer,
    /// It waits until there is room, and goes out all the same after this long.
    SendWithin(SignedDuration),
}

impl OverCap {
    fn is_skip(&self) -> bool {
        *self == Self::Skip
    }
}

/// Who decided that the message be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Origin {
    /// A step of a campaign run.
    Campaign {
        /// Which campaign.
        campaign_id: CampaignId,
        /// Which of its versions.
        version: u64,
        /// Which run of it.
        run_id: RunId,
        /// Which step, from 0.
        step: usize,
        /// What set the run off.
        change: Change,
        /// When it was taken in.
        caused_at: Timestamp,
    },
    /// A mass mailing.
    Mailing {
        /// Which.
        mailing_id: MailingId,
        /// Which of its versions.
        version: u64,
    },
    /// Somebody who tries a template out. It goes to them and is none of the customer's
    /// messages, although it is filled as one would be.
    Test {
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Change>,
        /// Where it goes, and with what. Its row forgets this as soon as a sender has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial: Option<Box<Trial>>,
    },
}

/// Where a test goes, and what it is filled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// To whom.
    pub to: EmailAddress,
    /// Whether it is filled with what there is of the message's customer; else with what is
    /// given alone.
    pub of_customer: bool,
    /// What takes the place of what there is: each of its fields of the whole field.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub given: Map<String, Value>,
}

impl Origin {
    /// What set the message off, if it was a change.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Campaign { change, .. } => Some(change),
            Self::Test { change, .. } => change.as_ref(),
            Self::Mailing { .. } => None,
        }
    }

    /// Whether somebody tries a template out.
    #[must_use]
    pub fn is_test(&self) -> bool {
        matches!(self, Self::Test { .. })
    }

    /// Where a test goes and what it is filled with, unless that was forgotten.
    #[must_use]
    pub fn trial(&self) -> Option<&Trial> {
        match self {
            Self::Test { trial, .. } => trial.as_deref(),
            Self::Campaign { .. } | Self::Mailing { .. } => None,
        }
    }
}

/// A message, as it was decided on. What becomes of it stands beside it in the
/// ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Made from the cause: the same cause is the same message.
    pub id: MessageId,
    /// To whom.
    pub customer_id: CustomerId,
    /// Who decided on it.
    pub origin: Origin,
    /// What it is for.
    pub purpose: Purpose,
    /// On what terms it goes out.
    #[serde(default, skip_serializing_if = "Terms::are_usual")]
    pub terms: Terms,
    /// The template that fills it.
    pub template_id: TemplateId,
    /// The version of the template that was in force when the run or mailing
    /// began.
    pub template_version: u64,
    /// When it was decided on.
    pub created_at: Timestamp,
}

impl Message {
    /// The id of the message of one step of a run.
    #[must_use]
    pub fn id_of_step(run_id: &RunId, step: usize) -> MessageId {
        made(&["step", run_id.as_str(), &step.to_string()])
    }

    /// The id of one customer's message of a mailing.
    #[must_use]
    pub fn id_of_mailing(mailing_id: &MailingId, customer_id: &CustomerId) -> MessageId {
        made(&["mailing", mailing_id.as_str(), customer_id.as_str()])
    }

    /// The id of the message with which a request has a template tried out at one address.
    /// `request` tells it from every other one.
    #[must_use]
    pub fn id_of_test(request: &str, to: &EmailAddress) -> MessageId {
        made(&["test", request, to.as_str()])
    }

    /// The message without a word of whom or what it was about.
    #[must_use]
    pub fn scrubbed(&self) -> Self {
        #[expect(clippy::expect_used, reason = "a constant that is a well-formed id")]
        let customer_id = CustomerId::parse("erased").expect("well formed");
        let mut message = Self { customer_id, ..self.clone() };
        match &mut message.origin {
            Origin::Campaign { change, .. } => change.scrub(),
            Origin::Test { change, trial } => (*change, *trial) = (None, None),
            Origin::Mailing { .. } => {}
        }
        message
    }

    /// Whether it goes out with the mass mail, behind every single mail. What happens to
    /// a product concerns many at once; for a test somebody waits.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        !self.origin.is_test() && self.origin.change().is_none_or(|change| change.product_id().is_some())
    }
}

fn made(parts: &[&str]) -> MessageId {
    #[expect(clippy::expect_used, reason = "a digest is 32 hexadecimal digits, which is a well-formed id")]
    MessageId::parse(&crate::digest(parts)).expect("a digest is an id")
}
