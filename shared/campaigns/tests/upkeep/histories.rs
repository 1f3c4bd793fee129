//! What may happen to a customer and to the segments in some months.

use conditions::Collection;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::generate::{LENGTHS, condition, container, customer, event, item, message, order, start};

/// When everything is made up to happen; it is moved to when it does.
pub(crate) const BASE: Timestamp = Timestamp::constant(1_781_524_800, 0);

pub(crate) const SEGMENTS: [&str; 5] = ["s-1", "s-2", "s-3", "s-4", "s-5"];

/// Everything that happens.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) start: Timestamp,
    pub(crate) zone: &'static str,
    /// The segments that there are from the beginning.
    pub(crate) segments: Vec<Value>,
    /// Whether their members were found before anybody came.
    pub(crate) is_built: bool,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// How long after the one before; none for when the next timer is to go off.
    pub(crate) after: Option<SignedDuration>,
    /// How much later than it should a timer goes off meanwhile.
    pub(crate) late: SignedDuration,
    /// When in between somebody looks whether all is as it should be.
    pub(crate) between: Index,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Things that are heard of together.
    Deeds(Vec<Deed>),
    Edit(&'static str, Value),
    Delete(&'static str),
    /// The customer is looked at for what is being built.
    Found,
    /// Everybody was looked at for it.
    Built,
    /// The customer is erased, or is another one from then on: nothing is left of them.
    Gone,
    /// A timer that went off, or that was to go off and was overtaken, goes off again.
    Again(Index),
}

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Put(Collection, Value),
    Change(Collection, Index, Value),
    Gone(Collection, Index),
    /// Nothing is in any container.
    Emptied,
    /// Who was not in it is.
    Audience(&'static str),
    Profile(Value),
}

pub(crate) fn profile() -> impl Strategy<Value = Deed> {
    (customer(BASE), select(vec!["given", "withdrawn"])).prop_map(|(mut profile, consent)| {
        profile["consent"] = json!({"email": {"state": consent}});
        Deed::Profile(profile)
    })
}

pub(crate) fn deed() -> BoxedStrategy<Deed> {
    use Collection::{Containers, Events, Items, Messages, Orders};
    let things = |over: Collection, thing: BoxedStrategy<Value>| {
        prop_oneof![
            3 => thing.clone().prop_map(move |thing| Deed::Put(over, thing)),
            1 => (any::<Index>(), thing).prop_map(move |(which, thing)| Deed::Change(over, which, thing)),
            1 => any::<Index>().prop_map(move |which| Deed::Gone(over, which)),
        ]
    };
    prop_oneof![
        4 => things(Orders, order(BASE).boxed()),
        4 => things(Events, event(BASE).boxed()),
        2 => things(Items, item(BASE).boxed()),
        1 => things(Containers, container(BASE).boxed()),
        2 => things(Messages, message(BASE).boxed()),
        1 => Just(Deed::Emptied),
        2 => select(vec!["a", "b", "c"]).prop_map(Deed::Audience),
        4 => profile(),
    ]
    .boxed()
}

/// Conditions over all of the language, above all those that need only some of what
/// happens.
pub(crate) fn asked() -> BoxedStrategy<Value> {
    let name = || "[ab]{1,2}";
    let length = || select(LENGTHS.map(|(text, _)| text).to_vec());
    let by_name = prop_oneof![
        name().prop_map(|name| json!({"field": "event.name", "is": name})),
        vec(name(), 1..3).prop_map(|names| json!({"field": "event.name", "in": names})),
    ];
    let events = (by_name, proptest::option::of(length()), 1..3).prop_map(|(filter, last, count)| {
        let mut leaf = json!({"count": "events", "where": filter, "at_least": count});
        if let Some(last) = last {
            leaf["during"] = json!({"last": last});
        }
        leaf
    });
    let idle = (select(vec!["orders.created_at", "items.since", "messages.created_at", "events.at"]), length())
        .prop_map(|(field, length)| json!({"max": field, "less_than": {"ago": length}}));
    let leaf = prop_oneof![
        3 => condition(BASE),
        2 => events,
        2 => idle,
        2 => select(vec!["a", "b", "c"]).prop_map(|code| json!({"audience": code})),
        1 => Just(json!({"field": "customer.consent.email.state", "is": "given"})),
        2 => select(&SEGMENTS[..]).prop_map(|code| json!({"segment": code})),
    ]
    .boxed();
    prop_oneof![
        4 => leaf.clone(),
        1 => vec(leaf.clone(), 2..4).prop_map(|all| json!({"all": all})),
        1 => vec(leaf.clone(), 2..4).prop_map(|any| json!({"any": any})),
        1 => leaf.prop_map(|not| json!({"not": not})),
    ]
    .boxed()
}

fn pause() -> impl Strategy<Value = Option<SignedDuration>> {
    let length = |seconds: i64| SignedDuration::from_secs(seconds);
    let length = prop_oneof![
        2 => Just(SignedDuration::ZERO),
        2 => (1..120_i64).prop_map(length),
        2 => (1..48 * 60_i64).prop_map(move |minutes| length(60 * minutes)),
        1 => (1..1_000_000_i64).prop_map(SignedDuration::from_micros),
        2 => select(LENGTHS.map(|(_, seconds)| seconds).to_vec()).prop_map(length),
        1 => (1..70_i64).prop_map(|days| SignedDuration::from_hours(24 * days)),
    ];
    prop_oneof![4 => length.prop_map(Some), 1 => Just(None)]
}

pub(crate) fn history(steps: std::ops::Range<usize>) -> impl Strategy<Value = History> {
    let segment = || select(&SEGMENTS[..]);
    let what = prop_oneof![
        16 => vec(deed(), 1..3).prop_map(What::Deeds),
        // As when somebody turns out to be somebody else too.
        2 => vec(deed(), 4..12).prop_map(What::Deeds),
        4 => (segment(), asked()).prop_map(|(code, condition)| What::Edit(code, condition)),
        1 => segment().prop_map(What::Delete),
        3 => Just(What::Found),
        3 => Just(What::Built),
        1 => Just(What::Gone),
        1 => any::<Index>().prop_map(What::Again),
    ];
    let late = prop_oneof![Just(0), 0..60_000_i64].prop_map(SignedDuration::from_millis);
    let step = (pause(), late, any::<Index>(), what).prop_map(|(after, late, between, what)| Step {
        after,
        late,
        between,
        what,
    });
    (start(), vec(asked(), 1..=SEGMENTS.len()), proptest::bool::weighted(0.8), profile(), vec(step, steps)).prop_map(
        |((start, zone), segments, is_built, profile, mut steps)| {
            // Whoever is not known by then becomes so.
            let place = steps.len() / 4;
            if let What::Deeds(deeds) = &mut steps[place].what {
                deeds.push(profile);
            }
            History { start, zone, segments, is_built, steps }
        },
    )
}
