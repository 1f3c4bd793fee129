//! Who is in a segment: as many as the index lists, and what is kept of each.

use std::collections::{BTreeMap, VecDeque};

use campaigns::{EditionOf, Membership};
use domain::{Customer, CustomerId};
use futures::{StreamExt, TryStreamExt};

use super::row::List;
use super::{Customers, PROFILE, Row, attribute, key, owner, partition};
use crate::CUSTOMER_SHARDS;
use crate::memberships::{edition_of, membership_item};
use crate::rows::{self, Item, failed};

/// How many parts of a list are gone through at the same time.
const PARTS_AT_ONCE: usize = 4;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<const N: usize> {
    /// How many of each.
    pub of: [u64; N],
    /// Whether all were counted; else it is an estimate by the parts that were.
    pub exact: bool,
}

/// One part of a list, as far as it was gone through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<const N: usize> {
    pub(crate) of: [u64; N],
    pub(crate) is_whole: bool,
}

impl Customers {
    /// How many are in a segment, by one of its editions, as the index lists them; as many
    /// as can be told while there is time.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn count_members(&self, edition: &EditionOf, has_time: impl Fn() -> bool) -> anyhow::Result<Counted<1>> {
        let list = List::Segment(edition.clone());
        in_parts(async |part| self.count_part(&list, part, &has_time).await).await
    }

    async fn count_part(&self, list: &List, part: u32, has_time: &impl Fn() -> bool) -> anyhow::Result<Part<1>> {
        let (mut members, mut start) = (0, None);
        loop {
            if !has_time() {
                return Ok(Part { of: [members], is_whole: false });
            }
            let page = self
                .in_list(list.part(part))
                .key_condition_expression("listed = :listed")
                .select(aws_sdk_dynamodb::types::Select::Count)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("the list could not be counted"))?;
            members += u64::try_from(page.count)?;
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(Part { of: [members], is_whole: true });
            }
        }
    }

    /// How many are in the first segment, in the second and in both, each by one of its
    /// editions, as the index lists them; as many as can be told while there is time.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn overlap(
        &self,
        first: &EditionOf,
        second: &EditionOf,
        has_time: impl Fn() -> bool,
    ) -> anyhow::Result<Counted<3>> {
        let lists = [first, second].map(|edition| List::Segment(edition.clone()));
        in_parts(async |part| self.overlap_part(&lists, part, &has_time).await).await
    }

    /// Goes through the same part of two lists side by side. A customer stands in the same
    /// part of every list, and in each the customers are in the order of their keys.
    async fn overlap_part(
        &self,
        lists: &[List; 2],
        part: u32,
        has_time: &impl Fn() -> bool,
    ) -> anyhow::Result<Part<3>> {
        let [mut first, mut second] = lists.each_ref().map(|list| Walk::new(list.part(part)));
        let mut of = [0; 3];
        loop {
            for walk in [&mut first, &mut second] {
                while walk.wants_more() {
                    if !has_time() {
                        return Ok(Part { of, is_whole: false });
                    }
                    walk.read(self).await?;
                }
            }
            match (first.ahead.front(), second.ahead.front()) {
                (None, None) => return Ok(Part { of, is_whole: true }),
                (Some(one), Some(other)) if one == other => {
                    of = [of[0] + 1, of[1] + 1, of[2] + 1];
                    first.ahead.pop_front();
                    second.ahead.pop_front();
                }
                (Some(one), other) if other.is_none_or(|other| one < other) => {
                    of[0] += 1;
                    first.ahead.pop_front();
                }
                _ => {
                    of[1] += 1;
                    second.ahead.pop_front();
                }
            }
        }
    }

    /// What is kept of these customers' membership in a segment, by one of its editions,
    /// with consistent reads; of those of whom nothing is kept nothing.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn memberships(
        &self,
        edition: &EditionOf,
        members: &[CustomerId],
    ) -> anyhow::Result<BTreeMap<CustomerId, Membership>> {
        let item = membership_item(edition);
        let kept = self.item_of_each(&item, members).await?;
        kept.into_iter().map(|(id, row)| Ok((id, rows::parse(&row.body)?))).collect()
    }

    /// The profiles of these customers, with consistent reads; of those who are known by
    /// this id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn profiles(&self, customers: &[CustomerId]) -> anyhow::Result<BTreeMap<CustomerId, Customer>> {
        let kept = self.item_of_each(PROFILE, customers).await?;
        let read = |row: &Row| rows::readable(rows::parse(&row.body));
        Ok(kept.into_iter().filter_map(|(id, row)| Some((id, read(&row)?))).collect())
    }

    /// The same item of each of these customers, each named once.
    async fn item_of_each(&self, item: &str, customers: &[CustomerId]) -> anyhow::Result<Vec<(CustomerId, Row)>> {
        let mut found = Vec::with_capacity(customers.len());
        for customers in customers.chunks(100) {
            let keys = customers.iter().map(|id| key(partition(id), item)).collect();
            for row in self.batch(keys).await? {
                let row: Row = rows::decode(row)?;
                found.extend(owner(&row.customer).map(|id| (id, row)));
            }
        }
        Ok(found)
    }

    /// The segments of which something is kept about a customer, each by its edition.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn segments(&self, owner: &CustomerId) -> anyhow::Result<Vec<(EditionOf, Membership)>> {
        let rows = self.all_beginning(&partition(owner), crate::memberships::SEGMENT).await?;
        let kept = rows.iter().filter_map(|row| Some((edition_of(&row.item)?, rows::parse(&row.body))));
        kept.map(|(edition, membership)| Ok((edition, membership?))).collect()
    }
}

