//! How many customers meet a condition, judged by a few of them.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::{Value, json};

/// The square of how many standard deviations hold 95 % of a normal distribution.
const Z2: f64 = 1.959_964 * 1.959_964;

/// How many digits behind the point a share has.
const SHARE: u32 = 6;

/// One of the equal parts into which all customers are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cluster {
    /// How many customers are in it.
    pub customers: u64,
    /// How many of them meet the condition.
    pub matching: u64,
}

/// A number that was estimated, and between what it lies with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The best guess.
    pub estimate: f64,
    /// It is hardly less.
    pub low: f64,
    /// It is hardly more.
    pub high: f64,
}

/// What clusters that were chosen at random say of everybody.
///
/// Both intervals are score intervals: they hold every value from which what was seen is less
/// than 1.96 standard deviations away, the deviation being taken at that value and not at the
/// one that was seen. For a share that is Wilson's. So they hold where few meet the condition
/// or nobody does, where an interval around the estimate would be too short, or a point.
///
/// Customers are dealt to clusters by a hash, so whether one meets the condition has nothing
/// to do with whom they share a cluster with, and a cluster sample says as much as one of
/// single customers. Should that not be so (as where few clusters have anybody at all), the
/// clusters differ by more than chance, and the variance is multiplied by how much more (the
/// design effect), though never by less than 1. What was seen of all there are leaves less
/// unknown: the variance goes down with the share that was not looked at, to nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// How many customers were looked at.
    pub sampled: u64,
    /// How many of all meet the condition.
    pub members: Range,
    /// Which share of all meets it; none if there was nobody to look at.
    pub share: Option<Range>,
    /// Whether everybody was looked at.
    pub is_exact: bool,
}

impl Estimate {
    /// The estimate by these clusters out of `of`.
    #[must_use]
    pub fn by(clusters: &[Cluster], of: u32) -> Self {
        let count = real(clusters.len() as u64);
        let (customers, matching) = clusters.iter().fold((0, 0), |(customers, matching), cluster| {
            (customers + cluster.customers, matching + cluster.matching)
        });
        let fraction = count / f64::from(of.max(1));
        let (seen, found) = (real(customers), real(matching));
        let is_exact = clusters.len() == of as usize;
        let members = if is_exact {
            Range { estimate: found, low: found, high: found }
        } else {
            let mean = found / count;
            let spread = clusters.iter().map(|cluster| (real(cluster.matching) - mean).powi(2)).sum::<f64>();
            total(found, fraction, effect(spread, mean * count, count))
        };
        let share = (customers > 0).then(|| {
            let share = found / seen;
            let beside = |cluster: &Cluster| real(cluster.matching) - share * real(cluster.customers);
            let spread = clusters.iter().map(|cluster| beside(cluster).powi(2)).sum::<f64>();
            wilson(found, seen, effect(spread, seen * share * (1.0 - share), count) * (1.0 - fraction))
        });
        Self { sampled: customers, members, share, is_exact }
    }

    /// The estimate as it goes out over the API.
    #[must_use]
    pub fn show(&self) -> Value {
        let whole = |number: f64| Decimal::from_f64(number).and_then(|number| u64::try_from(number).ok());
        let share = |share: f64| Decimal::from_f64(share).map(|share| share.round_dp(SHARE).normalize().to_string());
        let Range { estimate, low, high } = self.members;
        json!({
            "sampled": self.sampled,
            "members": {
                "estimate": whole(estimate.round()), "low": whole(low.floor()), "high": whole(high.ceil()),
            },
            "share": self.share.map(|range| json!({
                "estimate": share(range.estimate), "low": share(range.low), "high": share(range.high),
            })),
            "exact": self.is_exact,
        })
    }
}

/// By how much clusters differ more than chance makes them: the sum of their squared
/// deviations, by what chance would have it be.
fn effect(spread: f64, by_chance: f64, clusters: f64) -> f64 {
    if by_chance <= 0.0 || clusters < 2.0 {
        return 1.0;
    }
    (spread * clusters / (clusters - 1.0) / by_chance).max(1.0)
}

