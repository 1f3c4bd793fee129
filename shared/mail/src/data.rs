//! What a template may name beyond what set its message off. Only what it does name is read.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Code, Customer, Event, Order, Product, ProductId};
use serde_json::{Map, Value, json};
use store::{Catalogue, Customers, KnownContainer};
use templates::{Step, Template};

/// How many of the customer's orders a template sees, the newest.
const MOST_ORDERS: usize = 50;

/// What of it a template names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The customer's orders, or the last of them.
    orders: bool,
    containers: bool,
    /// The products that these name, as they are now.
    products: BTreeSet<Within>,
    /// The groups of promo codes that it prints one of.
    pub(crate) promo_groups: BTreeSet<String>,
}

/// In what products are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    Order,
    Change,
    Orders,
    Containers,
    Event,
}

/// Where they are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) customers: &'a Customers,
    pub(crate) catalogue: &'a Catalogue,
}

impl Needs {
    pub(crate) fn by(template: &Template) -> Self {
        let mut needs = Self { promo_groups: template.promo_groups().into_keys().collect(), ..Self::default() };
        for named in template.paths() {
            named.paths.iter().for_each(|path| needs.note(path));
        }
        needs
    }

    fn note(&mut self, path: &[Step]) {
        let named = |name: &str| path.iter().any(|step| matches!(step, Step::Field(field) if field == name));
        let Some(Step::Field(root)) = path.first() else { return };
        let within = match root.as_str() {
            "orders" | "last_order" => {
                self.orders = true;
                Within::Orders
            }
            "containers" => {
                self.containers = true;
                Within::Containers
            }
            "order" => Within::Order,
            "change" => Within::Change,
            "event" => Within::Event,
            _ => return,
        };
        // A list that is named as a whole may be gone through in a way that is not seen.
        let is_list = matches!(path.last(), Some(Step::Item)) || matches!(path, [_] | [_, _]);
        let whole = is_list && matches!(within, Within::Orders | Within::Containers);
        if named("product") || named("products") || whole {
            self.products.insert(within);
        }
    }

    /// Adds to the data what is wanted.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub(crate) async fn add(
        &self,
        sources: Sources<'_>,
        customer: &Customer,
        event: Option<&Event>,
        data: &mut Map<String, Value>,
    ) -> anyhow::Result<()> {
        if self.orders {
            let orders = shown_orders(sources.customers.orders(&customer.id).await?);
            if let Some(last) = orders.first() {
                data.insert("last_order".into(), last.clone());
            }
            data.insert("orders".into(), Value::Array(orders));
        }
        if self.containers {
            let mut containers = Map::new();
            for (code, known) in sources.customers.containers(&customer.id).await? {
                containers.insert(code.to_string(), facts::summed_container(&code, &known));
            }
            // A cart that nothing was ever in is an empty one, and no mistake of the template's.
            let cart = Code::parse(domain::Dictionary::CART)?;
            let empty = || facts::summed_container(&cart, &KnownContainer::default());
            containers.entry(cart.as_str()).or_insert_with(empty);
            data.insert("containers".into(), Value::Object(containers));
        }
        self.add_products(sources.catalogue, event, data).await
    }

    /// Puts each product as it is now beside what names it.
    async fn add_products(
        &self,
        catalogue: &Catalogue,
        event: Option<&Event>,
        data: &mut Map<String, Value>,
    ) -> anyhow::Result<()> {
        let mut places: Vec<&mut Value> = Vec::new();
        for (root, value) in data.iter_mut() {
            match root.as_str() {
                "order" if self.products.contains(&Within::Order) => places.extend(items(value, "lines")),
                "change" if self.products.contains(&Within::Change) => places.extend(items(value, "lines")),
                "last_order" if self.products.contains(&Within::Orders) => places.extend(items(value, "lines")),
                "orders" if self.products.contains(&Within::Orders) => {
                    let orders = value.as_array_mut().into_iter().flatten();
                    places.extend(orders.flat_map(|order| items(order, "lines")));
                }
                "containers" if self.products.contains(&Within::Containers) => {
                    let containers = value.as_object_mut().into_iter().flatten();
                    places.extend(containers.flat_map(|(_, container)| items(container, "items")));
                }
                "event" if self.products.contains(&Within::Event) => places.push(value),
                _ => {}
            }
        }
        let of_event = event.map(products_of).unwrap_or_default();
        let named = |place: &Value| place["product_id"].as_str().and_then(|id| ProductId::parse(id).ok());
        let ids: BTreeSet<ProductId> = places.iter().filter_map(|place| named(place)).chain(of_event.clone()).collect();
        let products = catalogue.products(&ids.into_iter().collect::<Vec<_>>()).await?;
        let shown = |id: &ProductId| products.get(id).filter(|product| !product.is_deleted()).map(shown_product);
        for place in places {
            if let Some(product) = named(place).and_then(|id| shown(&id)) {
                place["product"] = product;
            }
            if place.get("context").is_some() {
                let now: Vec<Value> = of_event.iter().filter_map(shown).collect();
                if let Some(first) = now.first() {
                    place["product"] = first.clone();
                }
                place["products"] = Value::Array(now);
            }
        }
        Ok(())
    }
}

fn shown_product(product: &Product) -> Value {
    contracts::product::show(product)
}

/// The orders that there are, as the API shows them, the newest first.
fn shown_orders(mut orders: Vec<Order>) -> Vec<Value> {
    orders.retain(|order| !order.is_deleted());
    orders.sort_by(|a, b| b.created_at().cmp(&a.created_at()).then_with(|| a.id.cmp(&b.id)));
    orders.truncate(MOST_ORDERS);
    orders.iter().map(|order| json!(contracts::order::show(order))).collect()
}

/// The items of a list in an object.
fn items<'v>(object: &'v mut Value, list: &str) -> impl Iterator<Item = &'v mut Value> {
    object.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The products that an event's context names, as web events do: `product_id`, or each of
/// `products` by its own.
fn products_of(event: &Event) -> Vec<ProductId> {
    let context = &event.context;
    let one = context.get("product_id").into_iter();
    let several = context.get("products").and_then(Value::as_array).into_iter().flatten();
    let ids = one.chain(several.filter_map(|product| product.get("product_id")));
    let mut seen = BTreeMap::new();
    let ids = ids.filter_map(Value::as_str).filter_map(|id| ProductId::parse(id).ok());
    ids.filter(|id| seen.insert(id.clone(), ()).is_none()).collect()
}
