use std::collections::BTreeMap;

use super::*;
use crate::Change;
use proptest::prelude::*;
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn update(second: Option<i64>, whole: bool, fields: &Value) -> ProductUpdate {
    let said = Said { whole, fields: fields.as_object().unwrap().clone() };
    ProductUpdate { id: ProductId::parse("p").unwrap(), updated_at: second.map(at), said }
}

fn merged(updates: &[ProductUpdate]) -> Option<Product> {
    updates
        .iter()
        .fold(None, |known, update| Product::merge(known.as_ref(), update.clone(), at(1_000)).unwrap().or(known))
}

fn names(product: &Product) -> Vec<(&'static str, i64)> {
    product.changes().iter().map(|change| (change.name(), change.at().as_second())).collect()
}

#[test]
fn price_and_stock_become_named_changes() {
    let product = merged(&[
        update(Some(1), true, &json!({"name": "Mug", "price": "10", "stock": "3"})),
        update(Some(2), false, &json!({"price": "12"})),
        update(Some(3), false, &json!({"stock": "0"})),
        update(Some(4), false, &json!({"available": false, "price": "12"})),
        update(Some(5), false, &json!({"stock": "7"})),
        update(Some(6), false, &json!({"available": true})),
    ])
    .unwrap();
    let want = [
        ("product_created", 1),
        ("product_price", 2),
        ("product_stock", 3),
        ("product_out", 3),
        ("product_stock", 5),
        ("product_back", 6),
    ];
    assert_eq!(names(&product), want);
}

#[test]
fn an_undated_update_again_says_nothing_new() {
    let first = merged(&[update(None, true, &json!({"name": "Mug", "price": "10"}))]).unwrap();
    let again = update(None, true, &json!({"name": "Mug", "price": "10"}));
    assert_eq!(Product::merge(Some(&first), again, at(2_000)).unwrap(), None);
    let part = update(None, false, &json!({"price": "10"}));
    assert_eq!(Product::merge(Some(&first), part, at(2_000)).unwrap(), None);
}

#[test]
fn of_a_snapshot_only_what_differs_is_said() {
    let snapshot = json!({"name": "Mug", "price": "10", "brand": null, "fields": {"a": 1, "b": 2}});
    let known = merged(&[update(None, false, &snapshot).news(None).unwrap()]).unwrap();
    assert_eq!(update(None, false, &snapshot).news(Some(&known)), None);
    let other = json!({"name": "Mug", "price": "12", "brand": null, "fields": {"a": 1, "b": null}});
    let news = update(None, false, &other).news(Some(&known)).unwrap();
    assert_eq!(Value::Object(news.said.fields), json!({"price": "12", "fields": {"b": null}}));
    let gone = known.delete(None, at(9)).unwrap();
    assert!(update(None, false, &snapshot).news(Some(&gone)).is_some());
}

#[test]
fn what_was_taken_back_is_there_again_when_something_is_said_of_it_later() {
    let product = merged(&[update(Some(1), true, &json!({"name": "Mug"}))]).unwrap();
    let gone = product.delete(Some(at(5)), at(9)).unwrap();
    assert!(gone.is_deleted() && gone.delete(None, at(9)).is_none());
    let late = Product::merge(Some(&gone), update(Some(3), false, &json!({"brand": "B"})), at(9)).unwrap();
    assert!(late.unwrap().is_deleted());
    let same = Product::merge(Some(&gone), update(None, true, &json!({"name": "Mug"})), at(9)).unwrap();
    assert!(!same.unwrap().is_deleted());
}

fn news(known: Option<&Product>, product: &Product) -> Vec<(&'static str, i64)> {
    let said = |change: &Change| match change {
        Change::ProductChanged { what, at, .. } => Some((what.as_str(), at.as_second())),
        _ => None,
    };
    Product::news(known, product).iter().filter_map(said).collect()
}

