//! Whatever the bytes are, a feed ends, and it never panics.

use feeds::{Entry, Feed, Format};
use proptest::prelude::*;

const FORMATS: [Format; 5] = [Format::ProductsCsv, Format::Yml, Format::Customers, Format::Ids, Format::Codes];

/// Reads to the end; how many rows there were.
fn rows(format: Format, bytes: &[u8]) -> usize {
    let Ok(feed) = Feed::open(format, bytes, None) else { return 0 };
    feed.filter(|entry| matches!(entry, Ok(Entry::Row(_)))).count()
}

/// Pieces of the formats in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "id,name,price\n",
            "id;",
            "\t",
            "\"",
            "\r\n",
            ",",
            "1",
            "12,50 EUR",
            "|",
            "<yml_catalog>",
            "<shop>",
            "<offers>",
            "<offer id=\"1\" available='true'>",
            "</offer>",
            "<name>",
            "</name>",
            "<price>",
            "</price>",
            "<param name=\"x\"/>",
            "<category id=\"2\"",
            ">",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?xml encoding=\"windows-1251\"?>",
            "&amp;",
            "&#0;",
            "&",
            "</",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in pieces()) {
        for format in FORMATS {
            rows(format, &bytes);
        }
        rows(Format::ProductsCsv, &[b"id,name,price,sale_price,stock\n", &bytes[..]].concat());
        rows(Format::Yml, &[b"<yml_catalog><shop><offers><offer id=\"1\">", &bytes[..]].concat());
    }

    #[test]
    fn every_row_of_a_table_is_either_read_or_named(
        names in prop::collection::vec("[^\"\\PC]{1,20}|[\",;\n]{1,3}", 1..30),
    ) {
        let mut text = String::from("id,name\n");
        for (index, name) in names.iter().enumerate() {
            text.push_str(&format!("p{index},\"{}\"\n", name.replace('"', "\"\"")));
        }
        prop_assert_eq!(rows(Format::ProductsCsv, text.as_bytes()), names.len());
    }
}
