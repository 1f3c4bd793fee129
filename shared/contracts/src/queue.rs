use domain::{Change, Code, CustomerId, MailingId, Message, RunId, Touched};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a customer has to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// Something happened to them.
    Changed {
        /// What.
        change: Change,
        /// When it was taken in.
        at: Timestamp,
    },
    /// They have ordered what was in a container.
    Ordered {
        /// Which container; the cart if the order names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<Code>,
        /// When the order was placed.
        at: Timestamp,
    },
    /// They are somebody else now, or were erased: what they have is to follow.
    Left,
    /// They may be found by other contacts than before.
    Contacts {
        /// Fingerprints of the contacts by which they were found.
        before: Vec<String>,
    },
    /// A run of theirs has waited long enough.
    Due {
        /// Which run.
        run_id: RunId,
        /// The time that it waited for.
        at: Timestamp,
    },
    /// Something was written about them that they may be in other segments for.
    Touched {
        /// What.
        what: Vec<Touched>,
    },
    /// By the passing of time alone they may be in other segments.
    Turns {
        /// Since when.
        at: Timestamp,
    },
}

/// On the evaluations queue: bring one customer's runs and memberships up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Whose.
    pub customer_id: CustomerId,
    /// Why, oldest first.
    pub causes: Vec<Cause>,
}

impl Evaluation {
    /// A customer's run has waited long enough; without a run, their segments are to be
    /// looked at.
    #[must_use]
    pub fn due(customer_id: CustomerId, run_id: Option<RunId>, at: Timestamp) -> Self {
        let cause = match run_id {
            Some(run_id) => Cause::Due { run_id, at },
            None => Cause::Turns { at },
        };
        Self { customer_id, causes: vec![cause] }
    }
}

/// On the deliveries and bulk-deliveries queues: send one message, if its row
/// says that it is still to be sent. The message comes along, as it never changes,
/// so that only where it stands has to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverMessage {
    /// What to send.
    pub message: Message,
    /// Until when it was put off, if it was: its timer goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Which of its copies this is, if it was put back onto its queue to wait: its row names
    /// the one that waits, and no other is put back again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
}

/// On the product-changes queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum ProductWork {
    /// Look whether anybody wants to hear of these.
    Changed {
        /// What happened to products.
        happened: Vec<Happened>,
    },
    /// Hand one change on to a page of the customers whom it concerns.
    Page {
        /// What happened.
        happened: Happened,
        /// Through which customers to go.
        concerned: Concerned,
        /// Behind which place the page begins; none is the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// Whom that place may name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_id: Option<CustomerId>,
    },
}

/// Something that happened to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// What.
    pub change: Change,
    /// When it was taken in.
    pub at: Timestamp,
}

/// Customers whom it concerns what happens to a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concerned {
    /// Who viewed it.
    Viewed,
    /// Who holds it in this container.
    Holding(Code),
}

/// On the mailings queue: go on with a mailing from its last checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailingWork {
    /// Which.
    pub mailing_id: MailingId,
    /// The version of the checkpoint to go on from; a later one means that
    /// somebody else has taken over. None takes over from whoever is at it.
    pub checkpoint: Option<u64>,
}