#[test]
fn a_drop_that_was_told_of_with_a_later_time_is_no_second_one() {
    let first = update(Some(1), true, &json!({"name": "Mug", "price": "10"}));
    let drop = |second| update(Some(second), false, &json!({"price": "8"}));
    let later = merged(&[first.clone(), drop(9)]).unwrap();
    assert_eq!(news(merged(&[first]).as_ref(), &later), [("price_dropped", 9)]);
    let earlier = Product::merge(Some(&later), drop(5), at(1_000)).unwrap().unwrap();
    assert_eq!(news(Some(&later), &earlier), []);
    // What was told of it is still so, though it was so before.
    assert!(earlier.is_still(&Product::news(None, &later)[0]));
}

#[test]
fn a_price_that_turns_out_to_have_fallen_is_told_of_again_by_the_same_cause() {
    let known = merged(&[
        update(Some(1), true, &json!({"name": "Mug", "price": "7"})),
        update(Some(9), false, &json!({"price": "8"})),
    ])
    .unwrap();
    let after =
        Product::merge(Some(&known), update(Some(5), false, &json!({"price": "10"})), at(1_000)).unwrap().unwrap();
    assert_eq!(news(Some(&known), &after), [("price_changed", 5), ("price_dropped", 9)]);
    let causes = |product| Product::news(None, product).last().map(Change::cause);
    assert_eq!(causes(&known), causes(&after));
}

#[test]
fn the_same_price_a_second_time_is_another_cause() {
    let prices = [(1, "10"), (2, "8"), (3, "10"), (4, "8")];
    let said =
        |(second, price): &(i64, &str)| update(Some(*second), *second == 1, &json!({"name": "Mug", "price": price}));
    let product = merged(&prices.iter().map(said).collect::<Vec<_>>()).unwrap();
    let drops: Vec<Change> = Product::news(None, &product).into_iter().filter(|news| product.is_still(news)).collect();
    let [first, second] = drops.as_slice() else { panic!("{drops:?}") };
    assert_ne!(first.cause(), second.cause());
}

#[test]
fn nobody_hears_of_what_is_so_no_more() {
    let start = merged(&[update(Some(1), true, &json!({"name": "Mug", "price": "10", "stock": "0"}))]).unwrap();
    let told = |product: &Product, second, fields: Value| {
        Product::merge(Some(product), update(Some(second), false, &fields), at(1_000)).unwrap().unwrap()
    };
    let back = told(&start, 2, json!({"stock": "3", "price": "8"}));
    let heard = Product::news(Some(&start), &back);
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|news| back.is_still(news)));
    let dearer = told(&back, 3, json!({"price": "9"}));
    assert_eq!(heard.iter().filter(|news| dearer.is_still(news)).count(), 2);
    let gone = told(&back, 4, json!({"stock": "0"}));
    assert_eq!(heard.iter().filter(|news| gone.is_still(news)).count(), 1);
    assert!(!heard.iter().any(|news| back.delete(Some(at(9)), at(9)).unwrap().is_still(news)));
}

#[test]
fn what_is_so_stays_so_however_often_it_is_said_again() {
    let start = merged(&[update(Some(1), true, &json!({"name": "Mug", "price": "10", "stock": "0"}))]).unwrap();
    let told = |product: &Product, second, fields: Value| {
        Product::merge(Some(product), update(Some(second), false, &fields), at(1_000)).unwrap().unwrap()
    };
    let back = told(&start, 2, json!({"stock": "3", "price": "8"}));
    let heard = Product::news(Some(&start), &back);
    assert_eq!(heard.len(), 3);
    let again = (3..30).fold(back, |product, second| told(&product, second, json!({"stock": "3", "price": "8"})));
    assert!(heard.iter().all(|news| again.is_still(news)), "{again:?}");
    let fewer = told(&again, 30, json!({"stock": "2", "price": "8"}));
    let still = |product: &Product| -> Vec<String> {
        let still = heard.iter().filter(|news| product.is_still(news));
        still.map(|news| news.cause()[0].clone()).collect()
    };
    assert_eq!(still(&fewer), ["product_price", "product_back"]);
    let gone = told(&again, 30, json!({"stock": "0", "price": "9"}));
    assert_eq!(still(&gone), [""; 0]);
    let out = Product::news(Some(&again), &gone).into_iter().find(|news| news.cause()[0] == "product_out").unwrap();
    let gone = (31..60).fold(gone, |product, second| told(&product, second, json!({"stock": "0"})));
    assert!(gone.is_still(&out));
    // It was so, went on to something else and came back another way.
    let dear = [(30, "10"), (31, "9"), (32, "8")];
    let dear = dear.iter().fold(again, |product, (second, price)| told(&product, *second, json!({"price": price})));
    assert_eq!(still(&dear), ["product_stock", "product_back"]);
}

