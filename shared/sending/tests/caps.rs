//! Caps against a naive model that remembers every message for ever.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

use domain::dictionary::ShopCap;
use domain::message::{Cap, Origin, Purpose, Terms};
use domain::{Code, CustomerId, MailingId, Message, MessageId, TemplateId};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sending::caps::{Caps, Ledger, Room};

/// Whether a cap counts a message.
type Counts = Box<dyn Fn(&Message) -> bool>;

const START: Timestamp = Timestamp::constant(1_700_000_000, 0);

fn message(id: usize, category: Option<usize>, mailing: usize, cap: Option<Cap>) -> Message {
    let category = category.map(|category| Code::parse(&format!("category-{category}")).unwrap());
    Message {
        id: MessageId::parse(&format!("m-{id}")).unwrap(),
        customer_id: CustomerId::parse("ada").unwrap(),
        origin: Origin::Mailing { mailing_id: MailingId::parse(&format!("mailing-{mailing}")).unwrap(), version: 1 },
        purpose: Purpose::Marketing,
        terms: Terms { category, cap, ..Terms::default() },
        template_id: TemplateId::parse("news").unwrap(),
        template_version: 1,
        created_at: START,
    }
}

fn cap() -> impl Strategy<Value = Cap> {
    (1u32..4, 1i64..40).prop_map(|(most, minutes)| Cap { most, per: SignedDuration::from_mins(minutes) })
}

fn shop() -> impl Strategy<Value = Vec<ShopCap>> {
    let category = |number: usize| Code::parse(&format!("category-{number}")).unwrap();
    let one = (cap(), prop::option::of(0usize..2))
        .prop_map(move |(cap, number)| ShopCap { cap, category: number.map(category) });
    prop::collection::vec(one, 0..4)
}

/// Of which category and mailing each message is, and when it comes, in seconds after the
/// one before.
fn coming() -> impl Strategy<Value = Vec<(Option<usize>, usize, i64)>> {
    prop::collection::vec((prop::option::of(0usize..2), 0usize..3, 0i64..900), 1..60)
}

/// What went out, and a plain answer to whether another may: counted anew from all of it.
#[derive(Default)]
struct Model {
    sent: Vec<(Timestamp, Message)>,
}

impl Model {
    fn is_free(&self, caps: &[(Cap, Counts)], at: Timestamp) -> bool {
        caps.iter().all(|(cap, counts)| {
            let within = |sent: Timestamp| sent <= at && at.duration_since(sent) < cap.per;
            let had = self.sent.iter().filter(|(sent, message)| within(*sent) && counts(message)).count();
            had < cap.most as usize
        })
    }
}

/// The caps that a message is held to, in the model's words.
fn held_to(message: &Message, shop: &[ShopCap]) -> Vec<(Cap, Counts)> {
    let mut caps: Vec<(Cap, Counts)> = Vec::new();
    for ShopCap { cap, category } in shop.iter().cloned() {
        if category.is_none() || category == message.terms.category {
            caps.push((cap, Box::new(move |other| category.is_none() || other.terms.category == category)));
        }
    }
    if let Some(cap) = message.terms.cap {
        let origin = message.origin.clone();
        caps.push((cap, Box::new(move |other| other.origin == origin)));
    }
    caps
}