/// How many there are, if this share of all was looked at and so many were found.
fn total(found: f64, fraction: f64, effect: f64) -> Range {
    // The roots of (found - total·fraction)² = z²·effect·total·fraction·(1 - fraction).
    let half = found + Z2 * effect * (1.0 - fraction) / 2.0;
    let root = (half * half - found * found).max(0.0).sqrt();
    Range { estimate: found / fraction, low: ((half - root) / fraction).max(found), high: (half + root) / fraction }
}

/// The share of which so many were found among those who were seen.
fn wilson(found: f64, seen: f64, variance: f64) -> Range {
    let z2 = Z2 * variance;
    let middle = (found + z2 / 2.0) / (seen + z2);
    let half = (z2 * (found * (seen - found) / seen + z2 / 4.0)).max(0.0).sqrt() / (seen + z2);
    Range { estimate: found / seen, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random numbers, the same for the same seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % end
        }
    }

    /// In how many of 500 shops of 20,000 customers the intervals hold the truth, if one in
    /// so many meets the condition and only each `th` cluster has anybody.
    fn held(one_in: u64, th: u64) -> (u64, u64) {
        let (of, looked_at) = (512_u64, 32);
        let mut held = (0, 0);
        for seed in 0..500 {
            let mut random = Random(seed);
            let mut clusters = vec![Cluster { customers: 0, matching: 0 }; of as usize];
            for _ in 0..20_000 {
                let cluster = &mut clusters[(random.below(of / th) * th) as usize];
                cluster.customers += 1;
                cluster.matching += u64::from(random.below(one_in) == 0);
            }
            let truth: u64 = clusters.iter().map(|cluster| cluster.matching).sum();
            for place in 0..looked_at {
                clusters.swap(place, place + random.below(of - place as u64) as usize);
            }
            let estimate = Estimate::by(&clusters[..looked_at], of as u32);
            assert!(!estimate.is_exact);
            let holds = |range: Range, truth: f64| range.low <= truth && truth <= range.high;
            held.0 += u64::from(holds(estimate.members, truth as f64));
            held.1 += u64::from(holds(estimate.share.unwrap(), truth as f64 / 20_000.0));
        }
        held
    }

    #[test]
    fn the_intervals_hold_the_truth_nineteen_times_out_of_twenty() {
        for one_in in [2, 10, 100, 1_000, 10_000] {
            let (members, share) = held(one_in, 1);
            // 475 are to be expected, give or take 10 twice.
            assert!(members >= 455 && share >= 455, "one in {one_in}: {members} and {share} of 500");
        }
        let (members, share) = held(5, 4);
        assert!(members >= 455 && share >= 455, "uneven clusters: {members} and {share} of 500");
    }

    #[test]
    fn whoever_looks_at_everybody_knows() {
        let cluster = |customers, matching| Cluster { customers, matching };
        let shown = Estimate::by(&[cluster(3, 1), cluster(0, 0), cluster(5, 1)], 3).show();
        assert_eq!(
            shown,
            json!({
                "sampled": 8, "members": { "estimate": 2, "low": 2, "high": 2 },
                "share": { "estimate": "0.25", "low": "0.25", "high": "0.25" }, "exact": true,
            })
        );
        assert_eq!(Estimate::by(&[cluster(0, 0); 3], 3).show()["share"], Value::Null);
    }

    #[test]
    fn that_nobody_was_found_does_not_mean_that_there_is_nobody() {
        let clusters = [Cluster { customers: 10, matching: 0 }; 32];
        let estimate = Estimate::by(&clusters, 3_200);
        assert_eq!((estimate.members.estimate, estimate.members.low), (0.0, 0.0));
        // The rule of three: 3 by the fraction would be 300.
        assert!((300.0..400.0).contains(&estimate.members.high), "{estimate:?}");
        assert!((0.009..0.013).contains(&estimate.share.unwrap().high), "{estimate:?}");
    }
}
