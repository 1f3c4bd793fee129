//! The events of Segment's e-commerce spec, by name.

use contracts::told::Told;
use serde_json::{Map, Value, json};

use crate::said::Said;
use crate::{event, order, plain};

/// The names under which clients give a product's id, best first.
const PRODUCT_ID: &[&str] = &["product_id", "productId", "id", "sku"];

/// What an event means beside having happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing more: somebody looked, searched, shared.
    Happened,
    /// A container got something.
    Added(&'static str),
    /// A container lost something.
    Removed(&'static str),
    /// From the wishlist to the cart.
    Moved,
    /// An order was placed.
    Placed,
    /// An order is not what it was.
    Changed,
    /// An order has a new status in this set.
    Became(&'static str, &'static str),
}

const CART: &str = "cart";
const WISHLIST: &str = "wishlist";

/// The event of this name in our words, if it is one that we know. As with
/// Segment, capitals and what is between the words do not matter, and the first
/// version's names hold too.
///
/// A cart that was looked at is no change of it: the spec gives no quantities
/// there, and a page of a long cart would empty the rest.
fn known(name: &str) -> Option<(&'static str, Effect)> {
    use Effect::{Added, Became, Changed, Happened, Moved, Placed, Removed};
    let plain: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect::<String>().to_lowercase();
    Some(match plain.as_str() {
        "productssearched" | "searchedproducts" => ("searched", Happened),
        "productlistviewed" | "viewedproductlist" | "viewedproductcategory" | "productcategoryviewed" => {
            ("category_viewed", Happened)
        }
        "productlistfiltered" | "filteredproductlist" => ("product_list_filtered", Happened),
        "promotionviewed" | "viewedpromotion" => ("promotion_viewed", Happened),
        "promotionclicked" | "clickedpromotion" => ("promotion_clicked", Happened),
        "productclicked" | "clickedproduct" => ("product_clicked", Happened),
        "productviewed" | "viewedproduct" => ("product_viewed", Happened),
        "productadded" | "addedproduct" => ("added_to_container", Added(CART)),
        "productremoved" | "removedproduct" => ("removed_from_container", Removed(CART)),
        "cartviewed" | "viewedcart" => ("cart_viewed", Happened),
        "checkoutstarted" | "startedcheckout" | "startedorder" | "orderstarted" => ("checkout_started", Happened),
        "checkoutstepviewed" | "viewedcheckoutstep" => ("checkout_step_viewed", Happened),
        "checkoutstepcompleted" | "completedcheckoutstep" => ("checkout_step_completed", Happened),
        "paymentinfoentered" | "enteredpaymentinfo" => ("payment_info_entered", Happened),
        "ordercompleted" | "completedorder" => ("order_completed", Placed),
        "orderupdated" | "updatedorder" => ("order_updated", Changed),
        "orderrefunded" | "refundedorder" => ("order_refunded", Became("payment", "refunded")),
        "ordercancelled" | "cancelledorder" | "ordercanceled" | "canceledorder" => {
            ("order_cancelled", Became("general", "cancelled"))
        }
        "couponentered" | "enteredcoupon" => ("coupon_entered", Happened),
        "couponapplied" | "appliedcoupon" => ("coupon_applied", Happened),
        "coupondenied" | "deniedcoupon" => ("coupon_denied", Happened),
        "couponremoved" | "removedcoupon" => ("coupon_removed", Happened),
        "productaddedtowishlist" | "addedproducttowishlist" => ("added_to_container", Added(WISHLIST)),
        "productremovedfromwishlist" | "removedproductfromwishlist" => ("removed_from_container", Removed(WISHLIST)),
        "wishlistproductaddedtocart" | "addedwishlistproducttocart" => ("added_to_container", Moved),
        "productshared" | "sharedproduct" => ("product_shared", Happened),
        "cartshared" | "sharedcart" => ("cart_shared", Happened),
        "productreviewed" | "reviewedproduct" => ("product_reviewed", Happened),
        // Not of that spec, but names that Segment gives elsewhere to what we
        // have a name for.
        "signedup" => ("registered", Happened),
        "signedin" | "loggedin" => ("logged_in", Happened),
        "applicationopened" => ("session_started", Happened),
        _ => return None,
    })
}

/// What a `track` tells.
pub(crate) fn told(said: &mut Said<'_>) -> Option<Vec<Told>> {
    let name = match said.object.get("event").and_then(Value::as_str).map(str::trim) {
        Some(name) if !name.is_empty() => name,
        _ => {
            said.fault("/event", "is required: the event's name, as a text");
            return None;
        }
    };
    let properties = said.part("properties");
    let mut context = properties.clone().into_owned();
    let (code, effect) = match known(name) {
        Some((code, effect)) => {
            with_product_ids(&mut context);
            (code.to_owned(), effect)
        }
        None => (event::code(name), Effect::Happened),
    };
    if code != name {
        context.entry("event").or_insert(name.into());
    }
    let container = match effect {
        Effect::Added(container) | Effect::Removed(container) => Some(container),
        Effect::Moved => Some(CART),
        _ => None,
    };
    if let Some(container) = container {
        context.entry("container").or_insert(container.into());
    }

    let mut told = vec![event::told(said, &code, context)];
    match effect {
        Effect::Happened => {}
        Effect::Added(container) => told.extend(changed(said, &properties, container, "add", said.id.clone())),
        Effect::Removed(container) => told.extend(changed(said, &properties, container, "remove", said.id.clone())),
        Effect::Moved => {
            let added = changed(said, &properties, CART, "add", said.id.clone());
            let removed = added.as_ref().map(|added| taken_out(said, added));
            told.extend(added.into_iter().chain(removed));
        }
        Effect::Placed => told.extend(order::placed(said, &properties)),
        Effect::Changed => told.extend(order::changed(said, &properties)),
        Effect::Became(set, code) => told.extend(order::became(said, &properties, set, code)),
    }
    Some(told)
}

/// What a container got or lost: the product that the properties are, or those
/// that they list.
fn changed(said: &mut Said<'_>, properties: &Map<String, Value>, code: &str, op: &str, id: String) -> Option<Told> {
    let listed = properties.get("products").and_then(Value::as_array);
    let items: Vec<Value> = match listed {
        Some(products) if product_id(properties).is_none() => {
            let objects = products.iter().enumerate().map(|(index, product)| (index, product.as_object()));
            objects
                .filter_map(|(index, product)| item(said, &format!("/properties/products/{index}"), product, op))
                .collect()
        }
        _ => item(said, "/properties", Some(properties), op).into_iter().collect(),
    };
    if items.is_empty() {
        return None;
    }
    let body = json!({"id": id, "op": op, "at": said.at(), "items": items});
    Some(Told::Container { customer: said.customer(), code: code.to_owned(), body })
}

/// The same items out of the wishlist, all there are of each.
fn taken_out(said: &Said<'_>, added: &Told) -> Told {
    let items = match added {
        Told::Container { body, .. } => body["items"].as_array().map(Vec::as_slice).unwrap_or_default(),
        _ => &[],
    };
    let items: Vec<Value> = items.iter().map(|item| json!({"product_id": item["product_id"]})).collect();
    let body = json!({"id": said.second_id(WISHLIST), "op": "remove", "at": said.at(), "items": items});
    Told::Container { customer: said.customer(), code: WISHLIST.to_owned(), body }
}

fn item(said: &mut Said<'_>, place: &str, product: Option<&Map<String, Value>>, op: &str) -> Option<Value> {
    let Some((product, id)) = product.and_then(|product| Some((product, product_id(product)?))) else {
        said.fault(&format!("{place}/product_id"), "is required; without it no container was changed");
        return None;
    };
    let mut item = Map::new();
    item.insert("product_id".into(), id.into());
    if let Some(value) = product.get("quantity").filter(|value| !value.is_null()) {
        match plain::amount(value) {
            Ok(Value::String(amount)) if !amount.starts_with('-') => {
                drop(item.insert("quantity".into(), amount.into()))
            }
            wrong => {
                let detail = wrong.err().unwrap_or_else(|| "must not be less than 0".to_owned());
                said.fault(&format!("{place}/quantity"), detail);
                return None;
            }
        }
    }
    if op == "add" {
        describe(said, place, product, &mut item);
        let mut fields = Map::new();
        for name in ["sku", "category", "brand", "variant", "coupon", "currency"] {
            if let Some(value) = plain::text(product.get(name)) {
                fields.insert(name.to_owned(), value.into());
            }
        }
        if !fields.is_empty() {
            item.insert("fields".into(), fields.into());
        }
    }
    Some(item.into())
}

/// Price, name and picture, as an order's line and a container's item have them.
pub(crate) fn describe(said: &mut Said<'_>, place: &str, product: &Map<String, Value>, into: &mut Map<String, Value>) {
    amount(said, place, product, ("price", "price"), into);
    let texts: [(&str, &[&'static str], usize); 3] =
        [("name", &["name"], 500), ("url", &["url"], 2_000), ("image", &["image_url", "imageUrl", "image"], 2_000)];
    for (name, names, most) in texts {
        let Some((given, value)) = plain::first(product, names) else { continue };
        match plain::text(Some(value)) {
            Some(text) if text.chars().count() <= most => drop(into.insert(name.into(), text.into())),
            _ => said.fault(&format!("{place}/{given}"), format!("must be a text of at most {most} characters")),
        }
    }
}

/// An amount by its name there and by its name here, if it is said.
pub(crate) fn amount(
    said: &mut Said<'_>,
    place: &str,
    of: &Map<String, Value>,
    (given, name): (&'static str, &str),
    into: &mut Map<String, Value>,
) {
    if let Some((_, value)) = plain::first(of, &[given]) {
        match plain::amount(value) {
            Ok(amount) => drop(into.insert(name.to_owned(), amount)),
            Err(detail) => said.fault(&format!("{place}/{given}"), detail),
        }
    }
}

/// A product's id under any of its names.
pub(crate) fn product_id(product: &Map<String, Value>) -> Option<String> {
    PRODUCT_ID.iter().find_map(|name| plain::text(product.get(*name))).filter(|id| domain::OrderId::parse(id).is_ok())
}

/// Gives products their id under the one name by which conditions ask.
fn with_product_ids(properties: &mut Map<String, Value>) {
    let named = |product: &mut Map<String, Value>, id: Option<String>| {
        if let Some(id) = id.filter(|_| !product.contains_key("product_id")) {
            product.insert("product_id".into(), id.into());
        }
    };
    // What the whole is called by `id` may be anything; a product says what it is.
    let own = ["product_id", "productId", "sku"].iter().find_map(|name| plain::text(properties.get(*name)));
    named(properties, own);
    for product in properties.get_mut("products").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(product) = product.as_object_mut() {
            let id = product_id(product);
            named(product, id);
        }
    }
}