#[test]
fn that_it_is_out_of_stock_is_news_once_however_often_it_is_said_again() {
    let mut known = merged(&[update(Some(1), true, &json!({"name": "Mug", "available": true}))]).unwrap();
    let mut heard = Vec::new();
    for second in 2..40 {
        let stock = if second == 2 { "5" } else { "0" };
        let new =
            Product::merge(Some(&known), update(Some(second), false, &json!({"stock": stock})), at(1_000)).unwrap();
        let new = new.unwrap();
        heard.extend(news(Some(&known), &new));
        known = new;
    }
    assert_eq!(heard, [("stock_changed", 2), ("stock_changed", 3), ("out_of_stock", 3)]);
}

/// Whether all is said; price, stock and availability.
type Saying = (bool, Option<u8>, Option<u8>, Option<bool>);

/// Each at its time.
type Sayings = BTreeMap<i64, Saying>;

fn sayings() -> impl Strategy<Value = Sayings> {
    let price_or_stock = || prop::option::of(0u8..3);
    let saying = (any::<bool>(), price_or_stock(), price_or_stock(), prop::option::of(any::<bool>()));
    prop::collection::btree_map(1i64..60, saying, 1..40)
}

fn updates(sayings: &Sayings) -> Vec<ProductUpdate> {
    let said = |(second, (whole, price, stock, available)): (&i64, &Saying)| {
        let mut fields = json!({});
        for (name, amount) in [("price", price), ("stock", stock)] {
            if let Some(amount) = amount {
                fields[name] = json!(amount.to_string());
            }
        }
        if let Some(available) = available {
            fields["available"] = json!(available);
        }
        update(Some(*second), *whole, &fields)
    };
    sayings.iter().map(said).collect()
}

proptest! {
    #[test]
    fn of_what_is_told_in_order_only_what_was_told_just_now_is_news(sayings in sayings()) {
        let mut known: Option<Product> = None;
        for update in updates(&sayings) {
            let at_last = update.updated_at.unwrap();
            let Some(new) = Product::merge(known.as_ref(), update, at(1_000)).unwrap() else { continue };
            for change in ProductChange::between(known.as_ref(), &new) {
                prop_assert_eq!(change.at(), at_last, "{:?}", change);
            }
            known = Some(new);
        }
    }

    #[test]
    fn order_and_repetition_of_arrival_do_not_matter(
        sayings in sayings(),
        keys in prop::collection::vec(any::<u32>(), 40),
    ) {
        let updates = updates(&sayings);
        let mut shuffled: Vec<_> = keys.into_iter().zip(updates.iter().cloned()).collect();
        shuffled.sort_unstable_by_key(|(key, _)| *key);
        let mut arriving: Vec<ProductUpdate> = shuffled.into_iter().map(|(_, update)| update).collect();
        arriving.extend(updates.iter().cloned());
        let product = merged(&arriving);
        prop_assert_eq!(&product, &merged(&updates));

        // Every change that there is in the end was seen on the way.
        let (mut known, mut seen, mut heard): (Option<Product>, Vec<ProductChange>, Vec<Change>) = Default::default();
        for update in arriving {
            if let Some(new) = Product::merge(known.as_ref(), update, at(1_000)).unwrap() {
                seen.extend(ProductChange::between(known.as_ref(), &new));
                heard.extend(Product::news(known.as_ref(), &new));
                known = Some(new);
            }
        }
        let product = product.unwrap();
        for change in product.changes() {
            prop_assert!(seen.iter().any(|seen| seen.is_like(&change) && seen.at() >= change.at()));
        }
        // Whatever is so in the end was heard of as it is.
        for news in Product::news(None, &product).iter().filter(|news| product.is_still(news)) {
            prop_assert!(heard.iter().any(|heard| product.is_still(heard) && heard.what() == news.what()));
        }
    }
}
