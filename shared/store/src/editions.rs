use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use campaigns::{Editions, Segment, Segments, Upkeep};
use domain::Code;

use crate::definitions::{Definitions, Kind, key};
use crate::rows::{self, Versioned, Written, number, text};

const EDITIONS: &str = "editions";
const OF: &str = "segments";

/// The segments as they were last saved, and which of their editions are kept.
#[derive(Debug, Clone, Default)]
pub struct SavedSegments {
    /// The segments, each with its version.
    pub segments: Vec<Versioned<Segment>>,
    /// Which of their editions are kept.
    pub editions: Editions,
    /// The version of the row that says so; none if there is none yet.
    pub read: Option<u64>,
}

impl SavedSegments {
    /// The version of each segment that was saved last.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<Code, u64> {
        self.segments.iter().map(|segment| (segment.value.code.clone(), segment.version)).collect()
    }

    /// What was saved last.
    #[must_use]
    pub fn segments(&self) -> Segments {
        self.segments.iter().map(|segment| segment.value.clone()).collect()
    }
}

impl Definitions {
    /// The segments as they were last saved, and which of their editions are kept. One
    /// that cannot be read is logged and left out: a condition that names it cannot be
    /// answered then.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn saved_segments(&self) -> anyhow::Result<SavedSegments> {
        // Whatever is saved in between is saved with other editions than these, and so
        // whoever writes by what was read here is refused.
        let (editions, read) = self.editions().await?;
        Ok(SavedSegments { segments: self.list(Kind::Segment).await?, editions, read })
    }

    /// Which editions of segments are kept, and the version of the row that says so; none
    /// if there is none yet.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn editions(&self) -> anyhow::Result<(Editions, Option<u64>)> {
        let Some(item) = self.item(EDITIONS, OF).await? else { return Ok((Editions::default(), None)) };
        let row: crate::definitions::Row = rows::decode(item)?;
        Ok((rows::parse(&row.body)?, Some(row.version)))
    }

    /// The segments that go for whoever asks about them now: by the edition that serves,
    /// or, of one whose members are found for the first time, as it was saved.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn segments(&self) -> anyhow::Result<Segments> {
        Ok(self.upkeep().await?.1)
    }

    /// The segments whose members are kept, and those that go for whoever asks about them
    /// now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn upkeep(&self) -> anyhow::Result<(Upkeep, Segments)> {
        let saved = self.saved_segments().await?;
        let [meant, to_come] = self.kept_segments(&saved).await?;
        let in_force = meant.clone().or(to_come.clone()).or(saved.segments());
        Ok((Upkeep::new(&saved.editions, meant, to_come), in_force))
    }

    /// The segments as they serve or are to, which may be older than what was saved last.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn kept_segments(&self, saved: &SavedSegments) -> anyhow::Result<[Segments; 2]> {
        let meant = self.segments_at(saved, &saved.editions.in_force()).await?;
        let to_come = match &saved.editions.building {
            Some(_) => self.segments_at(saved, &saved.editions.to_come()).await?,
            None => Segments::default(),
        };
        Ok([meant, to_come])
    }

    /// The segments by these versions; those that were saved since are read one by one.
    async fn segments_at(&self, saved: &SavedSegments, versions: &BTreeMap<Code, u64>) -> anyhow::Result<Segments> {
        let last: BTreeMap<&Code, &Versioned<Segment>> =
            saved.segments.iter().map(|segment| (&segment.value.code, segment)).collect();
        let mut segments = Segments::default();
        for (code, version) in versions {
            match last.get(code) {
                Some(segment) if segment.version == *version => segments.insert(segment.value.clone()),
                _ => {
                    let known = self.version::<Segment>(Kind::Segment, code.as_str(), *version);
                    if let Some(segment) = rows::readable(known.await).flatten() {
                        segments.insert(segment);
                    }
                }
            }
        }
        Ok(segments)
    }

    /// Writes which editions are kept, if nobody else wrote since this was read; part of
    /// the transaction of an edit.
    ///
    /// # Errors
    /// If it is too large for a row.
    pub fn put_editions(&self, editions: &Editions, read: Option<u64>) -> anyhow::Result<TransactWriteItem> {
        let mut item = key(EDITIONS, OF);
        item.insert("body".into(), text(rows::body(editions)?));
        item.insert("version".into(), number(read.unwrap_or(0) + 1));
        item.insert("saved".into(), text(""));
        let put = Put::builder().table_name(self.table()).set_item(Some(item));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(kind)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Writes which editions are gone, if nobody else wrote since this was read; nothing
    /// else of it may be otherwise than it was read. Nobody needs to hear of it.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_gone(&self, editions: &Editions, read: Option<u64>) -> anyhow::Result<Written> {
        let put = vec![self.put_editions(editions, read)?];
        rows::transact(self.db(), put, "which editions are gone could not be written").await
    }

    /// Writes which editions are kept, by itself, and that something was edited.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn move_editions(&self, editions: &Editions, read: Option<u64>) -> anyhow::Result<Written> {
        let actions = vec![self.put_editions(editions, read)?, self.moved_on()?];
        rows::transact(self.db(), actions, "the segments' editions could not be written").await
    }
}
