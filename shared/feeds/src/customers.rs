use std::collections::BTreeSet;
use std::io::Read;

use serde_json::Map;

use crate::columns::{Columns, field, plain, several};
use crate::source::Source;
use crate::table::{Record, Table};
use crate::{Broken, Entry, Row, RowFault};

/// A table of customers. A cell with nothing in it says nothing: a list of
/// addresses is not all that is known of somebody.
pub(crate) struct Customers<R> {
    table: Table<R>,
    columns: Columns<Column>,
}

#[derive(Debug, Clone, PartialEq)]
enum Column {
    Id,
    Text(&'static str),
    Consent,
    ConsentAt,
    /// A mailing category, by its code as it is written.
    Category(String),
    Audiences,
    Field(String),
}

const TEXTS: [&str; 14] = [
    "email",
    "phone",
    "first_name",
    "last_name",
    "birthday",
    "gender",
    "city",
    "zip",
    "country",
    "language",
    "time_zone",
    "registered_at",
    "updated_at",
    "source",
];

fn meaning(name: &str) -> Option<Column> {
    if let Some(field) = field(name) {
        return Some(Column::Field(field));
    }
    if let Some(code) = name.strip_prefix("consent.categories.").filter(|code| !code.is_empty()) {
        return Some(Column::Category(code.to_owned()));
    }
    let name = plain(name);
    Some(match name.as_str() {
        "id" | "customer_id" => Column::Id,
        "consent.email" | "email_consent" => Column::Consent,
        "consent.email.at" | "email_consent_at" => Column::ConsentAt,
        "audience" | "audiences" => Column::Audiences,
        "e_mail" => Column::Text("email"),
        name => Column::Text(TEXTS.into_iter().find(|known| *known == name)?),
    })
}

impl<R: Read> Customers<R> {
    pub(crate) fn open(source: Source<R>) -> Result<Self, Broken> {
        let (table, names) = Table::open(source)?;
        let columns = Columns::new(names.cells, meaning);
        columns.need(&Column::Id, "id")?;
        Ok(Self { table, columns })
    }

    pub(crate) fn ignored(&self) -> &BTreeSet<String> {
        self.columns.ignored()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Broken> {
        let Some(record) = self.table.next()? else { return Ok(None) };
        Ok(Some(match record.and_then(|record| self.row(record)) {
            Ok(row) => Entry::Row(row),
            Err(fault) => Entry::Faulty(fault),
        }))
    }

    fn row(&self, record: Record) -> Result<Row, RowFault> {
        let Record { line, cells } = record;
        let mut id = String::new();
        let (mut body, mut fields, mut consent) = (Map::new(), Map::new(), Map::new());
        let mut categories = Map::new();
        let mut audiences = Vec::new();
        for (column, cell) in self.columns.cells(cells) {
            match column {
                Column::Id => id = cell,
                _ if cell.is_empty() => {}
                Column::Text(name) => drop(body.insert((*name).to_owned(), cell.into())),
                Column::Consent => drop(consent.insert("state".into(), state(cell).into())),
                Column::ConsentAt => drop(consent.insert("at".into(), cell.into())),
                Column::Category(code) => drop(categories.insert(code.clone(), state(cell).into())),
                Column::Audiences => audiences = several(&cell),
                Column::Field(name) => drop(fields.insert(name.clone(), cell.into())),
            }
        }
        if id.is_empty() {
            let detail = "is required".to_owned();
            return Err(RowFault { line, id: None, column: Some("id".into()), detail });
        }
        let mut consents = Map::new();
        if consent.contains_key("state") {
            consents.insert("email".into(), consent.into());
        }
        if !categories.is_empty() {
            consents.insert("categories".into(), categories.into());
        }
        if !consents.is_empty() {
            body.insert("consent".into(), consents.into());
        }
        if !fields.is_empty() {
            body.insert("fields".into(), fields.into());
        }
        Ok(Row { line, id, body: body.into(), audiences })
    }
}

/// The ways in which lists say yes and no; anything else is left to be refused.
fn state(cell: String) -> String {
    match cell.to_lowercase().as_str() {
        "granted" | "yes" | "true" | "1" | "subscribed" => "granted".to_owned(),
        "denied" | "no" | "false" | "0" | "unsubscribed" => "denied".to_owned(),
        "requested" => "requested".to_owned(),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Feed, Format};

    fn rows(format: Format, text: &str) -> Vec<Row> {
        let row = |entry| match entry {
            Entry::Row(row) => Some(row),
            _ => None,
        };
        Feed::open(format, text.as_bytes(), None).unwrap().map(Result::unwrap).filter_map(row).collect()
    }

    #[test]
    fn a_list_of_customers_becomes_our_own_body_and_an_empty_cell_says_nothing() {
        let text = "Customer ID;E-mail;First name;consent.email;consent.email.at;fields.Tier;audience\n\
                    c-1;ada@example.com;Ada;yes;2026-01-01T00:00:00Z;gold;vip|early\nc-2;;;;;;\nc-3;;;maybe;;;\n";
        let read = rows(Format::Customers, text);
        let want = json!({"email": "ada@example.com", "first_name": "Ada", "fields": {"Tier": "gold"},
                          "consent": {"email": {"state": "granted", "at": "2026-01-01T00:00:00Z"}}});
        assert_eq!((&read[0].body, read[0].audiences.join(" ").as_str()), (&want, "vip early"));
        assert_eq!(read[1].body, json!({}));
        assert_eq!(read[2].body, json!({"consent": {"email": {"state": "maybe"}}}));
    }

    #[test]
    fn a_list_says_what_customers_allow_of_each_category() {
        let text = "id,consent.categories.news,consent.categories.Offers,consent.email\nc-1,no,,Requested\nc-2,,,\n";
        let read = rows(Format::Customers, text);
        let want = json!({"email": {"state": "requested"}, "categories": {"news": "denied"}});
        assert_eq!((&read[0].body["consent"], &read[1].body), (&want, &json!({})));
    }
}