/// One part of a list, gone through page by page.
struct Walk {
    listed: String,
    ahead: VecDeque<String>,
    start: Option<Item>,
    is_read: bool,
}

impl Walk {
    fn new(listed: String) -> Self {
        Self { listed, ahead: VecDeque::new(), start: None, is_read: false }
    }

    fn wants_more(&self) -> bool {
        self.ahead.is_empty() && !self.is_read
    }

    async fn read(&mut self, customers: &Customers) -> anyhow::Result<()> {
        let page = customers
            .in_list(&self.listed)
            .key_condition_expression("listed = :listed")
            .set_exclusive_start_key(self.start.take())
            .send()
            .await
            .map_err(failed("the list could not be read"))?;
        let rows = page.items.unwrap_or_default();
        self.ahead.extend(rows.iter().filter_map(|row| attribute(row, "customer").map(str::to_owned)));
        self.start = page.last_evaluated_key;
        self.is_read = self.start.is_none();
        Ok(())
    }
}

/// All parts of a list, added up.
pub(crate) async fn in_parts<const N: usize>(
    counted: impl AsyncFn(u32) -> anyhow::Result<Part<N>>,
) -> anyhow::Result<Counted<N>> {
    let parts = futures::stream::iter(0..CUSTOMER_SHARDS).map(|part| counted(part)).buffer_unordered(PARTS_AT_ONCE);
    Ok(total(&parts.try_collect::<Vec<_>>().await?))
}

/// What parts come to. The customers are dealt by a hash, so a part that was not gone
/// through to its end has about as many as the others have on the average, and no fewer
/// than were found in it. If there was no time to go through any to its end, the others are
/// those in which somebody was found.
fn total<const N: usize>(parts: &[Part<N>]) -> Counted<N> {
    let whole = parts.iter().filter(|part| part.is_whole).count();
    let goes_by = |part: &&Part<N>| part.is_whole || (whole == 0 && part.of != [0; N]);
    let known = parts.iter().filter(goes_by).count() as u64;
    let of = std::array::from_fn(|place| {
        let found: u64 = parts.iter().filter(goes_by).map(|part| part.of[place]).sum();
        let average = found.checked_div(known).unwrap_or_default();
        parts.iter().map(|part| if part.is_whole { part.of[place] } else { part.of[place].max(average) }).sum()
    });
    Counted { of, exact: whole == parts.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(of: &[(u64, bool)]) -> Vec<Part<1>> {
        of.iter().map(|(members, is_whole)| Part { of: [*members], is_whole: *is_whole }).collect()
    }

    #[test]
    fn what_was_not_counted_is_as_much_as_the_rest_on_the_average_and_no_less_than_was_seen() {
        let counted = |of: &[(u64, bool)]| total(&parts(of));
        assert_eq!(counted(&[(3, true), (5, true)]), Counted { of: [8], exact: true });
        assert_eq!(counted(&[(3, true), (5, true), (0, false)]), Counted { of: [12], exact: false });
        assert_eq!(counted(&[(3, true), (5, true), (9, false)]), Counted { of: [17], exact: false });
        assert_eq!(counted(&[(2, false), (1, false)]), Counted { of: [3], exact: false });
        assert_eq!(counted(&[(0, false), (4, false), (2, false), (0, false)]), Counted { of: [13], exact: false });
        assert_eq!(counted(&[(0, true), (4, false), (0, false)]), Counted { of: [4], exact: false });
        assert_eq!(counted(&[(0, false), (0, false)]), Counted { of: [0], exact: false });
    }
}
