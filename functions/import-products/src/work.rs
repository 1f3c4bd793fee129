use std::time::Duration;

use bytes::Bytes;
use contracts::import::ImportWork;
use contracts::product::{read_defined, read_defined_category};
use domain::dated::Said;
use domain::dictionary::Dictionary;
use domain::{CategoryId, Conflict, Fault, Product, ProductId, ProductUpdate, TooLarge};
use feeds::import::{Import, Origin, Stage};
use feeds::{Entry, Row, RowFault};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use store::{ImportRow, Merged, Refused, ToldProduct, Versioned, Written};
use tokio::sync::mpsc::Receiver;

use crate::Importer;
use crate::fetch::{Fetched, NotFetched};
use crate::rows::{self, End, Ending, Parsed, Products};

/// After how many chunks of rows the checkpoint is moved.
const CHECKPOINT: u32 = 10;

/// How long before its deadline a worker hands on to the next.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(30);

/// How often an import is tried without coming any further.
const MOST_TRIES: u32 = 5;

/// How long to wait before a feed that cannot be fetched is tried once more; twice
/// as long each time.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// How many categories are written at the same time.
const CATEGORIES_AT_ONCE: usize = 16;

/// How work on an import went on.
enum Went {
    /// It is over; why, if it did not end well.
    Over(Option<String>),
    /// There is more to do, after a while.
    On(SignedDuration),
    /// The feed cannot be had now; why.
    NotNow(String),
    /// Somebody else is at it.
    Overtaken,
}

/// An import that is being worked on.
struct Held {
    import: Import,
    version: u64,
}

impl Importer {
    /// Works on an import from its checkpoint until it is done or time is up.
    pub(crate) async fn go_on(&self, id: &str, deadline: Timestamp) -> anyhow::Result<()> {
        let Some(Versioned { value: mut import, version }) = self.imports.get(id).await? else { return Ok(()) };
        if import.is_over() {
            return self.forget_parts(&import).await;
        }
        (import.stage, import.reason) = (Stage::Running, None);
        import.tries += 1;
        let mut held = Held { import, version };
        if self.put(&mut held).await? == Written::Overtaken {
            return Ok(());
        }
        let went = if held.import.tries > MOST_TRIES {
            Went::Over(Some(format!("given up after {MOST_TRIES} tries that came no further")))
        } else {
            self.work(&mut held, deadline).await?
        };
        let delay = match went {
            Went::Overtaken => return Ok(()),
            Went::Over(reason) => return self.end(held, reason).await,
            Went::NotNow(reason) if held.import.tries >= MOST_TRIES => return self.end(held, Some(reason)).await,
            Went::NotNow(reason) => {
                held.import.reason = Some(reason);
                PATIENCE * (1 << held.import.tries.saturating_sub(1).min(8))
            }
            Went::On(delay) => delay,
        };
        match self.put(&mut held).await? {
            Written::Done => self.queue.send(&[(ImportWork { import_id: id.to_owned() }, delay)]).await,
            Written::Overtaken => Ok(()),
        }
    }

    async fn end(&self, mut held: Held, reason: Option<String>) -> anyhow::Result<()> {
        held.import.stage = if reason.is_some() { Stage::Failed } else { Stage::Done };
        held.import.reason = reason.or(held.import.reason);
        held.import.ended_at = Some(self.clock.now());
        match self.put(&mut held).await? {
            Written::Done => self.forget_parts(&held.import).await,
            Written::Overtaken => Ok(()),
        }
    }

    async fn forget_parts(&self, import: &Import) -> anyhow::Result<()> {
        if let Origin::Body(parts) = import.origin {
            for number in 0..parts {
                self.imports.delete_part(&import.id, number).await?;
            }
        }
        Ok(())
    }

    async fn put(&self, held: &mut Held) -> anyhow::Result<Written> {
        let written = self.imports.put(&held.import, Some(held.version)).await?;
        held.version += 1;
        Ok(written)
    }

    async fn work(&self, held: &mut Held, deadline: Timestamp) -> anyhow::Result<Went> {
        let id = held.import.id.clone();
        match held.import.origin.clone() {
            Origin::Body(parts) => {
                let charset = held.import.charset.clone();
                let (bytes, rows) = rows::read(held.import.format, charset, held.import.counts.rows);
                let pump = async {
                    for number in 0..parts {
                        let part = self.imports.part(&id, number).await.map(Bytes::from);
                        let failed = part.is_err();
                        if bytes.send(part.map_err(std::io::Error::other)).await.is_err() || failed {
                            break;
                        }
                    }
                    drop(bytes);
                };
                self.beside(pump, self.take_in(held, rows, deadline)).await
            }
            Origin::Url(url) => {
                let Fetched { bytes: mut stream, validator, charset } = match self.fetcher.fetch(&url).await {
                    Ok(fetched) => fetched,
                    Err(NotFetched::Never(reason)) => return Ok(Went::Over(Some(reason))),
                    Err(NotFetched::NotNow(reason)) => return Ok(Went::NotNow(reason)),
                };
                if held.import.counts.rows > 0 && held.import.validator != validator {
                    held.import.start_over();
                }
                held.import.validator = validator;
                let (bytes, rows) = rows::read(held.import.format, charset, held.import.counts.rows);
                let pump = async {
                    loop {
                        let next = match tokio::time::timeout(SILENCE, stream.next()).await {
                            Ok(None) => break,
                            Ok(Some(next)) => next.map_err(std::io::Error::other),
                            Err(silence) => Err(std::io::Error::other(silence)),
                        };
                        let failed = next.is_err();
                        if bytes.send(next).await.is_err() || failed {
                            break;
                        }
                    }
                    drop(bytes);
                };
                self.beside(pump, self.take_in(held, rows, deadline)).await
            }
        }
    }

