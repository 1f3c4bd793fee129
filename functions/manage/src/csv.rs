//! Members of a segment as a table (RFC 4180).

use domain::Customer;
use jiff::Timestamp;
use serde_json::Value;

/// The media type of a page with the names of the columns, and of one without.
pub(crate) const WITH_HEADER: &str = "text/csv; charset=utf-8; header=present";
pub(crate) const WITHOUT_HEADER: &str = "text/csv; charset=utf-8; header=absent";

/// The columns, by the names by which an import of customers knows them, and where each is
/// found in a customer as the API shows one; the last says since when they are a member.
const COLUMNS: [(&str, &str); 17] = [
    ("id", "/id"),
    ("email", "/email"),
    ("phone", "/phone"),
    ("first_name", "/first_name"),
    ("last_name", "/last_name"),
    ("birthday", "/birthday"),
    ("gender", "/gender"),
    ("city", "/city"),
    ("zip", "/zip"),
    ("country", "/country"),
    ("language", "/language"),
    ("time_zone", "/time_zone"),
    ("registered_at", "/registered_at"),
    ("source", "/source"),
    ("consent.email", "/consent/email/state"),
    ("fields", "/fields"),
    ("since", ""),
];

/// The names of the columns as a row.
pub(crate) fn header() -> String {
    row(COLUMNS.iter().map(|(name, _)| (*name).to_owned()))
}

/// A member as a row.
pub(crate) fn member(customer: &Customer, since: Timestamp) -> String {
    let shown = contracts::customer::show(customer);
    row(COLUMNS.iter().map(|(name, place)| match (*name, shown.pointer(place)) {
        ("since", _) => since.to_string(),
        (_, None | Some(Value::Null)) => String::new(),
        (_, Some(Value::String(text))) => text.clone(),
        (_, Some(Value::Object(fields))) if fields.is_empty() => String::new(),
        (_, Some(value)) => value.to_string(),
    }))
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(harmless(&cell))).collect();
    cells.join(",") + "\r\n"
}

fn quoted(cell: String) -> String {
    match cell.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

/// A cell of which no spreadsheet makes a formula, which could call programs or tell others
/// what else is in the table: what customers say of themselves is not to be trusted. Before
/// each sign by which a formula may begin stands an apostrophe, by which a text begins.
///
/// The signs, and that what comes behind a separator matters too, are from OWASP,
/// <https://owasp.org/www-community/attacks/CSV_Injection>: where a semicolon, a tab or
/// the end of a line begins another cell depends on who opens the file, and then our
/// quotes are no quotes. A telephone number keeps its plus: it is a number at most.
fn harmless(cell: &str) -> String {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if cell.strip_prefix('+').is_some_and(is_number) {
        return cell.to_owned();
    }
    let mut safe = String::with_capacity(cell.len() + 1);
    if cell.starts_with(['\t', '\r', '\n', '\0']) {
        safe.push('\'');
    }
    let mut is_beginning = true;
    for sign in cell.chars() {
        // The last four are read as the first four in some languages.
        if is_beginning && matches!(sign, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            safe.push('\'');
        }
        safe.push(sign);
        let is_separator = matches!(sign, ';' | '|' | '\t' | '\r' | '\n');
        is_beginning = is_separator || is_beginning && matches!(sign, '"' | ' ' | '\0');
    }
    safe
}

#[cfg(test)]
mod tests {
    use csv_core::{ReadRecordResult, Reader};

    use super::*;

    /// The cells of the first row, as another reader has them.
    fn read(table: &str) -> Vec<String> {
        let (mut cells, mut ends) = (vec![0; table.len()], vec![0; 100]);
        let (result, _, _, count) = Reader::new().read_record(table.as_bytes(), &mut cells, &mut ends);
        assert_eq!(result, ReadRecordResult::Record);
        let begins = std::iter::once(0).chain(ends.iter().copied());
        let cell = |(from, to): (usize, &usize)| String::from_utf8(cells[from..*to].to_vec()).unwrap();
        begins.zip(&ends[..count]).map(cell).collect()
    }

    #[test]
    fn whatever_is_in_a_cell_is_read_again_as_one_cell() {
        let cells = ["", "Ada", "a,b", "she said \"so\"", "two\r\nlines", " x ", "ā;b", "\"", "'"];
        assert_eq!(read(&row(cells.iter().map(|cell| (*cell).to_owned()))), cells);
        assert_eq!(read(&header()).len(), COLUMNS.len());
    }

    #[test]
    fn no_cell_begins_a_formula_wherever_the_file_is_opened() {
        for hostile in ["=1+1", "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "+371 2", "+"] {
            assert_eq!(harmless(hostile).chars().next(), Some('\''), "{hostile:?}");
        }
        for (hostile, safe) in [
            ("a;=1", "a;'=1"),
            ("a\t=1", "a\t'=1"),
            ("a\r\n=1", "a\r\n'=1"),
            ("a;\"=1", "a;\"'=1"),
            ("a; -1", "a; '-1"),
            ("\"=1", "\"'=1"),
        ] {
            assert_eq!(harmless(hostile), safe);
        }
        for fine in ["Ada", "two\r\nlines", "a=b", "a-b", "ada@example.com", "+37120000000", "'x", ""] {
            assert_eq!(harmless(fine), fine);
        }
    }
}
