//! What a mail is filled with: the data itself is made in `composer`.

use campaigns::Trigger;
use conditions::{Entry, Root, Schema};
use domain::dictionary::Settings;
use domain::{ContainerChange, ProductNews};
use serde_json::{Map, Value, json};
use templates::Shape;

/// What a template may name in a shop of this schema, whatever its message is about. Some
/// of it is there for some triggers only.
#[must_use]
pub fn shape(schema: &Schema) -> Shape {
    let mut shape = of_roots(schema, Root::SINGLE);
    shape.put(CONFIRM, Shape::Value);
    shape.put(Root::Change.name(), of_root(schema, Root::Change));
    shape
}

/// What there may be in a message that this trigger sets off; in one of a mailing, if none.
#[must_use]
pub fn shape_of(schema: &Schema, trigger: Option<&Trigger>) -> Shape {
    let mut shape = of_roots(schema, &roots_of(trigger));
    if let Some(trigger) = trigger {
        shape.put(Root::Change.name(), of_change(schema, trigger));
        if *trigger == Trigger::ConsentRequested {
            shape.put(CONFIRM, Shape::Value);
        }
    }
    shape
}

/// What there is one of in a message that this trigger sets off; in one of a mailing, if none.
#[must_use]
pub fn roots_of(trigger: Option<&Trigger>) -> Vec<Root> {
    let mut roots = vec![Root::Customer];
    if let Some(trigger) = trigger {
        roots.push(Root::Change);
        if trigger.is_about_an_order() {
            roots.push(Root::Order);
        }
        if trigger.whom().is_some() {
            roots.push(Root::Product);
        }
        if matches!(trigger, Trigger::EventReceived { .. }) {
            roots.push(Root::Event);
        }
    }
    roots
}

/// The link by which somebody says that they do agree: for whoever is asked, and nobody else.
const CONFIRM: &str = "links.confirm";

/// All but the change, which is not the same for all.
fn of_roots(schema: &Schema, roots: &[Root]) -> Shape {
    let mut shape = Shape::of([
        ("shop", Shape::of(SHOP.map(|name| (name, Shape::Value)))),
        ("links", Shape::of(["unsubscribe", "preferences", "view"].map(|name| (name, Shape::Value)))),
        ("now", Shape::Value),
    ]);
    for root in roots.iter().filter(|root| **root != Root::Change) {
        shape.put(root.name(), of_root(schema, *root));
    }
    shape.put("orders", Shape::List(Box::new(of_root(schema, Root::Order))));
    shape.put("last_order", of_root(schema, Root::Order));
    let mut container = of_root(schema, Root::Container);
    container.put("items", Shape::List(Box::new(with_product(schema, of_root(schema, Root::Item)))));
    let codes = schema.allowed(Root::Container, "code").into_iter().map(str::to_owned).collect();
    shape.put("containers", Shape::Names(codes, Box::new(container)));
    shape
}

/// The change that sets this trigger off.
fn of_change(schema: &Schema, trigger: &Trigger) -> Shape {
    let fields = change_fields(trigger);
    let entries = schema.entries(Root::Change).into_iter();
    let mut shape = Shape::of([]);
    let own = entries.filter(|(path, _)| path == "type" || fields.contains(&path.as_str()));
    own.for_each(|(path, entry)| shape.put(&path, of_entry(entry)));
    if fields.contains(&"lines") {
        shape.put("lines", of_lines(schema, Root::Change));
    }
    shape
}

/// What such a change has beside its type, be it not always.
fn change_fields(trigger: &Trigger) -> &'static [&'static str] {
    match trigger {
        Trigger::OrderCreated => &["order_id"],
        Trigger::OrderStatusChanged { .. } => &["order_id", "set", "from", "to", "at", "nth"],
        Trigger::OrderLineStatusChanged { .. } => &["order_id", "line_id", "from", "to", "at", "nth"],
        Trigger::OrderLinesChanged => &["order_id", "at", "lines", "count"],
        Trigger::ContainerChanged { what: Some(ContainerChange::Emptied), .. } => &["container", "what", "at"],
        Trigger::ContainerChanged { .. } => &["container", "what", "product_id", "at"],
        Trigger::EventReceived { .. } => &["event_id", "name", "kind"],
        Trigger::SegmentEntered { .. } | Trigger::SegmentLeft { .. } => &["segment", "at"],
        Trigger::ConsentRequested => &["categories", "at"],
        Trigger::ProductChanged { what: ProductNews::BackInStock | ProductNews::OutOfStock, .. } => {
            &["product_id", "what", "at"]
        }
        Trigger::ProductChanged { .. } => &["product_id", "what", "from", "to", "at"],
    }
}

