use std::collections::BTreeSet;
use std::io::Read;

use serde_json::{Map, Value, json};

use crate::columns::{Columns, field, plain, several};
use crate::number;
use crate::source::Source;
use crate::table::{Record, Table};
use crate::{Broken, Entry, Row, RowFault};

/// A table of products. A column that is there and has nothing in it takes away
/// what was known; of a column that is not there nothing is said.
pub(crate) struct Products<R> {
    table: Table<R>,
    columns: Columns<Column>,
}

#[derive(Debug, Clone, PartialEq)]
enum Column {
    Id,
    /// Text that goes on as it is.
    Text(&'static str),
    Price,
    OldPrice,
    /// Google Merchant's: the price that holds, beside the usual one.
    SalePrice,
    Currency,
    Categories,
    Stock,
    Availability,
    Field(String),
}

fn meaning(name: &str) -> Option<Column> {
    if let Some(field) = field(name) {
        return Some(Column::Field(field));
    }
    Some(match plain(name).as_str() {
        "id" | "product_id" | "offer_id" => Column::Id,
        "name" | "title" => Column::Text("name"),
        "url" | "link" => Column::Text("url"),
        "image" | "image_link" | "image_url" | "picture" => Column::Text("image"),
        "brand" | "vendor" => Column::Text("brand"),
        "source" => Column::Text("source"),
        "updated_at" => Column::Text("updated_at"),
        "price" => Column::Price,
        "old_price" | "oldprice" | "compare_at_price" => Column::OldPrice,
        "sale_price" => Column::SalePrice,
        "currency" | "currencyid" | "currency_id" => Column::Currency,
        "categories" | "category" | "categoryid" | "category_id" | "product_type" => Column::Categories,
        "stock" | "quantity" | "count" | "stock_quantity" => Column::Stock,
        "availability" | "available" => Column::Availability,
        _ => return None,
    })
}

impl<R: Read> Products<R> {
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
        let (mut body, mut fields) = (Map::new(), Map::new());
        let (mut sale, mut said) = (None, None);
        for (column, cell) in self.columns.cells(cells) {
            let fault = |detail: &str, name: &str| RowFault {
                line,
                id: Some(id.clone()).filter(|id| !id.is_empty()),
                column: Some(name.to_owned()),
                detail: detail.to_owned(),
            };
            let empty = cell.is_empty();
            let mut price = |name: &str| {
                let (amount, code) = number::price(&cell).map_err(|detail| fault(detail, name))?;
                said = said.take().or(code);
                Ok(Value::from(amount))
            };
            match column {
                Column::Id => id = cell,
                // Nothing in these says nothing, where in the others it takes away.
                Column::Text("updated_at" | "source") | Column::SalePrice | Column::Availability if empty => {}
                Column::Field(name) => drop(fields.insert(name.clone(), text(cell))),
                Column::Text(name) => drop(body.insert((*name).to_owned(), text(cell))),
                Column::Price if empty => drop(body.insert("price".into(), Value::Null)),
                Column::Price => drop(body.insert("price".into(), price("price")?)),
                Column::OldPrice if empty => drop(body.insert("old_price".into(), Value::Null)),
                Column::OldPrice => drop(body.insert("old_price".into(), price("old_price")?)),
                Column::SalePrice => sale = Some(price("sale_price")?),
                Column::Currency if empty => drop(body.insert("currency".into(), Value::Null)),
                Column::Currency => {
                    let code = number::currency(&cell).map_err(|detail| fault(detail, "currency"))?;
                    body.insert("currency".into(), code.into());
                }
                Column::Categories => drop(body.insert("categories".into(), json!(several(&cell)))),
                Column::Stock if empty => drop(body.insert("stock".into(), Value::Null)),
                Column::Stock => {
                    let amount = number::amount(&cell).map_err(|detail| fault(detail, "stock"))?;
                    body.insert("stock".into(), amount.into());
                }
                Column::Availability => {
                    let available = number::availability(&cell).map_err(|detail| fault(detail, "availability"))?;
                    body.insert("available".into(), available.into());
                }
            }
        }
        if id.is_empty() {
            let detail = "is required".to_owned();
            return Err(RowFault { line, id: None, column: Some("id".into()), detail });
        }
        if self.columns.has(&Column::SalePrice) {
            let usual = body.remove("price").unwrap_or(Value::Null);
            let known = body.remove("old_price").unwrap_or(Value::Null);
            let (price, old) = if let Some(sale) = sale { (sale, usual) } else { (usual, known) };
            body.extend([("price".to_owned(), price), ("old_price".to_owned(), old)]);
        }
        if let Some(code) = said.filter(|_| body.get("currency").is_none_or(Value::is_null)) {
            body.insert("currency".into(), code.into());
        }
        if !fields.is_empty() {
            body.insert("fields".into(), fields.into());
        }
        Ok(Row { line, id, body: body.into(), audiences: Vec::new() })
    }
}

