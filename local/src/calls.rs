//! How often which operation of AWS was called.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts by `service.Operation`, in all and by function.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    all: BTreeMap<String, u64>,
    by_function: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Calls {
    pub(crate) fn count(&self, service: &str, operation: &str, function: Option<&str>) {
        let name = format!("{service}.{operation}");
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = function {
            let counts = counted.by_function.entry(function.to_owned()).or_default();
            *counts.entry(name.clone()).or_default() += 1;
        }
        *counted.all.entry(name).or_default() += 1;
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.clone()
    }

    pub(crate) fn of(&self, function: &str) -> BTreeMap<String, u64> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.by_function.get(function).cloned().unwrap_or_default()
    }
}