fn of_root(schema: &Schema, root: Root) -> Shape {
    let mut of_root = Shape::of([]);
    let has_lines = matches!(root, Root::Order | Root::Change);
    let is_of_lines = |path: &str| has_lines && (path == "lines" || path.starts_with("lines."));
    let own = schema.entries(root).into_iter().filter(|(path, _)| !is_of_lines(path));
    own.for_each(|(path, entry)| of_root.put(&path, of_entry(entry)));
    match root {
        Root::Order | Root::Change => of_root.put("lines", of_lines(schema, root)),
        Root::Event => {
            of_root = with_product(schema, of_root);
            of_root.put("products", Shape::List(Box::new(of_root_alone(schema, Root::Product))));
        }
        _ => {}
    }
    of_root
}

/// The lines of an order, or those of it that are not what they were.
fn of_lines(schema: &Schema, root: Root) -> Shape {
    let line = match root {
        Root::Change => {
            // A condition sees each field of theirs as a list of what all of them have.
            let mut line = Shape::of([]);
            let entries = schema.entries(root).into_iter();
            let fields = entries.filter_map(|(path, _)| path.strip_prefix("lines.").map(str::to_owned));
            fields.for_each(|path| line.put(&path, Shape::Value));
            line
        }
        _ => of_root_alone(schema, Root::Line),
    };
    Shape::List(Box::new(with_product(schema, line)))
}

fn of_root_alone(schema: &Schema, root: Root) -> Shape {
    let mut shape = Shape::of([]);
    schema.entries(root).into_iter().for_each(|(path, entry)| shape.put(&path, of_entry(entry)));
    shape
}

/// What names a product has it beside it, as it is now.
fn with_product(schema: &Schema, mut shape: Shape) -> Shape {
    shape.put("product", of_root_alone(schema, Root::Product));
    shape
}

fn of_entry(entry: Entry) -> Shape {
    match entry {
        Entry::Value => Shape::Value,
        Entry::List => Shape::List(Box::new(Shape::Anything)),
        Entry::Object => Shape::of([]),
        Entry::Anything => Shape::Anything,
    }
}

/// What a template sees of the shop.
const SHOP: [&str; 7] = ["name", "company", "language", "time_zone", "currency", "country", "logo"];

