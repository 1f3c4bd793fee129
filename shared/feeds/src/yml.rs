use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read};

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value, json};

use crate::source::Source;
use crate::{Broken, Entry, MAX_IGNORED, MAX_ROW, Row, RowFault, number};

/// The most bytes between two marks of XML: a text, a tag, a comment.
const MAX_PIECE: usize = 1024 * 1024;

/// How deep elements may lie within one another.
const MAX_DEPTH: usize = 32;

/// The most elements of one offer that are kept.
const MAX_KEPT: usize = 1_000;

/// A catalogue in Yandex Market Language: categories and offers, as they come.
///
/// An offer is the whole of what the shop says of a product, but that it names no
/// old price means that there is none, while what it leaves out otherwise stays.
pub(crate) struct Yml<R> {
    xml: Reader<Source<R>>,
    piece: Vec<u8>,
    depth: usize,
    ignored: BTreeSet<String>,
}

/// An element that is kept: its name, a `name` attribute if it has one, its text.
struct Kept {
    element: String,
    name: Option<String>,
    text: String,
}

/// What is gathered of one offer or category.
struct Gathered {
    line: u64,
    attributes: BTreeMap<String, String>,
    text: String,
    kept: Vec<Kept>,
    fault: Option<String>,
}

/// The next mark of XML that matters here.
enum Mark {
    Open(String, BTreeMap<String, String>),
    Close,
    Text(String),
    /// A text that cannot be read, and why.
    Bad(&'static str),
    Other,
    End,
}

impl<R: Read> Yml<R> {
    pub(crate) fn open(source: Source<R>) -> Self {
        let mut xml = Reader::from_reader(source);
        xml.config_mut().expand_empty_elements = true;
        xml.config_mut().allow_dangling_amp = true;
        Self { xml, piece: Vec::new(), depth: 0, ignored: BTreeSet::new() }
    }

