//! What a mail is filled with: the data itself is made in `composer`.

use campaigns::Trigger;
use conditions::{Entry, Root, Schema};
use domain::dictionary::Settings;
use serde_json::{Map, Value, json};
use templates::Shape;

/// What a template may name in a shop of this schema, whatever its message is about. Some
/// of it is there for some triggers only.
#[must_use]
pub fn shape(schema: &Schema) -> Shape {
    let roots = [Root::Customer, Root::Order, Root::Event, Root::Product, Root::Change];
    of_roots(schema, &roots)
}

/// What there may be in a message that this trigger sets off; in one of a mailing, if none.
#[must_use]
pub fn shape_of(schema: &Schema, trigger: Option<&Trigger>) -> Shape {
    of_roots(schema, &roots_of(trigger))
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

fn of_roots(schema: &Schema, roots: &[Root]) -> Shape {
    let mut shape = Shape::of([
        ("shop", Shape::of(SHOP.map(|name| (name, Shape::Value)))),
        ("links", Shape::of(["unsubscribe", "preferences", "view", "confirm"].map(|name| (name, Shape::Value)))),
        ("now", Shape::Value),
    ]);
    for root in roots {
        shape.put(root.name(), of_root(schema, *root));
    }
    shape.put("orders", Shape::List(Box::new(of_root(schema, Root::Order))));
    shape.put("last_order", of_root(schema, Root::Order));
    let mut container = of_root(schema, Root::Container);
    container.put("items", Shape::List(Box::new(with_product(schema, of_root(schema, Root::Item)))));
    shape.put("containers", Shape::Names(Box::new(container)));
    shape
}

fn of_root(schema: &Schema, root: Root) -> Shape {
    let mut of_root = Shape::of([]);
    let is_of_lines = |path: &str| root == Root::Order && (path == "lines" || path.starts_with("lines."));
    let own = schema.entries(root).into_iter().filter(|(path, _)| !is_of_lines(path));
    own.for_each(|(path, entry)| of_root.put(&path, of_entry(entry)));
    match root {
        Root::Order => {
            let line = with_product(schema, of_root_alone(schema, Root::Line));
            of_root.put("lines", Shape::List(Box::new(line)));
        }
        Root::Event => {
            of_root = with_product(schema, of_root);
            of_root.put("products", Shape::List(Box::new(of_root_alone(schema, Root::Product))));
        }
        _ => {}
    }
    of_root
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
const SHOP: [&str; 6] = ["name", "language", "time_zone", "currency", "country", "logo"];

/// The shop, as a template sees it.
pub(crate) fn shop(name: &str, settings: &Settings) -> Value {
    let values = [
        json!(name),
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
    use conditions::{Known, Type};
    use domain::Code;
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
        schema.field(Root::Change, "type", value());
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
                    {{#each order.lines}}{{name}}{{fields.size}}{{/each}}{{product.id}}{{change.type}}";
        assert_eq!(template(fits).misfits(&shape), []);
        for (html, near) in [
            ("{{customer.fields.tier}}", "there is no customer.fields.tier"),
            ("{{order.stauts.delivery}}", "order.status"),
            ("{{#each order.lines}}{{fields.seize}}{{/each}}", "order.lines[].fields.size"),
            ("{{order.lines.name}}", "{{#each order.lines}}"),
            ("{{company.name}}", "there is no company"),
        ] {
            let problems = template(html).misfits(&shape);
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
    fn all_that_is_shown_of_the_shop_is_in_its_shape() {
        let settings = Settings {
            time_zone: Some("Europe/Riga".into()),
            languages: vec!["lv".into(), "en".into()],
            country: Some("LV".into()),
            logo: Some("https://a.example/l.png".into()),
            ..Settings::default()
        };
        let shown = shop("Shop", &settings);
        let expected = json!({"name": "Shop", "language": "lv", "time_zone": "Europe/Riga", "country": "LV",
                              "logo": "https://a.example/l.png"});
        assert_eq!(shown, expected);
        assert_eq!(shop("Shop", &Settings::default()), json!({"name": "Shop"}));
    }
}
