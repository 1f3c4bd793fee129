//! The promo codes of a run: what SES saw of them, and what must be so.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::{Reason, State};
use local::Tables;
use serde_json::{Value, json};

use crate::plan::Codes;
use crate::run::Outcome;
use crate::shop::{GROUP, uploaded};

/// The codes that a mail names in any of its parts, as SES is given it.
pub(crate) fn named(content: &Value) -> BTreeSet<String> {
    let simple = &content["Simple"];
    let parts = [&simple["Subject"], &simple["Body"]["Html"], &simple["Body"]["Text"]];
    let named = |part: &Value| -> Vec<String> {
        let pieces = part["Data"].as_str().unwrap_or_default().split('[').skip(1);
        pieces.filter_map(|piece| piece.split_once(']')).map(|(code, _)| code.to_owned()).collect()
    };
    parts.into_iter().flat_map(named).collect()
}

/// How many codes have been given by now.
pub(crate) fn given(tables: &mut Tables) -> u64 {
    let count = |shard: u32| {
        let query = json!({
            "TableName": "cartwire-DefinitionsTable", "ConsistentRead": true, "Select": "COUNT",
            "KeyConditionExpression": "kind = :kind",
            "ExpressionAttributeValues": { ":kind": { "S": format!("promo-given#{GROUP}#{shard}") } },
        });
        let (_, page) = tables.call("Query", query.to_string().as_bytes());
        serde_json::from_str::<Value>(&page).unwrap()["Count"].as_u64().unwrap()
    };
    (0..store::CUSTOMER_SHARDS).map(count).sum()
}

/// No code goes to two, none is lost while there are some, and whoever gets a mail twice finds
/// the same code in it.
pub(crate) fn check(seed: u64, outcome: &Outcome) {
    let Outcome { plan, entries, .. } = outcome;
    let world = outcome.world.world();
    if plan.codes == Codes::None {
        assert!(world.ses.taken.values().flatten().all(|taken| taken.codes.is_empty()), "{seed}");
        return;
    }
    let mut whose: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, taken) in world.ses.taken.iter().flat_map(|(id, taken)| taken.iter().map(move |taken| (id, taken))) {
        let context = format!("{seed}: {id} came with {:?}", taken.codes);
        assert_eq!(taken.codes.len(), 1, "{context}");
        let code = taken.codes.first().unwrap();
        assert_eq!(*whose.entry(code).or_insert(id), id, "{context}");
        // What it was given is what it prints, once and for all.
        assert_eq!(outcome.given.get(id), Some(code), "{context}");
    }
    for (id, code) in &outcome.given {
        let Some(entry) = entries.get(id) else { continue };
        // It is given last of all: nothing that was known before has it wasted, but that SES would
        // not take the mail then and others were faster afterwards.
        let is_wasted = match entry.reason {
            Some(Reason::FrequencyCap) => plan.is_calm(),
            Some(Reason::NoPromoCode | Reason::BlockedByTemplate | Reason::NoConsent | Reason::NoAddress) => true,
            _ => false,
        };
        assert!(!is_wasted, "{seed}: {id} was given {code}, and is {:?}", entry.reason);
    }
    let Codes::Uploaded(count, _) = plan.codes else { return };
    let known: BTreeSet<String> = uploaded(count).into_iter().map(String::from).collect();
    let given: BTreeSet<String> = outcome.given.values().cloned().collect();
    assert!(given.is_subset(&known) && given.len() == outcome.given.len(), "{seed}: {:?}", outcome.given);
    for (id, given) in &world.ledger.without_code {
        assert!(*given >= count as u64, "{seed}: {id} found no code when {given} of {count} were given");
    }
    if plan.is_calm() {
        let without = entries.values().filter(|entry| entry.reason == Some(Reason::NoPromoCode)).count();
        let sent = entries.values().filter(|entry| entry.state == State::Sent).count();
        assert_eq!(sent, count.min(sent + without), "{seed}: of {count} codes {given:?} were given");
        assert_eq!(sent, given.len(), "{seed}: of {count} codes {given:?} were given");
    }
}
