use domain::dictionary::WordKind;
use domain::sortable;
use jiff::Timestamp;
use serde_json::Value;

use crate::definitions::{Definitions, Kind};
use crate::rows::{Item, failed, number, text};

const AUDIT: &str = "audit";

/// Between the parts of a change's id; no id of a definition has one.
const BETWEEN: char = '~';

/// One edit of what the shop has defined, or of a key: its row is written in the edit's own
/// transaction, and never changed. Or something that was asked for of what is defined, and that
/// makes no version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What kind of definition.
    pub kind: Kind,
    /// The definition's id.
    pub id: String,
    /// The version that it made, or that it was about.
    pub version: u64,
    /// The id of the key that made it; `None` if there was none.
    pub by: Option<String>,
    /// What was done, if it is no edit.
    pub done: Option<Done>,
}

/// Something that was done with what is defined, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What.
    pub what: Deed,
    /// How many codes were uploaded, known ones among them, or to how many addresses a test
    /// was to go.
    pub count: usize,
    /// What tells it from others of the same moment.
    pub mark: String,
}

/// What may be done that is no edit, and is known as one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Promo codes were uploaded to the group.
    CodesUploaded,
    /// A test of the template was asked for.
    TestSent,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CodesUploaded, Self::TestSent];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodesUploaded => "codes_uploaded",
            Self::TestSent => "test_sent",
        }
    }
}

impl Change {
    /// What was changed, as the API names it: the kind and the code.
    #[must_use]
    pub fn subject(&self) -> (&str, &str) {
        match (self.kind, WordKind::of_id(&self.id)) {
            (Kind::Word, Some((kind, code))) => (kind.as_str(), code),
            _ => (self.kind.heads(), &self.id),
        }
    }

    /// A name for the change by which [`Definitions::change`] finds it; later ones
    /// sort after earlier ones.
    #[must_use]
    pub fn name(&self) -> String {
        let (kind, code) = self.subject();
        let name = format!("{}{BETWEEN}{kind}{BETWEEN}{code}{BETWEEN}{}", sortable(self.at), self.version);
        match &self.done {
            Some(Done { what, mark, .. }) => format!("{name}{BETWEEN}{}{BETWEEN}{mark}", what.as_str()),
            None => name,
        }
    }

    /// Whether this can be the name of a change.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        Self::named(name).is_some()
    }

    /// The change of this name, whoever made it, and of however many.
    fn named(name: &str) -> Option<Self> {
        let mut parts = name.split(BETWEEN);
        let (at, kind, code, version) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let word = || WordKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let (kind, id) = match Kind::ALL.into_iter().find(|known| *known != Kind::Word && known.heads() == kind) {
            Some(kind) => (kind, code.to_owned()),
            None => (Kind::Word, word()?.id(code)),
        };
        let done = match parts.next() {
            Some(name) => {
                let what = Deed::ALL.into_iter().find(|known| known.as_str() == name)?;
                Some(Done { what, count: 0, mark: parts.next()?.to_owned() })
            }
            None => None,
        };
        let change = Self { at: at.parse().ok()?, kind, id, version: version.parse().ok()?, by: None, done };
        // Only as it is written: a row is looked for by it.
        (change.name() == name).then_some(change)
    }

    pub(crate) fn row(&self) -> Item {
        let mut row = Item::from([
            ("kind".into(), text(AUDIT)),
            ("id".into(), text(self.name())),
            ("version".into(), number(self.version)),
        ]);
        row.extend(self.by.as_deref().map(|by| ("by".into(), text(by))));
        row.extend(self.done.as_ref().map(|done| ("count".into(), number(done.count as u64))));
        row
    }

    fn of_row(row: &Item) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
        let mut change = Self { by: text("by").cloned(), ..Self::named(text("id")?)? };
        if let Some(done) = &mut change.done {
            done.count = row.get("count")?.as_n().ok()?.parse().ok()?;
        }
        Some(change)
    }
}

impl Definitions {
    /// At most `limit` edits, newest first, of those before the one of this name.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn changes(&self, before: Option<&str>, limit: usize) -> anyhow::Result<Vec<Change>> {
        let rows = self.query_after(AUDIT, before, limit, false).await?;
        Ok(rows.iter().filter_map(Change::of_row).collect())
    }

    /// The edit of this name.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn change(&self, name: &str) -> anyhow::Result<Option<Change>> {
        Ok(self.item(AUDIT, name).await?.as_ref().and_then(Change::of_row))
    }

    /// Notes that something was asked for of a definition, and by whom ([`Self::by`]).
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn note(&self, (kind, id, version): (Kind, &str, u64), done: Done, now: Timestamp) -> anyhow::Result<()> {
        let change = Change { at: now, kind, id: id.to_owned(), version, by: self.key_id(), done: Some(done) };
        let put = self.db().put_item().table_name(self.table()).set_item(Some(change.row())).send();
        put.await.map(drop).map_err(failed("what was asked for could not be noted"))
    }

    /// What the definition was before the edit and after it; `None` if there was
    /// none then, or it is no edit.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn before_and_after(&self, change: &Change) -> anyhow::Result<(Option<Value>, Option<Value>)> {
        if change.done.is_some() {
            return Ok((None, None));
        }
        let before = self.version(change.kind, &change.id, change.version.saturating_sub(1)).await?;
        Ok((before, self.version(change.kind, &change.id, change.version).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_known_by_its_name_and_told_by_its_row() {
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let change = |kind, id: &str| Change { at, kind, id: id.into(), version: 3, by: Some("k1".into()), done: None };
        let uploaded = Some(Done { what: Deed::CodesUploaded, count: 7, mark: "a1".into() });
        for (change, name) in [
            (
                Change { done: uploaded, ..change(Kind::PromoGroup, "ten") },
                "2026-11-22T10:00:00.000Z~promo-code-group~ten~3~codes_uploaded~a1",
            ),
            (change(Kind::Campaign, "shipped"), "2026-11-22T10:00:00.000Z~campaign~shipped~3"),
            (change(Kind::Word, "field#customer.tier"), "2026-11-22T10:00:00.000Z~field~customer.tier~3"),
            (change(Kind::Key, "0123456789abcdef"), "2026-11-22T10:00:00.000Z~key~0123456789abcdef~3"),
        ] {
            assert_eq!(change.name(), name);
            assert_eq!(Change::of_row(&change.row()), Some(change));
        }
        for bad in [
            "",
            "x",
            "2026-11-22T10:00:00Z~campaign~shipped~3",
            "2026-11-22T10:00:00.000Z~moon~a~1",
            "~~~~",
            "2026-11-22T10:00:00.000Z~campaign~shipped~3~sung~a1",
            "2026-11-22T10:00:00.000Z~campaign~shipped~3~test_sent",
        ] {
            assert_eq!(Change::named(bad), None, "{bad}");
        }
    }
}
