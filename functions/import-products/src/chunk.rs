use contracts::product::{read_defined, read_defined_category};
use domain::dictionary::Dictionary;
use domain::{CategoryId, Conflict, Fault, ProductId, ProductUpdate, TooLarge};
use feeds::import::Import;
use feeds::{Entry, Row, RowFault};
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;
use store::{ImportRow, Merged, Refused, ToldProduct};

use crate::Importer;

/// How many categories are written at the same time.
const CATEGORIES_AT_ONCE: usize = 16;

impl Importer {
    /// Works a chunk of rows in; `first` is how many rows came before it.
    pub(crate) async fn take_in_chunk(
        &self,
        import: &mut Import,
        first: u64,
        entries: Vec<Entry>,
    ) -> anyhow::Result<()> {
        let now = self.clock.now();
        let dictionary = self.dictionary.current(now).await?;
        let (mut told, mut places, mut categories) = (Vec::new(), Vec::new(), Vec::new());
        for (number, entry) in (first..).zip(entries) {
            import.counts.rows += 1;
            match entry {
                Entry::Row(mut row) => {
                    let (line, id) = (row.line, row.id.clone());
                    if import.complete
                        && let Some(body) = row.body.as_object_mut()
                    {
                        // It is offered again, if it was taken out.
                        body.entry("available").or_insert(Value::Null);
                    }
                    match read_row(&dictionary, row, now) {
                        Ok(update) => {
                            let row = ImportRow { tag: format!("{} {number}", import.id), at: import.created_at };
                            told.push(ToldProduct { update, import: Some(row) });
                            places.push((line, id));
                        }
                        Err(faults) => note(import, line, &id, faults),
                    }
                }
                Entry::Category(row) => categories.push(row),
                Entry::Faulty(fault) => {
                    import.counts.faulty += 1;
                    import.fault(fault);
                }
            }
        }
        self.take_in_categories(import, &dictionary, categories, now).await?;
        let outcomes = self.catalogue.merge_products(told, now).await?;
        for ((line, id), outcome) in places.into_iter().zip(outcomes) {
            match outcome {
                Ok(Merged::Created(_)) => import.counts.created += 1,
                Ok(Merged::Changed(_)) => import.counts.changed += 1,
                Ok(Merged::Same(_)) => import.counts.unchanged += 1,
                Err(Refused::Conflict(conflict)) => note(import, line, &id, vec![fault_of(conflict)]),
                Err(Refused::Failed(error)) => match error.downcast_ref::<TooLarge>() {
                    Some(too_large) => note(import, line, &id, vec![Fault::new("", too_large.to_string())]),
                    None => return Err(error),
                },
            }
        }
        Ok(())
    }

    async fn take_in_categories(
        &self,
        import: &mut Import,
        dictionary: &Dictionary,
        rows: Vec<Row>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let at = import.created_at;
        let work = rows.into_iter().map(async |row| {
            let (line, id) = (row.line, row.id);
            let update = CategoryId::parse(&id)
                .map_err(|error| vec![Fault::new("/id", error.to_string())])
                .and_then(|id| read_defined_category(dictionary, id, row.body, false, now));
            let merged = match update {
                Ok(update) => match self.catalogue.merge_category(&update, Some(at), now).await {
                    Ok(merged) => Ok(merged.map(drop).map_err(|conflict| vec![fault_of(conflict)])),
                    Err(error) => match error.downcast_ref::<TooLarge>() {
                        Some(too_large) => Ok(Err(vec![Fault::new("", too_large.to_string())])),
                        None => Err(error),
                    },
                },
                Err(faults) => Ok(Err(faults)),
            };
            (line, id, merged)
        });
        let done: Vec<_> = futures::stream::iter(work).buffered(CATEGORIES_AT_ONCE).collect().await;
        for (line, id, merged) in done {
            match merged? {
                Ok(()) => import.counts.categories += 1,
                Err(faults) => note(import, line, &id, faults),
            }
        }
        Ok(())
    }
}

fn read_row(dictionary: &Dictionary, row: Row, now: Timestamp) -> Result<ProductUpdate, Vec<Fault>> {
    let id = ProductId::parse(&row.id).map_err(|error| vec![Fault::new("/id", error.to_string())])?;
    read_defined(dictionary, id, row.body, false, now)
}

fn fault_of(conflict: Conflict) -> Fault {
    Fault::new(conflict.pointer, conflict.message)
}

/// Notes what was wrong with one row.
fn note(import: &mut Import, line: u64, id: &str, faults: Vec<Fault>) {
    import.counts.faulty += 1;
    for Fault { pointer, detail } in faults {
        let column = pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
        let column = Some(column).filter(|column| !column.is_empty());
        import.fault(RowFault { line, id: Some(id.to_owned()), column, detail });
    }
}
