use jiff::Timestamp;

/// The instant as text that sorts as time does: RFC 3339, UTC, always three
/// decimals of a second.
#[must_use]
pub fn sortable(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The earlier of what is known and what has come.
#[must_use]
pub fn earlier(known: Option<Timestamp>, came: Timestamp) -> Timestamp {
    known.map_or(came, |known| known.min(came))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sortable_text_orders_as_time_does(a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000) {
            let (a, b) = (Timestamp::from_millisecond(a).unwrap(), Timestamp::from_millisecond(b).unwrap());
            prop_assert_eq!(a.cmp(&b), sortable(a).cmp(&sortable(b)));
        }
    }
}
