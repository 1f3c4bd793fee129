use domain::dictionary::WordKind;
use domain::sortable;
use jiff::Timestamp;
use serde_json::Value;

use crate::definitions::{Definitions, Kind};
use crate::rows::{Item, number, text};

const AUDIT: &str = "audit";

/// Between the parts of a change's id; no id of a definition has one.
const BETWEEN: char = '~';

/// One edit of what the shop has defined, or of a key: its row is written in the edit's own
/// transaction, and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What kind of definition.
    pub kind: Kind,
    /// The definition's id.
    pub id: String,
    /// The version that it made.
    pub version: u64,
    /// The id of the key that made it; `None` if there was none.
    pub by: Option<String>,
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
        format!("{}{BETWEEN}{kind}{BETWEEN}{code}{BETWEEN}{}", sortable(self.at), self.version)
    }

    /// Whether this can be the name of a change.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        Self::named(name).is_some()
    }

    /// The change of this name, whoever made it.
    fn named(name: &str) -> Option<Self> {
        let mut parts = name.split(BETWEEN);
        let (at, kind, code, version) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let word = || WordKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let (kind, id) = match Kind::ALL.into_iter().find(|known| *known != Kind::Word && known.heads() == kind) {
            Some(kind) => (kind, code.to_owned()),
            None => (Kind::Word, word()?.id(code)),
        };
        let change = Self { at: at.parse().ok()?, kind, id, version: version.parse().ok()?, by: None };
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
        row
    }

    fn of_row(row: &Item) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
        Some(Self { by: text("by").cloned(), ..Self::named(text("id")?)? })
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

    /// What the definition was before the edit and after it; `None` if there was
    /// none then.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn before_and_after(&self, change: &Change) -> anyhow::Result<(Option<Value>, Option<Value>)> {
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
        let change = |kind, id: &str| Change { at, kind, id: id.into(), version: 3, by: Some("k1".into()) };
        for (change, name) in [
            (change(Kind::Campaign, "shipped"), "2026-11-22T10:00:00.000Z~campaign~shipped~3"),
            (change(Kind::Word, "field#customer.tier"), "2026-11-22T10:00:00.000Z~field~customer.tier~3"),
            (change(Kind::Key, "0123456789abcdef"), "2026-11-22T10:00:00.000Z~key~0123456789abcdef~3"),
        ] {
            assert_eq!(change.name(), name);
            assert_eq!(Change::of_row(&change.row()), Some(change));
        }
        for bad in ["", "x", "2026-11-22T10:00:00Z~campaign~shipped~3", "2026-11-22T10:00:00.000Z~moon~a~1", "~~~~"] {
            assert_eq!(Change::named(bad), None, "{bad}");
        }
    }
}
