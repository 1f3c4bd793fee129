use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::CustomerId;
use store::{Found, Identity};

use crate::Intake;

/// Who the customers of a batch are now, looked up at once for all of it.
///
/// It is as old as the batch, but for what the batch itself says of who somebody is.
/// What is written under an id that somebody has left meanwhile follows them, as does
/// what any writer writes who looked too early.
#[derive(Debug, Default)]
pub struct Known(Mutex<BTreeMap<CustomerId, Found<()>>>);

impl Known {
    fn who(&self, id: &CustomerId) -> Option<Found<()>> {
        self.lock().get(id).cloned()
    }

    /// Has this one looked up again: somebody says who they are.
    pub(crate) fn forget(&self, id: &CustomerId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CustomerId, Found<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake {
    /// Looks up who these customers are now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn known(&self, ids: impl IntoIterator<Item = CustomerId>) -> anyhow::Result<Known> {
        let ids: Vec<CustomerId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut left = self.customers.identities(&ids).await?;
        let mut known = BTreeMap::new();
        for id in ids {
            let found = match left.remove(&id) {
                None => Found::Here { id: id.clone(), what: () },
                Some(Identity::Is(now)) => match self.customers.resolve(&now).await {
                    Ok(found) => found,
                    // Looked up again by what is told of them, which alone fails then.
                    Err(_) => continue,
                },
                Some(Identity::Erased) => Found::Erased,
            };
            known.insert(id, found);
        }
        Ok(Known(Mutex::new(known)))
    }

    /// Who somebody is now.
    pub(crate) async fn who(&self, known: &Known, id: &CustomerId) -> anyhow::Result<Found<()>> {
        match known.who(id) {
            Some(found) => Ok(found),
            None => self.customers.resolve(id).await,
        }
    }
}
