use std::collections::BTreeSet;
use std::io::Read;

use serde_json::Value;

use crate::columns::plain;
use crate::source::Source;
use crate::table::Table;
use crate::{Broken, Entry, Row, RowFault};

/// What the column of customers' ids may be called; a fault calls it by the first.
pub(crate) const CUSTOMERS: &[&str] = &["id", "customer_id", "customer"];

/// What the column of promo codes may be called.
pub(crate) const CODES: &[&str] =
    &["code", "codes", "promo_code", "promo_codes", "coupon", "coupon_code", "voucher", "voucher_code"];

/// One column of a table: the one that is called so, or the first one of a list that names no
/// columns.
pub(crate) struct Ids<R> {
    table: Table<R>,
    column: usize,
    called: &'static str,
    /// The first row, where it is an id already.
    first: Option<Row>,
    ignored: BTreeSet<String>,
}

impl<R: Read> Ids<R> {
    pub(crate) fn open(source: Source<R>, names: &'static [&'static str]) -> Result<Self, Broken> {
        let (table, head) = Table::open(source)?;
        let named = head.cells.iter().position(|name| names.contains(&plain(name).as_str()));
        let first = named.is_none().then(|| row(head.line, head.cells.into_iter().next().unwrap_or_default()));
        let called = names.first().copied().unwrap_or_default();
        Ok(Self { table, column: named.unwrap_or(0), called, first, ignored: BTreeSet::new() })
    }

    pub(crate) fn ignored(&self) -> &BTreeSet<String> {
        &self.ignored
    }

    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Broken> {
        let row = match self.first.take() {
            Some(first) => Ok(first),
            None => match self.table.next()? {
                None => return Ok(None),
                Some(record) => record.map(|mut record| row(record.line, record.cells.swap_remove(self.column))),
            },
        };
        Ok(Some(match row {
            Ok(row) if row.id.is_empty() => {
                let (detail, column) = ("is required".to_owned(), Some(self.called.to_owned()));
                Entry::Faulty(RowFault { line: row.line, id: None, column, detail })
            }
            Ok(row) => Entry::Row(row),
            Err(fault) => Entry::Faulty(fault),
        }))
    }
}

fn row(line: u64, id: String) -> Row {
    Row { line, id, body: Value::Null, audiences: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Feed, Format};

    fn ids(format: Format, text: &str) -> Vec<String> {
        let id = |entry| match entry {
            Entry::Row(row) => Some(row.id),
            _ => None,
        };
        Feed::open(format, text.as_bytes(), None).unwrap().map(Result::unwrap).filter_map(id).collect()
    }

    #[test]
    fn a_list_of_ids_may_name_its_column_or_not() {
        assert_eq!(ids(Format::Ids, "c-1\nc-2\n\nc-3"), ["c-1", "c-2", "c-3"]);
        assert_eq!(ids(Format::Ids, "email,customer_id\na@x,c-1\nb@x,\nc@x,c-3\n"), ["c-1", "c-3"]);
    }

    #[test]
    fn a_list_of_promo_codes_may_name_its_column_or_not() {
        assert_eq!(ids(Format::Codes, "TEN-1\nTEN-2\n"), ["TEN-1", "TEN-2"]);
        assert_eq!(ids(Format::Codes, "Id;Promo code\n1;\"TEN;1\"\n2;\n3;TEN-3\n"), ["TEN;1", "TEN-3"]);
    }
}
