//! Product feeds and customer lists, row by row in bounded memory.
//!
//! A [`Feed`] reads bytes from anywhere and gives one row after the other, each
//! said in the words of our own API. A row that cannot be read is named and passed
//! over; the others come all the same. Whatever the bytes are, no more is held at
//! once than one row of [`MAX_ROW`] and a few buffers.

mod columns;
mod customers;
mod ids;
pub mod import;
mod number;
mod products;
mod source;
mod table;
mod yml;

use std::collections::BTreeSet;
use std::io::Read;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::customers::Customers;
use crate::ids::Ids;
use crate::products::Products;
use crate::source::Source;
use crate::yml::Yml;

/// The most bytes of one row that are read; what is passed over does not count.
pub const MAX_ROW: usize = 64 * 1024;

/// The most columns that a table may have.
pub const MAX_COLUMNS: usize = 500;

/// The most names of columns or elements that are remembered as passed over.
const MAX_IGNORED: usize = 100;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A table of products: our own names of columns, or Google Merchant's.
    #[serde(rename = "csv")]
    ProductsCsv,
    /// A catalogue in Yandex Market Language.
    Yml,
    /// A table of customers.
    Customers,
    /// A table of which the ids of customers alone are of interest.
    Ids,
    /// A table of which the promo codes alone are of interest; each is its row's id.
    Codes,
}

/// One row that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The id as it came, not checked yet.
    pub id: String,
    /// The body as `PATCH` takes it, not checked yet; null in a list of ids.
    pub body: Value,
    /// In a table of customers, the audiences that the row names.
    pub audiences: Vec<String>,
}

/// A row that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The row's id, if that much could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The column or element at fault, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong and what would be right. Quotes nothing of the row.
    pub detail: String,
}

/// What comes next in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A product or a customer.
    Row(Row),
    /// A category of products.
    Category(Row),
    /// Something that could not be read.
    Faulty(RowFault),
}

/// Why a file cannot be read, or not any further. Rows before that hold.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The bytes stopped coming: another try may get further.
    #[error("the file broke off")]
    Read(#[source] std::io::Error),
    /// It is not what it should be; another try would find the same.
    #[error("{detail} (line {line})")]
    Content {
        /// Up to which line it could be read.
        line: u64,
        /// What is wrong with it.
        detail: String,
    },
}

/// A file that is being read. It ends after its last row or with what broke it.
pub struct Feed<R> {
    kind: Kind<R>,
    over: bool,
}

enum Kind<R> {
    Products(Products<R>),
    Yml(Yml<R>),
    Customers(Customers<R>),
    Ids(Ids<R>),
}

impl<R: Read> Feed<R> {
    /// Begins to read a file. `charset` is what came along with it, such as in a
    /// media type; what the file says of itself goes before. UTF-8 and
    /// windows-1251 are read.
    ///
    /// # Errors
    /// If it does not begin as its format does.
    pub fn open(format: Format, bytes: R, charset: Option<&str>) -> Result<Self, Broken> {
        let source = Source::open(bytes, charset)?;
        let kind = match format {
            Format::ProductsCsv => Kind::Products(Products::open(source)?),
            Format::Yml => Kind::Yml(Yml::open(source)),
            Format::Customers => Kind::Customers(Customers::open(source)?),
            Format::Ids => Kind::Ids(Ids::open(source, ids::CUSTOMERS)?),
            Format::Codes => Kind::Ids(Ids::open(source, ids::CODES)?),
        };
        Ok(Self { kind, over: false })
    }

    /// The names of columns or elements that nothing was made of, as far as was
    /// read; at most a hundred.
    #[must_use]
    pub fn ignored(&self) -> &BTreeSet<String> {
        match &self.kind {
            Kind::Products(feed) => feed.ignored(),
            Kind::Yml(feed) => feed.ignored(),
            Kind::Customers(feed) => feed.ignored(),
            Kind::Ids(feed) => feed.ignored(),
        }
    }
}

impl<R: Read> Iterator for Feed<R> {
    type Item = Result<Entry, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = match &mut self.kind {
            Kind::Products(feed) => feed.next(),
            Kind::Yml(feed) => feed.next(),
            Kind::Customers(feed) => feed.next(),
            Kind::Ids(feed) => feed.next(),
        };
        self.over = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
