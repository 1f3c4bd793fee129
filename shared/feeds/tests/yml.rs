//! Catalogues in Yandex Market Language.

use std::io::Read;

use feeds::{Broken, Entry, Feed, Format, RowFault};
use serde_json::{Value, json};

const CATALOGUE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE yml_catalog SYSTEM "shops.dtd">
<yml_catalog date="2026-11-22 10:00">
  <shop>
    <name>A shop</name>
    <currencies><currency id="RUR" rate="1"/></currencies>
    <categories>
      <category id="1">Kitchen</category>
      <category id="102" parentId="1">Ice &amp; cream</category>
    </categories>
    <offers>
      <offer id="12341" available="true" bid="80">
        <url>https://shop.example/?pid=1&amp;x=2</url>
        <price>8990</price>
        <oldprice>9900</oldprice>
        <currencyId>RUR</currencyId>
        <categoryId>102</categoryId>
        <picture>https://shop.example/1.jpg</picture>
        <picture>https://shop.example/2.jpg</picture>
        <vendor>Brand</vendor>
        <name>Мороженица Brand &#8470;3811</name>
        <description><![CDATA[<h3>Ice</h3> & cream]]></description>
        <count>7</count>
        <param name="Colour">white</param>
        <param name="Weight" unit="kg">2.5</param>
        <param name="Size">S</param><param name="Size">M</param>
      </offer>
      <offer id="9012" type="vendor.model" available="false">
        <typePrefix>Ice machine</typePrefix><vendor>Brand</vendor><model>3812</model>
        <price>10</price><currencyId>EUR</currencyId>
      </offer>
    </offers>
  </shop>
</yml_catalog>"#;

fn read(bytes: &[u8]) -> Result<Vec<Entry>, Broken> {
    Feed::open(Format::Yml, bytes, None)?.collect()
}

fn offers(inner: &str) -> String {
    format!("<yml_catalog><shop><offers>\n{inner}\n</offers></shop></yml_catalog>")
}

fn faults(entries: &[Entry]) -> Vec<&RowFault> {
    let mut faults = Vec::new();
    for entry in entries {
        if let Entry::Faulty(fault) = entry {
            faults.push(fault);
        }
    }
    faults
}

#[test]
fn categories_and_offers_become_our_own_bodies() {
    let mut feed = Feed::open(Format::Yml, CATALOGUE.as_bytes(), None).unwrap();
    let entries: Vec<Entry> = feed.by_ref().map(Result::unwrap).collect();
    let read: Vec<(&str, &str, &Value)> = entries
        .iter()
        .map(|entry| match entry {
            Entry::Row(row) => ("offer", row.id.as_str(), &row.body),
            Entry::Category(row) => ("category", row.id.as_str(), &row.body),
            Entry::Faulty(fault) => panic!("{fault:?}"),
        })
        .collect();
    let first = json!({
        "name": "Мороженица Brand №3811", "url": "https://shop.example/?pid=1&x=2",
        "image": "https://shop.example/1.jpg", "brand": "Brand", "price": "8990", "old_price": "9900",
        "currency": "RUB", "categories": ["102"], "stock": "7", "available": true,
        "fields": {"Colour": "white", "Weight, kg": "2.5", "Size": ["S", "M"]},
    });
    let second = json!({
        "name": "Ice machine Brand 3812", "brand": "Brand", "price": "10", "old_price": null,
        "currency": "EUR", "available": false,
    });
    let want = [
        ("category", "1", &json!({"name": "Kitchen"})),
        ("category", "102", &json!({"name": "Ice & cream", "parent": "1"})),
        ("offer", "12341", &first),
        ("offer", "9012", &second),
    ];
    assert_eq!(read, want);
    assert_eq!(feed.ignored().iter().collect::<Vec<_>>(), ["description"]);
}

#[test]
fn windows_1251_is_read_as_the_declaration_says() {
    let mut bytes = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?>".to_vec();
    let catalogue = offers("<offer id=\"1\"><name>NAME</name></offer>");
    for (index, part) in catalogue.split("NAME").enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b"\xCC\xFB\xF8\xFC");
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    match &read(&bytes).unwrap()[..] {
        [Entry::Row(row)] => assert_eq!(row.body["name"], "Мышь"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bad_offer_is_named_and_the_others_are_read() {
    let long = "x".repeat(70_000);
    let inner = format!(
        "<offer id=\"1\"><price>cheap</price><name>a</name></offer>\n<offer><name>b</name></offer>\n\
         <offer id=\"3\"><price>1</price></offer>\n<offer id=\"4\"><name>{long}</name></offer>\n\
         <offer id=\"5\"><name>&unknown;</name></offer>\n<offer id=\"6\"><name>f</name>\n<description>{long}</description></offer>\n"
    );
    let mut bytes = offers(&inner).into_bytes();
    let place = bytes.windows(4).position(|four| four == b">b</").unwrap();
    bytes[place + 1] = 0xFF;
    let entries = read(&bytes).unwrap();
    let places: Vec<_> =
        faults(&entries).into_iter().map(|fault| (fault.line, fault.id.as_deref(), fault.column.as_deref())).collect();
    let want = [
        (2, Some("1"), Some("price")),
        (3, None, None),
        (4, Some("3"), Some("name")),
        (5, Some("4"), None),
        (6, Some("5"), None),
    ];
    assert_eq!(places, want);
    assert!(matches!(entries.last(), Some(Entry::Row(row)) if row.id == "6"));
}

#[test]
fn what_is_no_catalogue_or_ends_in_the_middle_says_so_and_where() {
    let broken = |text: &str| match read(text.as_bytes()) {
        Err(Broken::Content { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(broken("<rss><channel/></rss>"), 1);
    assert_eq!(broken("<yml_catalog><shop>\n<offers>\n<offer id=\"1\"><name>a"), 3);
    assert_eq!(broken(&offers("<offer id=\"1\"><name>a</offer>")), 2);
    assert_eq!(broken(&format!("<yml_catalog>{}", "<a>".repeat(1_000))), 1);
    assert_eq!(broken(&format!("<yml_catalog><name>{}", "a".repeat(3_000_000))), 1);
}

/// A catalogue of so many offers that is never there as a whole.
struct Endless {
    left: u32,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.piece.len() && self.left > 0 {
            self.left -= 1;
            let end = if self.left == 0 { "</offers></shop></yml_catalog>" } else { "" };
            self.piece =
                format!("<offer id=\"{}\"><name>Mug</name><price>1</price></offer>\n{end}", self.left).into_bytes();
            self.at = 0;
        }
        let length = into.len().min(self.piece.len() - self.at);
        into[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[test]
fn a_large_catalogue_is_read_as_it_comes() {
    let bytes = Endless { left: 20_000, piece: b"<yml_catalog><shop><offers>".to_vec(), at: 0 };
    let feed = Feed::open(Format::Yml, bytes, None).unwrap();
    assert_eq!(feed.filter(|entry| matches!(entry, Ok(Entry::Row(_)))).count(), 20_000);
}
