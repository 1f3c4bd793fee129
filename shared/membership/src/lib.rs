//! In which segments a customer is, kept up to date.
//!
//! What was read may be old when something is written, and several may be at it at once.
//! So a write is refused if anybody wrote since the memberships were read; and whoever
//! wrote looks once more, at everything anew, the segments included, until there is
//! nothing left to write. Whatever happens to a customer is followed by a look that begins
//! later. The last to write has looked after that, and the last to look has seen all that
//! happened: if the two do not agree, one of them is not done yet.

use std::sync::Arc;

use campaigns::{By, Chosen, Upkeep};
use domain::{CustomerId, Touched};
use facts::History;
use jiff::{SignedDuration, Timestamp};
use lambda::Clock;
use store::{Active, ActiveSet, Customers, Found, MembershipRows, Written};

/// By how much the clocks of two machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

/// After how long a time that has come and was not seen to counts as missed: its message
/// was lost, or is a dead letter. Whoever looks next sees to it.
const MISSED: SignedDuration = SignedDuration::from_mins(15);

/// Why somebody's segments are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// This was written about them.
    Touched(Vec<Touched>),
    /// It is this time, at which they were to be looked at again.
    Turns(Timestamp),
    /// The members of the segments are being found that are built under this number.
    Found(u64),
}

/// Keeps the memberships of customers up to date, one customer at a time.
#[derive(Debug)]
pub struct Keeper {
    /// Where customers are read.
    pub customers: Customers,
    /// What conditions ask about.
    pub history: History,
    /// Where memberships are kept.
    pub rows: MembershipRows,
    /// What is in force.
    pub active: ActiveSet,
    /// The time.
    pub clock: Clock,
}

impl Keeper {
    /// Brings it up to date in which segments a customer is, by what is in force as the
    /// caller knows it. Of a customer who is another one now, that one is looked at; of
    /// one who was erased nothing is kept.
    ///
    /// # Errors
    /// If the tables cannot be read or written to, or a time has not come yet.
    pub async fn keep_up(&self, active: &Arc<Active>, customer_id: &CustomerId, look: &Look) -> anyhow::Result<()> {
        if !matches!(look, Look::Turns(_)) && look.chosen(&active.upkeep).is_empty() {
            return Ok(());
        }
        let mut active = Arc::clone(active);
        let mut id = customer_id.clone();
        let mut wrote: Option<Chosen> = None;
        loop {
            // Before anything that they go by: whoever changes them later is seen.
            let known = self.rows.load(&id).await?;
            let customer = match self.customers.profile(&id).await? {
                Found::Here { id: is, what } if is == id => what,
                somebody_else => {
                    // Be it that somebody wrote and died before they saw who it is by now.
                    wrote = None;
                    if known.version.is_some() || !known.of.is_empty() {
                        self.rows.forget(&id).await?;
                    }
                    match somebody_else {
                        Found::Here { id: is, .. } => id = is,
                        Found::Erased => return self.forget_timer(customer_id, look).await,
                    }
                    continue;
                }
            };
            let Some(customer) = customer else { return self.forget_timer(customer_id, look).await };
            let mut now = known.at.into_iter().fold(self.clock.now(), Timestamp::max);
            if let Look::Turns(at) = look {
                anyhow::ensure!(*at <= now + CLOCKS_DIFFER, "a customer is not to be looked at yet");
                now = now.max(*at);
                if wrote.is_none() && (known.turns_at != Some(*at) || id != *customer_id) {
                    // Overtaken. Whoever did that may have died before they looked once more.
                    self.forget_timer(customer_id, look).await?;
                }
            }
            let is_missed = known.turns_at.is_some_and(|at| at.saturating_add(MISSED).is_ok_and(|late| late < now));
            let by = if is_missed { By::Time } else { look.by() };
            let chosen = match wrote.take() {
                _ if is_missed => active.upkeep.all(),
                Some(chosen) => chosen,
                None => look.chosen(&active.upkeep),
            };
            let needs = active.upkeep.needs(&chosen);
            let single = contracts::facts::of(Some(&customer.value), None, None, None, None);
            let facts = self.history.facts(&id, single, &needs, now).await?;
            let judged = active.upkeep.judged(&chosen, &facts, &self.history.at(now).await?);
            let Some(turned) = known.turned(&judged, active.upkeep.editions(), &by, now) else { return Ok(()) };
            if self.rows.apply(&id, &known, &turned, now).await? == Written::Done {
                let in_force = self.active.current().await?;
                let is_same = in_force.upkeep.keeps_the_same(&active.upkeep);
                wrote = Some(if is_same { chosen } else { in_force.upkeep.all() });
                active = in_force;
            }
        }
    }

    /// Of a time that goes with nothing any more.
    async fn forget_timer(&self, customer_id: &CustomerId, look: &Look) -> anyhow::Result<()> {
        match look {
            Look::Turns(at) => self.rows.forget_timer(customer_id, *at).await,
            _ => Ok(()),
        }
    }
}

impl Look {
    fn chosen(&self, upkeep: &Upkeep) -> Chosen {
        match self {
            Self::Touched(what) => upkeep.touched_by(what),
            Self::Turns(_) => upkeep.timed(),
            Self::Found(number) => upkeep.found(*number),
        }
    }

    fn by(&self) -> By {
        match self {
            Self::Touched(what) => By::Touched(what.clone()),
            Self::Turns(_) => By::Time,
            Self::Found(_) => By::Found,
        }
    }
}
