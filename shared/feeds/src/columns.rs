use std::collections::BTreeSet;

use crate::{Broken, MAX_IGNORED};

/// What the columns of a table mean.
pub(crate) struct Columns<T> {
    meanings: Vec<Option<T>>,
    ignored: BTreeSet<String>,
}

impl<T: PartialEq> Columns<T> {
    /// Looks up each column's name, in plain lower case with `_` between words. Of
    /// two columns that mean the same the first counts.
    pub(crate) fn new(names: Vec<String>, meaning: impl Fn(&str) -> Option<T>) -> Self {
        let mut columns = Self { meanings: Vec::with_capacity(names.len()), ignored: BTreeSet::new() };
        for name in names {
            let meant = meaning(&name).filter(|meant| !columns.has(meant));
            if meant.is_none() && !name.is_empty() && columns.ignored.len() < MAX_IGNORED {
                columns.ignored.insert(name.chars().take(100).collect());
            }
            columns.meanings.push(meant);
        }
        columns
    }

    /// Whether one of the columns has this meaning.
    pub(crate) fn has(&self, meant: &T) -> bool {
        self.meanings.iter().flatten().any(|known| known == meant)
    }

    /// That a column is there without which nothing can be read.
    pub(crate) fn need(&self, meant: &T, name: &str) -> Result<(), Broken> {
        if self.has(meant) {
            return Ok(());
        }
        Err(Broken::Content { line: 1, detail: format!("has no column {name:?}; the first row must name the columns") })
    }

    /// The cells of a row that mean something.
    pub(crate) fn cells(&self, cells: Vec<String>) -> impl Iterator<Item = (&T, String)> {
        self.meanings.iter().zip(cells).filter_map(|(meant, cell)| meant.as_ref().map(|meant| (meant, cell)))
    }

    /// The names of the other columns.
    pub(crate) fn ignored(&self) -> &BTreeSet<String> {
        &self.ignored
    }
}

/// A column's name as the known ones are written.
pub(crate) fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase().replace([' ', '-'], "_");
    name.strip_prefix("g:").map(str::to_owned).unwrap_or(name)
}

/// The name of a custom field in a column's name, if it is `fields.NAME`.
pub(crate) fn field(name: &str) -> Option<String> {
    let (object, field) = name.split_once('.')?;
    (object.eq_ignore_ascii_case("fields") && !field.is_empty()).then(|| field.to_owned())
}

/// The parts of a cell that holds several things.
pub(crate) fn several(cell: &str) -> Vec<String> {
    let separator = if cell.contains('|') { '|' } else { ',' };
    let mut parts = Vec::new();
    for part in cell.split(separator).map(str::trim).filter(|part| !part.is_empty()) {
        if !parts.iter().any(|known| known == part) {
            parts.push(part.to_owned());
        }
    }
    parts
}