fn text(cell: String) -> Value {
    if cell.is_empty() { Value::Null } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Feed, Format};

    fn read(text: &str) -> Vec<Entry> {
        Feed::open(Format::ProductsCsv, text.as_bytes(), None).unwrap().map(Result::unwrap).collect()
    }

    fn bodies(text: &str) -> Vec<(String, Value)> {
        let row = |entry| match entry {
            Entry::Row(row) => (row.id, row.body),
            other => panic!("{other:?}"),
        };
        read(text).into_iter().map(row).collect()
    }

    #[test]
    fn our_own_columns_become_our_own_body() {
        let text = "id,name,price,old_price,currency,categories,stock,fields.Colour\n\
                    p-1,Mug,12.50,15,EUR,mugs|gifts,4,blue\np-2,\"Cup, small\",9,,EUR,,0,\n";
        let want = [
            json!({"name": "Mug", "price": "12.50", "old_price": "15", "currency": "EUR",
                   "categories": ["mugs", "gifts"], "stock": "4", "fields": {"Colour": "blue"}}),
            json!({"name": "Cup, small", "price": "9", "old_price": null, "currency": "EUR",
                   "categories": [], "stock": "0", "fields": {"Colour": null}}),
        ];
        let read = bodies(text);
        assert_eq!(read, [("p-1".to_owned(), want[0].clone()), ("p-2".to_owned(), want[1].clone())]);
    }

    #[test]
    fn google_merchants_columns_are_understood() {
        let text = "g:id\ttitle\tlink\timage link\tprice\tsale_price\tavailability\tproduct_type\n\
                    1\tMug\thttps://x/1\thttps://x/1.png\t15.00 EUR\t12.50 EUR\tin stock\tHome > Mugs\n\
                    2\tCup\thttps://x/2\t\t15.00 EUR\t\tout_of_stock\tHome > Cups\n";
        let read = bodies(text);
        let want = json!({"name": "Mug", "url": "https://x/1", "image": "https://x/1.png", "price": "12.50",
                          "old_price": "15.00", "currency": "EUR", "available": true, "categories": ["Home > Mugs"]});
        assert_eq!(read[0].1, want);
        assert_eq!((&read[1].1["price"], &read[1].1["old_price"]), (&json!("15.00"), &Value::Null));
        assert_eq!(read[1].1["available"], json!(false));
    }

    #[test]
    fn a_bad_cell_is_named_and_what_no_column_is_for_is_reported() {
        let text = "id,price,weather,price\n1,cheap,x,1\n,5,x,1\n2,5,x,1\n";
        let mut feed = Feed::open(Format::ProductsCsv, text.as_bytes(), None).unwrap();
        let read: Vec<Entry> = feed.by_ref().map(Result::unwrap).collect();
        let place = |entry: &Entry| match entry {
            Entry::Faulty(fault) => Some((fault.line, fault.column.clone().unwrap())),
            _ => None,
        };
        let places: Vec<_> = read.iter().map(place).collect();
        assert_eq!(places, [Some((2, "price".into())), Some((3, "id".into())), None]);
        assert_eq!(feed.ignored().iter().collect::<Vec<_>>(), ["price", "weather"]);
        assert!(Feed::open(Format::ProductsCsv, &b"name,price\n"[..], None).is_err());
    }
}
