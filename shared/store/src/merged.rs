//! One list made of several.

/// A page of one of several lists that go by the same places, the last place first;
/// all of them were read from the same place on.
pub(crate) struct Part<T> {
    /// What is on it, each with its place. No two of all lists have the same.
    pub(crate) items: Vec<(String, T)>,
    /// If the list goes on, the place up to which it was read.
    pub(crate) read_to: Option<String>,
}

impl<T> Part<T> {
    /// A page on which everything is that was read.
    pub(crate) fn whole(items: Vec<(String, T)>, more: bool) -> Self {
        let read_to = items.last().filter(|_| more).map(|(place, _)| place.clone());
        Self { items, read_to }
    }
}

/// The lists as one: at most `limit` of what they have, in order, and the place from
/// which to read each of them for the next page, unless there is nothing more.
///
/// Since a place means the same in every list, the place where the page ends is all
/// that needs to be remembered of any of them.
pub(crate) fn merged<T>(parts: Vec<Part<T>>, limit: usize) -> (Vec<(String, T)>, Option<String>) {
    // What a list has behind the place up to which it was read is not known, so nothing
    // from there on can be put in order yet.
    let known_to = parts.iter().filter_map(|part| part.read_to.clone()).max();
    let mut items: Vec<(String, T)> = parts.into_iter().flat_map(|part| part.items).collect();
    items.sort_by(|(one, _), (other, _)| other.cmp(one));
    items.truncate(items.partition_point(|(place, _)| known_to.as_ref().is_none_or(|known| place >= known)));
    let next = if items.len() > limit {
        items.truncate(limit);
        items.last().map(|(place, _)| place.clone())
    } else {
        known_to
    };
    (items, next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A page of a list as a table gives it: no more than `most`, and told that there
    /// may be more whenever it was filled.
    fn page(list: &[u8], after: Option<&str>, most: usize) -> Part<()> {
        let mut places: Vec<String> = list.iter().map(|place| format!("{place:03}")).collect();
        places.sort_by(|one, other| other.cmp(one));
        places.retain(|place| after.is_none_or(|after| place.as_str() < after));
        places.truncate(most);
        let more = places.len() == most;
        Part::whole(places.into_iter().map(|place| (place, ())).collect(), more)
    }

    proptest! {
        #[test]
        fn page_by_page_every_item_comes_once_and_in_order(
            lists in prop::collection::btree_map(any::<u8>(), 0usize..4, 0..40),
            limit in 1usize..10,
            // How many a list gives at a time, which may be fewer than were asked for.
            most in prop::collection::vec(1usize..10, 4),
        ) {
            let of = |which: usize| lists.iter().filter(move |(_, list)| **list == which).map(|(place, _)| *place);
            let each: Vec<Vec<u8>> = (0..4).map(|which| of(which).collect()).collect();
            let (mut seen, mut after) = (Vec::new(), None::<String>);
            loop {
                let parts = each.iter().zip(&most);
                let parts = parts.map(|(list, most)| page(list, after.as_deref(), (*most).min(limit))).collect();
                let (items, next) = merged::<()>(parts, limit);
                prop_assert!(items.len() <= limit && (next.is_none() || !items.is_empty()));
                seen.extend(items.into_iter().map(|(place, ())| place));
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            let all: Vec<String> = lists.keys().rev().map(|place| format!("{place:03}")).collect();
            prop_assert_eq!(seen, all);
        }
    }
}
