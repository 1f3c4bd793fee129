//! A few of all customers, at random.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};

use super::{Customers, Kinds, Scanned};

/// How many rows a customer is taken to have, to begin with.
const ROWS_EACH: u64 = 16;

/// In how many parts a table is read that is read whole.
const WHOLE: u32 = 8;

/// How many parts of a larger table are looked at, at most; and at least, however long it
/// takes.
const CLUSTERS: u32 = 32;
const FEWEST: usize = 4;

/// The most parts that DynamoDB divides a table into, to the power of two.
const MOST_PARTS: u32 = 1 << 19;

/// How many pages a part may have. One that has more is a part of a larger table than was
/// thought, unless it is but for these few customers.
const MOST_PAGES: u32 = 8;
const FEW: usize = 2;

/// How much finer it is divided then.
const FINER: u32 = 32;

/// How many parts are read at the same time.
const AT_ONCE: usize = 8;

/// How long parts are begun.
const PATIENCE: Duration = Duration::from_secs(2);

/// Customers who were chosen at random.
///
/// A parallel scan divides the customers by a hash of their keys into parts of which each is
/// as good as the other, whoever is in it. So a few whole parts, chosen at random, are a fair
/// sample: each customer is in it with the same probability, those with many rows too.
#[derive(Debug)]
pub struct Sample {
    /// The customers, by the part in which they were found.
    pub clusters: Vec<Vec<Scanned>>,
    /// Into how many parts all customers are divided.
    pub of: u32,
}

impl Sample {
    /// Whether it is not a sample but everybody.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.clusters.len() == self.of as usize
    }
}

impl Customers {
    /// About so many customers, chosen at random; everybody, if they are not many more. The
    /// reads may lag behind by a moment.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn sample(&self, about: u32, kinds: Kinds) -> anyhow::Result<Sample> {
        let begun = Instant::now();
        let (rows, wanted) = (self.item_count().await?, u64::from(about) * ROWS_EACH);
        let mut of = match u32::try_from((rows * u64::from(CLUSTERS)).div_ceil(wanted.max(1))) {
            Ok(_) if rows <= wanted => WHOLE,
            Ok(of) => of.next_power_of_two().min(MOST_PARTS),
            Err(_) => MOST_PARTS,
        };
        loop {
            let parts = if of <= WHOLE { (0..of).collect() } else { chosen(CLUSTERS.min(of), of)? };
            let in_time = |begun_before: usize| begun_before < FEWEST || begun.elapsed() < PATIENCE;
            let clusters: Vec<Option<Vec<Scanned>>> = futures::stream::iter(parts.into_iter().enumerate())
                .take_while(|(begun_before, _)| std::future::ready(in_time(*begun_before)))
                .map(|(_, part)| self.cluster(part, of, kinds.clone()))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            match clusters.into_iter().collect() {
                Some(clusters) => return Ok(Sample { clusters, of }),
                None => of = of.saturating_mul(FINER).min(MOST_PARTS),
            }
        }
    }

    /// The customers of one part; none if it is too large.
    async fn cluster(&self, part: u32, of: u32, kinds: Kinds) -> anyhow::Result<Option<Vec<Scanned>>> {
        let mut scan = self.scan(part, of, None, kinds).lagging();
        let (mut customers, mut pages) = (Vec::new(), 0);
        loop {
            let page = scan.next().await?;
            customers.extend(page.customers);
            pages += 1;
            if page.is_last {
                return Ok(Some(customers));
            }
            if pages >= MOST_PAGES && customers.len() > FEW && of < MOST_PARTS {
                return Ok(None);
            }
        }
    }
}

/// So many different parts, in an order as random as they are.
fn chosen(count: u32, of: u32) -> anyhow::Result<Vec<u32>> {
    let (mut seen, mut parts) = (BTreeSet::new(), Vec::new());
    while parts.len() < count as usize {
        let part = getrandom::u32().map_err(|_| anyhow::anyhow!("the system has no randomness"))? % of;
        if seen.insert(part) {
            parts.push(part);
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_that_are_chosen_are_different_ones() {
        let parts = chosen(32, 64).unwrap();
        assert_eq!(parts.iter().collect::<BTreeSet<_>>().len(), 32);
        assert!(parts.iter().all(|part| *part < 64));
        assert_eq!(chosen(8, 8).unwrap().into_iter().collect::<BTreeSet<_>>(), (0..8).collect());
    }
}
