use std::time::Duration;

use bytes::Bytes;
use contracts::import::ImportWork;
use feeds::import::{Import, Origin, Stage};
use jiff::{SignedDuration, Timestamp};
use store::{Versioned, Written};
use tokio::sync::mpsc::Receiver;

use crate::Importer;
use crate::fetch::{Fetched, NotFetched};
use crate::rows::{self, End, Ending, Parsed};

/// After how many chunks of rows the checkpoint is moved.
const CHECKPOINT: u32 = 10;

/// How long before its deadline a worker hands on to the next.
pub(crate) const TO_SPARE: SignedDuration = SignedDuration::from_secs(30);

/// How often an import is tried without coming any further.
const MOST_TRIES: u32 = 5;

/// How long to wait before a feed that cannot be fetched is tried once more; twice
/// as long each time.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// How work on an import went on.
pub(crate) enum Went {
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
}