/// The shop, as a template sees it.
pub(crate) fn shop(name: &str, settings: &Settings) -> Value {
    let values = [
        json!(name),
        json!(settings.company.as_deref().unwrap_or(name)),
        json!(settings.languages.first()),
        json!(settings.time_zone),
        json!(settings.currency),
        json!(settings.country),
        json!(settings.logo),
    ];
    let there = SHOP.into_iter().zip(values).filter(|(_, value)| !value.is_null());
    Value::Object(there.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use campaigns::Whom;
    use conditions::{Known, Type};
    use domain::{Change, Code, EventId, EventKind, OrderId, ProductId, StatusSet};
    use jiff::Timestamp;
    use templates::{Content, Template, written};

    fn schema() -> Schema {
        let mut schema = Schema::new();
        let value = || Known::of(Type::Text);
        schema.field(Root::Customer, "first_name", value());
        schema.object(Root::Customer, "fields");
        schema.field(Root::Order, "id", value());
        schema.field(Root::Order, "status.delivery", value());
        schema.field(Root::Order, "lines.name", value().list());
        schema.open(Root::Order, "delivery.address");
        schema.field(Root::Line, "name", value());
        schema.field(Root::Line, "fields.size", value());
        schema.field(Root::Product, "id", value());
        for name in ["type", "order_id", "from", "to", "at", "product_id", "categories"] {
            schema.field(Root::Change, name, value());
        }
        schema.field(Root::Container, "code", value().one_of(["cart", "wishlist"]));
        schema.field(Root::Item, "name", value());
        schema.open(Root::Event, "context");
        schema.event("signed_up", [("plan".to_owned(), value())]);
        schema
    }

    fn template(html: &str) -> Template {
        Template::compile(&Content::of("s", html).into()).unwrap()
    }

    #[test]
    fn a_template_may_name_what_any_message_is_filled_with_and_no_more() {
        let shape = shape(&schema());
        let fits = "{{customer.first_name}}{{shop.logo}}{{links.unsubscribe}}{{now}}{{promo_code \"any\"}}\
                    {{order.status.delivery}}{{order.delivery.address.street}}{{event.context.x.y}}\
                    {{#each order.lines}}{{name}}{{fields.size}}{{/each}}{{product.id}}{{change.type}}\
                    {{change.from}}{{links.confirm}}{{#each containers.cart.items}}{{name}}{{/each}}\
                    {{#each containers}}{{code}}{{#each items}}{{name}}{{/each}}{{/each}}";
        assert_eq!(template(fits).misfits(&shape), []);
        for (html, near) in [
            ("{{customer.fields.tier}}", "there is no customer.fields.tier"),
            ("{{order.stauts.delivery}}", "order.status"),
            ("{{#each order.lines}}{{fields.seize}}{{/each}}", "order.lines[].fields.size"),
            ("{{order.lines.name}}", "{{#each order.lines}}"),
            ("{{company.name}}", "there is no company"),
            ("{{#each containers.wishlst.items}}x{{/each}}", "no containers.wishlst; did you mean containers.wishlist"),
            ("{{#each containers}}{{cod}}{{/each}}", "containers[].code"),
            ("{{change.form}}", "change.from"),
        ] {
            let problems = template(html).misfits(&shape);
            assert!(problems.len() == 1 && problems[0].message.contains(near), "{html}: {problems:?}");
        }
    }

    #[test]
    fn of_each_line_that_changed_a_template_may_name_what_it_was_and_what_it_is() {
        let mut schema = schema();
        for path in ["line_id", "name", "what", "from.quantity", "from.currency", "to.quantity", "to.currency"] {
            schema.field(Root::Change, format!("lines.{path}"), Known::of(Type::Text).list());
        }
        schema.field(Root::Change, "count", Known::of(Type::Number));
        let fits = "{{change.count}}{{#each change.lines}}{{name}}{{what}}{{product.id}}{{from.quantity}}\
                    {{#with to}}{{quantity}}{{currency}}{{/with}}{{/each}}";
        let lacks = |html: &str, trigger: &Trigger| template(html).lacking(&shape_of(&schema, Some(trigger))).len();
        assert_eq!(template(fits).misfits(&shape(&schema)), []);
        assert_eq!([&Trigger::OrderLinesChanged, &Trigger::OrderCreated].map(|trigger| lacks(fits, trigger)), [0, 2]);
        for (html, near) in [
            ("{{#each change.lines}}{{from.quantty}}{{/each}}", "change.lines[].from.quantity"),
            ("{{#each change.lines}}{{from}}{{/each}}", "change.lines[].from is an object"),
            ("{{#each change.lines}}{{form.quantity}}{{/each}}", "change.lines[].from"),
            ("{{change.lines.name}}", "{{#each change.lines}}"),
        ] {
            let problems = template(html).misfits(&shape(&schema));
            assert!(problems.len() == 1 && problems[0].message.contains(near), "{html}: {problems:?}");
        }
    }

    #[test]
    fn each_trigger_brings_what_it_is_about() {
        let lacking = |schema: &Schema, trigger: Option<Trigger>| -> Vec<String> {
            let names = "{{customer.first_name}}{{order.id}}{{product.id}}{{event.context.tier}}{{change.type}}";
            let lacking = template(names).lacking(&shape_of(schema, trigger.as_ref()));
            lacking.iter().map(|named| written(&named.paths[0])).collect()
        };
        let signed_up = Trigger::EventReceived { name: Code::parse("signed_up").unwrap(), kind: None };
        assert_eq!(lacking(&schema(), None), ["order.id", "product.id", "event.context.tier", "change.type"]);
        assert_eq!(lacking(&schema(), Some(Trigger::OrderCreated)), ["product.id", "event.context.tier"]);
        // An event may bring more than its definition says.
        assert_eq!(lacking(&schema(), Some(signed_up)), ["order.id", "product.id"]);
    }

    #[test]
    fn a_change_has_what_is_shown_of_it_with_its_own_trigger_and_nothing_else() {
        let code = |text: &str| Code::parse(text).unwrap();
        let (order_id, product_id) = (OrderId::parse("o").unwrap(), ProductId::parse("p").unwrap());
        let (at, set, segment) = (Timestamp::UNIX_EPOCH, StatusSet::Delivery, code("loyal"));
        let (from, to) = (Some(code("packed")), code("shipped"));
        let mut each = vec![
            (Trigger::OrderCreated, Change::OrderCreated { order_id: order_id.clone() }),
            (
                Trigger::OrderStatusChanged { set, from: None, to: None },
                Change::OrderStatusChanged {
                    order_id: order_id.clone(),
                    set,
                    from: from.clone(),
                    to: to.clone(),
                    at,
                    nth: 1,
                },
            ),
            (
                Trigger::OrderLineStatusChanged { from: None, to: None },
                Change::OrderLineStatusChanged {
                    order_id: order_id.clone(),
                    line_id: "1".into(),
                    from,
                    to,
                    at,
                    nth: 1,
                },
            ),
            (Trigger::OrderLinesChanged, Change::OrderLinesChanged { order_id, at, lines: Vec::new(), count: 0 }),
            (
                Trigger::EventReceived { name: code("rang"), kind: None },
                Change::EventReceived {
                    event_id: EventId::parse("e").unwrap(),
                    name: code("rang"),
                    kind: EventKind::Event,
                },
            ),
            (Trigger::ConsentRequested, Change::ConsentRequested { categories: vec![code("news")], at }),
            (
                Trigger::SegmentEntered { segment: segment.clone() },
                Change::SegmentEntered { segment: segment.clone(), at },
            ),
            (Trigger::SegmentLeft { segment: segment.clone() }, Change::SegmentLeft { segment, at }),
        ];
        each.extend(ContainerChange::ALL.map(|what| {
            let product_id = (what != ContainerChange::Emptied).then(|| "p".to_owned());
            let trigger = Trigger::ContainerChanged { container: code("cart"), what: Some(what) };
            (trigger, Change::ContainerChanged { container: code("cart"), what, product_id, at })
        }));
        each.extend(ProductNews::ALL.map(|what| {
            let has_values = !matches!(what, ProductNews::BackInStock | ProductNews::OutOfStock);
            let value = || domain::Amount::parse("5").ok().filter(|_| has_values);
            let (from, to) = (value(), value());
            let trigger = Trigger::ProductChanged { what, whom: Whom::Holding(code("cart")) };
            (trigger, Change::ProductChanged { product_id: product_id.clone(), what, from, to, at })
        }));
        for (trigger, change) in each {
            assert!(trigger.is_set_off_by(&change));
            let shown = contracts::facts::of(None, None, None, None, Some(&change)).remove("change").unwrap();
            let mut shown: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
            let mut fields = [&["type"], change_fields(&trigger)].concat();
            shown.sort_unstable();
            fields.sort_unstable();
            assert_eq!(fields, shown, "{trigger:?}");
        }
    }

    #[test]
    fn only_who_is_asked_whether_they_agree_gets_a_link_to_say_so() {
        let asks = template("{{links.confirm}}{{links.preferences}}");
        let lacks = |trigger: Option<&Trigger>| asks.lacking(&shape_of(&schema(), trigger)).len();
        assert_eq!([None, Some(&Trigger::OrderCreated), Some(&Trigger::ConsentRequested)].map(lacks), [1, 1, 0]);
    }

    #[test]
    fn all_that_is_shown_of_the_shop_is_in_its_shape() {
        let settings = Settings {
            company: Some("Mugs & Co".into()),
            time_zone: Some("Europe/Riga".into()),
            languages: vec!["lv".into(), "en".into()],
            country: Some("LV".into()),
            logo: Some("https://a.example/l.png".into()),
            ..Settings::default()
        };
        let shown = shop("Shop", &settings);
        let expected = json!({"name": "Shop", "company": "Mugs & Co", "language": "lv", "time_zone": "Europe/Riga",
                              "country": "LV", "logo": "https://a.example/l.png"});
        assert_eq!(shown, expected);
        assert_eq!(shop("Shop", &Settings::default()), json!({"name": "Shop", "company": "Shop"}));
    }
}