proptest! {
    #[test]
    fn as_many_go_out_as_a_count_of_all_that_went_out_allows_and_room_is_told_to_the_instant(
        shop in shop(), own in prop::option::of(cap()), coming in coming(),
        later in prop::collection::vec(0i64..60, 60),
    ) {
        let (mut ledger, mut model, mut now) = (Ledger::default(), Model::default(), START);
        for (number, ((category, mailing, after), later)) in coming.into_iter().zip(later).enumerate() {
            now += SignedDuration::from_secs(after);
            let message = message(number, category, mailing, own.filter(|_| mailing == 0));
            let (caps, naive) = (Caps::of(&message, &shop), held_to(&message, &shop));
            prop_assert_eq!(caps.are_none(), naive.is_empty());
            // What is kept reads as it was written.
            ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
            match ledger.take(&caps, now) {
                Room::Full { until } => {
                    prop_assert!(!model.is_free(&naive, now));
                    prop_assert!(until > now && model.is_free(&naive, until));
                    prop_assert!(!model.is_free(&naive, until - SignedDuration::from_millis(1)));
                }
                _ => {
                    prop_assert!(model.is_free(&naive, now), "one too many at {}", now);
                    // It goes out by an attempt after the one by which it has its place.
                    now += SignedDuration::from_secs(later);
                    if !caps.are_none() {
                        prop_assert_eq!(ledger.take(&caps, now), Room::Held, "it is one message");
                    }
                    model.sent.push((now, message));
                }
            }
        }
    }

    #[test]
    fn a_place_that_is_given_back_is_as_if_it_had_never_been_taken(
        shop in shop(), coming in coming(), back in any::<prop::sample::Index>(),
    ) {
        let back = back.index(coming.len());
        let (mut ledger, mut without, mut now) = (Ledger::default(), Ledger::default(), START);
        for (number, (category, mailing, after)) in coming.into_iter().enumerate() {
            now += SignedDuration::from_secs(after);
            let message = message(number, category, mailing, None);
            let caps = Caps::of(&message, &shop);
            if number == back {
                ledger.take(&caps, now);
                ledger.give_back(&message.id);
                continue;
            }
            prop_assert_eq!(ledger.take(&caps, now), without.take(&caps, now));
        }
    }

    #[test]
    fn what_two_had_who_are_one_is_all_that_either_had_whichever_comes_first(
        coming in coming(), sides in prop::collection::vec(0u8..3, 60),
    ) {
        let caps = [ShopCap { cap: Cap { most: 500, per: SignedDuration::from_hours(24) }, category: None }];
        let (mut one, mut other, mut now) = (Ledger::default(), Ledger::default(), START);
        let mut all = Ledger::default();
        for ((number, (category, mailing, after)), side) in coming.into_iter().enumerate().zip(sides) {
            now += SignedDuration::from_secs(after);
            let message = message(number, category, mailing, None);
            let caps = Caps::of(&message, &caps);
            for (ledger, has) in [(&mut one, side != 1), (&mut other, side != 0), (&mut all, true)] {
                if has {
                    ledger.take(&caps, now);
                }
            }
        }
        let joined = one.clone().joined(other.clone());
        prop_assert_eq!(&joined, &all);
        prop_assert_eq!(&joined, &other.joined(one));
        prop_assert_eq!(&joined, &joined.clone().joined(joined.clone()));
    }
}

#[test]
fn order_mail_takes_no_place_and_is_held_to_none() {
    let shop = [ShopCap { cap: Cap { most: 1, per: SignedDuration::from_hours(1) }, category: None }];
    let mut order = message(1, None, 1, Some(Cap { most: 1, per: SignedDuration::from_hours(1) }));
    order.purpose = Purpose::Transactional;
    let mut ledger = Ledger::default();
    assert!(Caps::of(&order, &shop).are_none());
    for _ in 0..5 {
        assert_eq!(ledger.take(&Caps::of(&order, &shop), START), Room::Granted);
    }
    assert_eq!(ledger, Ledger::default());
}

#[test]
fn a_message_counts_from_when_it_last_took_its_place_and_takes_a_new_one_when_that_is_old() {
    let shop = [ShopCap { cap: Cap { most: 1, per: SignedDuration::from_hours(1) }, category: None }];
    let (first, second) = (message(1, None, 1, None), message(2, None, 1, None));
    let mut ledger = Ledger::default();
    let take = |ledger: &mut Ledger, message: &Message, minutes| {
        ledger.take(&Caps::of(message, &shop), START + SignedDuration::from_mins(minutes))
    };
    assert_eq!(take(&mut ledger, &first, 0), Room::Granted);
    assert_eq!(take(&mut ledger, &first, 59), Room::Held);
    let full = |minutes| Room::Full { until: START + SignedDuration::from_mins(minutes) };
    assert_eq!(take(&mut ledger, &second, 60), full(119));
    assert_eq!(take(&mut ledger, &second, 119), Room::Granted);
    assert_eq!(take(&mut ledger, &first, 120), full(179));
    assert_eq!(ledger.insist(&Caps::of(&first, &shop), START + SignedDuration::from_mins(121)), Room::Granted);
    assert_eq!(take(&mut ledger, &second, 180), full(181));
}
