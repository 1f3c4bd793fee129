//! A message to one customer, from the decision to send it to what became of it.
//!
//! ```text
//!    a check stops it
//! ┌───────────────────────────────► NOT_SENT
//! │                                    ▲ SES refuses
//! │         claim                      │ settle
//! PENDING ─────────► CLAIMED ──────────┴──► SENT
//!    ▲                │                      ▲
//!    └── give back ───┤ (throttled)          │ an SES event, or its own
//!                     │                      │ sender come back, says so
//!                     └── lease ran out ► UNKNOWN
//! ```
//!
//! SENT and NOT_SENT are final. UNKNOWN is final but for proof that the mail did
//! go out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CampaignId, Change, CustomerId, MailingId, MessageId, RunId, TemplateId};

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
    /// SES refused this message for good.
    RefusedBySes,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CustomerUnknown,
        Self::Erased,
        Self::NoAddress,
        Self::NoConsent,
        Self::Suppressed,
        Self::SubjectGone,
        Self::MissingVariable,
        Self::BlockedByTemplate,
        Self::TemplateFailed,
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
            Self::Suppressed => "suppressed",
            Self::SubjectGone => "subject_gone",
            Self::MissingVariable => "missing_variable",
            Self::BlockedByTemplate => "blocked_by_template",
            Self::TemplateFailed => "template_failed",
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
}

impl Origin {
    /// What set the message off, if it was a change.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Campaign { change, .. } => Some(change),
            Self::Mailing { .. } => None,
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

    /// The message without a word of whom or what it was about.
    #[must_use]
    pub fn scrubbed(&self) -> Self {
        #[expect(clippy::expect_used, reason = "a constant that is a well-formed id")]
        let customer_id = CustomerId::parse("erased").expect("well formed");
        let mut message = Self { customer_id, ..self.clone() };
        if let Origin::Campaign { change, .. } = &mut message.origin {
            change.scrub();
        }
        message
    }

    /// Whether it goes out with the mass mail, behind every single mail. What happens to
    /// a product concerns many at once.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        self.origin.change().is_none_or(|change| change.product_id().is_some())
    }
}

fn made(parts: &[&str]) -> MessageId {
    #[expect(clippy::expect_used, reason = "a digest is 32 hexadecimal digits, which is a well-formed id")]
    MessageId::parse(&crate::digest(parts)).expect("a digest is an id")
}
