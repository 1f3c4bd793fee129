//! The shop as a run finds it: its template, settings, customers and promo codes.

use domain::dictionary::WordKind;
use domain::{Customer, CustomerId, MessageId, PromoCode, PromoGroup, PromoGroupId, PromoPattern};
use jiff::Timestamp;
use jiff::civil::Time;
use serde_json::{Value, json};
use store::{Customers, Definitions, Kind};

use crate::plan::{CAP, CUSTOMERS, Codes, NOT_FOR, Plan, ZONE};

/// The group that the promo codes are of.
pub(crate) const GROUP: &str = "ten";

/// How they are made, where they are.
const PATTERN: &str = "MADE-????-####";

pub(crate) fn group() -> PromoGroupId {
    PromoGroupId::parse(GROUP).unwrap()
}

/// The codes that are uploaded.
pub(crate) fn uploaded(count: usize) -> Vec<PromoCode> {
    (0..count).map(|number| PromoCode::parse(&format!("UP-{number}")).unwrap()).collect()
}

/// Sets the shop up for a plan.
pub(crate) async fn open(definitions: &Definitions, customers: &Customers, plan: &Plan, now: Timestamp) {
    let template = template(plan);
    definitions.save(Kind::Template, "plain", &template, now, |_| Ok(Vec::new())).await.unwrap();
    let settings = contracts::dictionary::read(WordKind::Settings, "", &settings(plan), None).unwrap();
    definitions.save(Kind::Word, &settings.id(), &settings, now, |_| Ok(Vec::new())).await.unwrap();
    save_codes(definitions, plan, now).await;
    for person in CUSTOMERS {
        let consent = if person.id == "denied" { "denied" } else { "granted" };
        let body = json!({
            "email": format!("{}@example.com", person.id), "consent": { "email": consent },
            "country": person.country, "time_zone": person.time_zone,
        });
        let id = CustomerId::parse(person.id).unwrap();
        let update = contracts::customer::read(id, &body, true, now).unwrap();
        let customer = Customer::merge(None, update, now).unwrap().unwrap();
        customers.put_profile(&customer, None, now).await.unwrap();
    }
}

/// A mail that names its promo code, if it has one, wherever a mail can.
fn template(plan: &Plan) -> Value {
    let code = if plan.codes == Codes::None { "" } else { "[{{promo_code \"ten\"}}]" };
    let mut template =
        json!({ "subject": format!("Hello {code}"), "html": format!("<p>{{{{customer.id}}}} {code}</p>") });
    if plan.blocks {
        let when = json!({ "field": "customer.country", "is": NOT_FOR });
        template["block"] = json!([{ "when": when, "reason": "not there" }]);
    }
    template
}

fn settings(plan: &Plan) -> Value {
    let mut settings = json!({ "time_zone": ZONE });
    if plan.capped {
        settings["caps"] = json!([{ "most": CAP.0, "per": CAP.1.to_string() }]);
    }
    if let Some((from, to)) = plan.quiet {
        let shown = |time: Time| time.strftime("%H:%M").to_string();
        settings["quiet_hours"] = json!({ "from": shown(from), "to": shown(to) });
    }
    settings
}

async fn save_codes(definitions: &Definitions, plan: &Plan, now: Timestamp) {
    let (group, pattern) = (group(), PromoPattern::parse(PATTERN).unwrap());
    let save = async |pattern: Option<PromoPattern>| {
        let known = PromoGroup { name: GROUP.to_owned(), pattern };
        definitions.save_promo_group(&group, &known, now).await.unwrap();
    };
    match plan.codes {
        Codes::None => {}
        Codes::Uploaded(count, _) => {
            save(None).await;
            assert_eq!(definitions.add_codes(&group, uploaded(count), now).await.unwrap(), count);
        }
        Codes::Made => {
            save(Some(pattern.clone())).await;
            let secret = definitions.link_secret(now).await.unwrap();
            for planned in plan.messages.iter().filter(|planned| planned.is_outrun) {
                let id = &planned.message.id;
                let code = pattern.code(contracts::promo::number(&secret, &group, id, 0));
                let other = MessageId::parse(&format!("{id}-other")).unwrap();
                definitions.give_made_code(&group, &other, |_| code.clone(), now).await.unwrap();
            }
        }
    }
}
