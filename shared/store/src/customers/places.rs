//! What a customer had of messages that caps count: one row beside the customer.

use domain::CustomerId;
use jiff::Timestamp;
use sending::caps::Ledger;

use super::{Customers, Found, Row, row::PLACES, versioned};
use crate::rows::{Versioned, Written};

impl Customers {
    /// Changes what a customer had of messages that caps count, under the id that they have
    /// now, and gives what came of it. If somebody else wrote first, the change is made
    /// again on what they wrote; what stays as it was is not written. Nothing of somebody
    /// who was erased.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn change_places<T>(
        &self,
        id: &CustomerId,
        now: Timestamp,
        change: impl Fn(&mut Ledger) -> T,
    ) -> anyhow::Result<Option<T>> {
        loop {
            let Found::Here { id, what } = self.find(id, &[PLACES.to_owned()]).await? else { return Ok(None) };
            let known: Option<Versioned<Ledger>> = what.into_iter().next().map(versioned).transpose()?;
            let (before, read) = known.map_or_else(Default::default, |known| (known.value, Some(known.version)));
            let mut after = before.clone();
            let came_of_it = change(&mut after);
            if after == before {
                return Ok(Some(came_of_it));
            }
            let row = Row::new(&id, PLACES.to_owned(), &after, read, now)?;
            if self.put(&row, read).await? == Written::Done {
                return Ok(Some(came_of_it));
            }
        }
    }
}