    pub(crate) fn ignored(&self) -> &BTreeSet<String> {
        &self.ignored
    }

    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Broken> {
        loop {
            let line = self.xml.get_ref().line();
            match self.mark()? {
                Mark::Open(name, attributes) if name == "offer" => {
                    let offer = self.gather(line, attributes)?;
                    return Ok(Some(match offer.offer() {
                        Ok(row) => Entry::Row(row),
                        Err(fault) => Entry::Faulty(fault),
                    }));
                }
                Mark::Open(name, attributes) if name == "category" => {
                    let category = self.gather(line, attributes)?;
                    return Ok(Some(match category.category() {
                        Ok(row) => Entry::Category(row),
                        Err(fault) => Entry::Faulty(fault),
                    }));
                }
                Mark::Open(name, _) if self.depth == 1 && name != "yml_catalog" => {
                    return Err(self.broken("is not a catalogue in YML: it does not begin with <yml_catalog>"));
                }
                Mark::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads what is in the element that was just opened, to its end.
    fn gather(&mut self, line: u64, attributes: BTreeMap<String, String>) -> Result<Gathered, Broken> {
        let outer = self.depth;
        let mut bytes: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        let mut gathered = Gathered { line, attributes, text: String::new(), kept: Vec::new(), fault: None };
        if bytes > MAX_ROW {
            gathered.spoilt(&format!("is longer than {MAX_ROW} bytes"));
        }
        let mut open = false;
        loop {
            match self.mark()? {
                Mark::End => return Err(self.broken("ends in the middle")),
                Mark::Close if self.depth < outer => return Ok(gathered),
                Mark::Close if self.depth == outer => open = false,
                Mark::Open(element, attributes) if self.depth == outer + 1 => {
                    open = is_wanted(&element);
                    if !open {
                        self.ignore(element);
                        continue;
                    }
                    let name = attributes.get("name").map(|name| {
                        let unit = attributes.get("unit").filter(|unit| !unit.is_empty());
                        unit.map_or_else(|| name.clone(), |unit| format!("{name}, {unit}"))
                    });
                    bytes += element.len() + name.as_ref().map_or(0, String::len);
                    if gathered.kept.len() < MAX_KEPT && bytes <= MAX_ROW {
                        gathered.kept.push(Kept { element, name, text: String::new() });
                    } else {
                        open = false;
                        gathered.spoilt(&format!("has more than {MAX_KEPT} elements or {MAX_ROW} bytes"));
                    }
                }
                Mark::Text(text) if open || self.depth == outer => {
                    bytes += text.len();
                    if bytes > MAX_ROW {
                        gathered.spoilt(&format!("is longer than {MAX_ROW} bytes"));
                        continue;
                    }
                    match gathered.kept.last_mut().filter(|_| open) {
                        Some(kept) => kept.text.push_str(&text),
                        None => gathered.text.push_str(&text),
                    }
                }
                Mark::Bad(detail) if open || self.depth == outer => gathered.spoilt(detail),
                _ => {}
            }
        }
    }

    fn ignore(&mut self, element: String) {
        if self.ignored.len() < MAX_IGNORED && element.len() <= 100 {
            self.ignored.insert(element);
        }
    }

    fn mark(&mut self) -> Result<Mark, Broken> {
        self.piece.clear();
        self.xml.get_mut().allow(MAX_PIECE);
        let mark = match self.xml.read_event_into(&mut self.piece) {
            Ok(Event::Start(element)) => opened(&element),
            Ok(Event::End(_)) => Mark::Close,
            Ok(Event::Text(text)) => readable(&text.xml10_content()),
            Ok(Event::CData(text)) => readable(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => resolved(&reference),
            Ok(Event::Eof) => Mark::End,
            Ok(_) => Mark::Other,
            Err(error) => return Err(self.unreadable(error)),
        };
        match mark {
            Mark::Open(..) if self.depth == MAX_DEPTH => {
                return Err(self.broken("has elements that lie too deep within one another"));
            }
            Mark::Open(..) => self.depth += 1,
            Mark::Close => self.depth -= 1,
            Mark::End if self.depth > 0 => return Err(self.broken("ends in the middle")),
            _ => {}
        }
        Ok(mark)
    }

    fn unreadable(&self, error: Error) -> Broken {
        match error {
            Error::Io(_) if self.xml.get_ref().is_exhausted() => {
                self.broken("has a single piece of more than 1 MB; is something left open?")
            }
            Error::Io(error) if error.kind() != ErrorKind::InvalidData => {
                Broken::Read(std::io::Error::new(error.kind(), error))
            }
            // The error's own text may quote the file.
            _ => self.broken("is not well-formed XML from here on"),
        }
    }

    fn broken(&self, detail: &str) -> Broken {
        Broken::Content { line: self.xml.get_ref().line(), detail: detail.to_owned() }
    }
}

fn opened(element: &BytesStart<'_>) -> Mark {
    let mut attributes = BTreeMap::new();
    for attribute in element.attributes().with_checks(false).flatten() {
        let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
        attributes.insert(attribute.key.as_ref().to_owned(), value.trim().to_owned());
    }
    Mark::Open(element.name().as_ref().to_owned(), attributes)
}

fn readable(text: &str) -> Mark {
    if text.contains('\u{FFFD}') {
        return Mark::Bad("has text that is not in the encoding that the file names");
    }
    Mark::Text(text.to_owned())
}

/// What a reference such as `&amp;` or `&#8470;` stands for.
fn resolved(reference: &BytesRef<'_>) -> Mark {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return Mark::Text(letter.to_string());
    }
    let text = match &*reference.xml10_content() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => "\u{A0}",
        _ => return Mark::Bad("has a reference (&…;) that XML does not know"),
    };
    Mark::Text(text.to_owned())
}

fn is_wanted(element: &str) -> bool {
    const WANTED: [&str; 16] = [
        "url",
        "price",
        "oldprice",
        "currencyId",
        "categoryId",
        "picture",
        "name",
        "model",
        "vendor",
        "typePrefix",
        "count",
        "stock_quantity",
        "quantity_in_stock",
        "quantity",
        "param",
        "available",
    ];
    WANTED.contains(&element)
}

impl Gathered {
    /// Notes what is wrong; what was wrong first counts.
    fn spoilt(&mut self, detail: &str) {
        self.fault.get_or_insert_with(|| detail.to_owned());
    }

    fn fault(&self, column: Option<&str>, detail: &str) -> RowFault {
        let id = self.attributes.get("id").filter(|id| !id.is_empty() && id.len() <= 200).cloned();
        RowFault { line: self.line, id, column: column.map(str::to_owned), detail: detail.to_owned() }
    }

    fn id(&self) -> Result<String, RowFault> {
        if let Some(detail) = &self.fault {
            return Err(self.fault(None, detail));
        }
        let id = self.attributes.get("id").filter(|id| !id.is_empty() && !id.contains('\u{FFFD}'));
        id.cloned().ok_or_else(|| self.fault(Some("id"), "is required"))
    }

    /// The texts of all elements of a name that have any.
    fn texts<'a>(&'a self, element: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.kept.iter().filter(move |kept| kept.element == element);
        of_name.map(|kept| kept.text.trim()).filter(|text| !text.is_empty())
    }

    fn first(&self, elements: &[&'static str]) -> Option<(&'static str, &str)> {
        elements.iter().find_map(|element| self.texts(element).next().map(|text| (*element, text)))
    }

    fn category(self) -> Result<Row, RowFault> {
        let id = self.id()?;
        let mut body = Map::new();
        body.insert("name".into(), self.text.trim().into());
        if let Some(parent) = self.attributes.get("parentId").filter(|parent| !parent.is_empty() && **parent != "0") {
            body.insert("parent".into(), parent.as_str().into());
        }
        Ok(Row { line: self.line, id, body: body.into(), audiences: Vec::new() })
    }

    fn offer(self) -> Result<Row, RowFault> {
        let id = self.id()?;
        let mut body = Map::new();
        let of_parts = || {
            let parts = ["typePrefix", "vendor", "model"];
            let parts: Vec<&str> = parts.into_iter().filter_map(|part| self.texts(part).next()).collect();
            parts.join(" ")
        };
        let name = self.texts("name").next().map_or_else(of_parts, str::to_owned);
        if name.is_empty() {
            return Err(self.fault(Some("name"), "is required, or vendor and model"));
        }
        body.insert("name".into(), name.into());
        for (element, field) in [("url", "url"), ("picture", "image"), ("vendor", "brand")] {
            if let Some(text) = self.texts(element).next() {
                body.insert(field.into(), text.into());
            }
        }
        body.insert("old_price".into(), Value::Null);
        for (element, field) in [("price", "price"), ("oldprice", "old_price")] {
            if let Some(text) = self.texts(element).next() {
                let (price, _) = number::price(text).map_err(|detail| self.fault(Some(element), detail))?;
                body.insert(field.into(), price.into());
            }
        }
        if let Some((element, text)) = self.first(&["currencyId"]) {
            let code = number::currency(text).map_err(|detail| self.fault(Some(element), detail))?;
            body.insert("currency".into(), code.into());
        }
        let categories: BTreeSet<&str> = self.texts("categoryId").collect();
        if !categories.is_empty() {
            body.insert("categories".into(), json!(categories));
        }
        if let Some((element, text)) = self.first(&["count", "stock_quantity", "quantity_in_stock", "quantity"]) {
            let stock = number::amount(text).map_err(|detail| self.fault(Some(element), detail))?;
            body.insert("stock".into(), stock.into());
        }
        let available = self.attributes.get("available").map(String::as_str).filter(|text| !text.is_empty());
        if let Some(text) = available.or_else(|| self.texts("available").next()) {
            let available = number::availability(text).map_err(|detail| self.fault(Some("available"), detail))?;
            body.insert("available".into(), available.into());
        }
        let params = self.params();
        if !params.is_empty() {
            body.insert("fields".into(), params.into());
        }
        Ok(Row { line: self.line, id, body: body.into(), audiences: Vec::new() })
    }

    /// The parameters as fields; one that is there several times is a list.
    fn params(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        for param in self.kept.iter().filter(|kept| kept.element == "param") {
            let (Some(name), text) = (&param.name, param.text.trim()) else { continue };
            if name.is_empty() || text.is_empty() {
                continue;
            }
            match fields.get_mut(name) {
                None => drop(fields.insert(name.clone(), text.into())),
                Some(Value::Array(several)) => several.push(text.into()),
                Some(one) => *one = json!([one.take(), text]),
            }
        }
        fields
    }
}
