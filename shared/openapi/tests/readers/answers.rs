//! What the program shows is what the document says it shows.

use campaigns::{Campaign, Mailing};
use contracts::{container, customer, dictionary, event, import, order, product, promo};
use domain::dictionary::{Dictionary, WordKind};
use domain::{
    CampaignId, CategoryId, Code, Container, Customer, CustomerId, Item, MailingId, Order, OrderId, Product, ProductId,
};
use feeds::import::{Import, Origin};
use feeds::{Format, RowFault};
use serde_json::{Value, json};

use super::schema::misfits;
use super::{NOW, document, of};

fn fits(name: &str, shown: &Value) {
    let document = document();
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "{name}");
    assert_eq!(misfits(&document, schema, shown, ""), Vec::<String>::new(), "{name}: {shown}");
}

fn example(name: &str) -> Value {
    of(&document(), name).1.swap_remove(0)
}

#[test]
fn orders_customers_and_events_are_shown_as_documented() {
    let update = order::read(OrderId::parse("o").unwrap(), &example("Order"), true, NOW).unwrap();
    let known = Order::merge(None, update, NOW).unwrap().unwrap();
    let mut shown = order::show(&known);
    shown["status_history"] = order::show_history(&known);
    fits("OrderShown", &shown);

    for contact in ["ada@example.com", "no address"] {
        let mut body = example("Customer");
        body["email"] = contact.into();
        let update = customer::read(CustomerId::parse("ada").unwrap(), &body, true, NOW).unwrap();
        fits("CustomerShown", &customer::show(&Customer::merge(None, update, NOW).unwrap().unwrap()));
    }
    fits("CustomerShown", &customer::show(&Customer::unknown(CustomerId::parse("ada").unwrap())));
    fits("EventShown", &event::show(&event::read(&example("Event"), NOW).unwrap().event));
}

#[test]
fn what_customers_hold_and_what_there_is_are_shown_as_documented() {
    let (owner, cart) = (CustomerId::parse("ada").unwrap(), Code::parse("cart").unwrap());
    let operation = container::read(owner, cart.clone(), &example("ContainerOperation"), NOW).unwrap();
    let item = Item::after(None, &operation, &operation.items[0], None).unwrap();
    let shown = container::show(&cart, &Container::default(), &[item]);
    assert!(shown["items"][0].is_object());
    fits("ContainerShown", &shown);

    let update = product::read(ProductId::parse("p").unwrap(), &example("Product"), true, NOW).unwrap();
    let known = Product::merge(None, update, NOW).unwrap().unwrap();
    let mut shown = product::show(&known);
    shown["changes"] = product::show_changes(&known);
    fits("ProductShown", &shown);
    let update = product::read_category(CategoryId::parse("c").unwrap(), &example("Category"), true, NOW).unwrap();
    fits("CategoryShown", &product::show_category(&domain::Category::merge(None, update, NOW).unwrap().unwrap()));
}

#[test]
fn an_import_is_shown_as_documented() {
    let origin = Origin::Url("https://shop.example/feed.xml".into());
    let mut import = Import::new("i".into(), origin, Format::Yml, None, NOW);
    fits("ProductImportShown", &import::show(&import));
    import.reason = Some("it broke off".into());
    import.ended_at = Some(NOW);
    import.fault(RowFault {
        line: 2,
        id: Some("a".into()),
        column: Some("price".into()),
        detail: "is no price".into(),
    });
    fits("ProductImportShown", &import::show(&import));
}

#[test]
fn definitions_and_words_are_shown_as_documented() {
    let versioned = |mut shown: Value| {
        shown["version"] = 1.into();
        shown
    };
    let campaign = Campaign::read(CampaignId::parse("c").unwrap(), &example("Campaign")).unwrap();
    fits("CampaignShown", &versioned(campaign.show()));
    let mailing = Mailing::read(MailingId::parse("m").unwrap(), &example("Mailing"), NOW).unwrap();
    let mut shown = versioned(mailing.show());
    shown["progress"] = campaigns::MailingProgress::scheduled(1).show();
    fits("MailingShown", &shown);

    let mut shown = versioned(promo::show(&promo::read(&example("PromoCodeGroup")).unwrap()));
    shown["id"] = "summer".into();
    fits("PromoCodeGroupShown", &shown);

    let told = [
        (WordKind::Field, "customer.tier", "Field", "FieldShown"),
        (WordKind::Status, "delivery.at_customs", "Status", "StatusShown"),
        (WordKind::EventType, "courier_missed", "EventType", "EventTypeShown"),
        (WordKind::Source, "app", "Source", "SourceShown"),
        (WordKind::Container, "wishlist", "ContainerDefinition", "ContainerDefinitionShown"),
        (WordKind::Audience, "vip", "Audience", "AudienceShown"),
        (WordKind::MailingCategory, "offers", "MailingCategory", "MailingCategoryShown"),
        (WordKind::Settings, "shop", "Settings", "SettingsShown"),
    ];
    let defaults = Dictionary::default();
    for (kind, code, taken, given) in told {
        let word = dictionary::read(kind, code, &example(taken), None).unwrap();
        fits(given, &versioned(dictionary::show(&word)));
        defaults.of(kind).for_each(|word| fits(given, &dictionary::show(word)));
    }
    fits("EventTypeShown", &domain::dictionary::SeenEvent::default().show("courier_missed"));
}

#[test]
fn problems_are_shown_as_documented() {
    for kind in contracts::Kind::ALL {
        fits("Problem", &json!(contracts::Problem::new(kind).because("so")));
    }
    fits("Problem", &json!(contracts::Problem::invalid(vec![domain::Fault::new("/a", "is required")])));
}