    /// Does the work while the feed comes in beside it.
    async fn beside(
        &self,
        pump: impl Future<Output = ()>,
        work: impl Future<Output = anyhow::Result<Went>>,
    ) -> anyhow::Result<Went> {
        let pump = async {
            pump.await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            went = work => went,
            () = pump => Ok(Went::Overtaken),
        }
    }

    async fn take_in(&self, held: &mut Held, mut rows: Receiver<Parsed>, deadline: Timestamp) -> anyhow::Result<Went> {
        let mut behind = 0;
        loop {
            match rows.recv().await {
                None => anyhow::bail!("the reader of a feed is gone"),
                Some(Parsed::Rows(first, entries)) => self.take_in_chunk(&mut held.import, first, entries).await?,
                Some(Parsed::End(End { ignored, ending, products })) => {
                    held.import.ignored.extend(ignored);
                    return match ending {
                        None if held.import.complete => self.take_out(&mut held.import, products, deadline).await,
                        None => Ok(Went::Over(None)),
                        Some(Ending::Broken(reason)) => Ok(Went::Over(Some(reason))),
                        Some(Ending::BrokeOff) => Ok(Went::NotNow("the feed broke off".to_owned())),
                    };
                }
            }
            // It came further.
            held.import.tries = 0;
            if self.clock.now() + TO_SPARE >= deadline {
                return Ok(Went::On(SignedDuration::ZERO));
            }
            behind += 1;
            if behind == CHECKPOINT {
                behind = 0;
                if self.put(held).await? == Written::Overtaken {
                    return Ok(Went::Overtaken);
                }
            }
        }
    }

    /// Works a chunk of rows in; `first` is how many rows came before it.
    async fn take_in_chunk(&self, import: &mut Import, first: u64, entries: Vec<Entry>) -> anyhow::Result<()> {
        let now = self.clock.now();
        let dictionary = self.dictionary.current(now).await?;
        let (mut told, mut places, mut categories) = (Vec::new(), Vec::new(), Vec::new());
        for (number, entry) in (first..).zip(entries) {
            import.counts.rows += 1;
            match entry {
                Entry::Row(row) => {
                    let (line, id) = (row.line, row.id.clone());
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

    /// Notes of every product that a complete feed does not have that it cannot be had.
    async fn take_out(
        &self,
        import: &mut Import,
        products: Option<Products>,
        deadline: Timestamp,
    ) -> anyhow::Result<Went> {
        let Some(products) = products else {
            import.reason = Some("not every row says of which product it is, so none was taken to be missing".into());
            return Ok(Went::Over(None));
        };
        let row = ImportRow { tag: format!("{} missing", import.id), at: import.created_at };
        import.counts.missing = 0;
        let mut after = None;
        loop {
            let now = self.clock.now();
            if now + TO_SPARE >= deadline {
                return Ok(Went::On(SignedDuration::ZERO));
            }
            let (page, next) = self.catalogue.page(after.as_ref(), &row).await?;
            // Those that were taken out before a worker was lost are counted again.
            import.counts.missing += page.iter().filter(|(_, taken_out)| *taken_out).count() as u64;
            let missing = page.into_iter().filter(|(product, _)| {
                let is_offered = !product.is_deleted() && product.content.in_stock() != Some(false);
                is_offered && product.first_at <= import.created_at && !products.has(product.id.as_str())
            });
            let told = missing.map(|(product, _)| ToldProduct { update: gone(product), import: Some(row.clone()) });
            for outcome in self.catalogue.merge_products(told.collect(), now).await? {
                match outcome {
                    Ok(Merged::Changed(_)) => import.counts.missing += 1,
                    Err(Refused::Failed(error)) if !error.is::<TooLarge>() => return Err(error),
                    // Something else was said of it for the very same time: it stays as it is.
                    Ok(_) | Err(_) => {}
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(Went::Over(None)),
            }
        }
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

/// That a product cannot be had, in the way in which it was said that it can.
fn gone(product: Product) -> ProductUpdate {
    let mut fields = Map::new();
    if product.content.stock.is_some() {
        fields.insert("stock".into(), "0".into());
    }
    if product.content.stock.is_none() || product.content.available.is_some() {
        fields.insert("available".into(), false.into());
    }
    ProductUpdate { id: product.id, updated_at: None, said: Said { whole: false, fields } }
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
