//! Where a word of the dictionary is used: what a campaign, a mailing or a template
//! says that would have nothing to go by without it.

use campaigns::{Campaign, Mailing, Sending, Trigger, Whom};
use contracts::{Kind, Problem};
use domain::Code;
use domain::dictionary::{Object, Settings, WordKind};
use serde_json::Value;
use templates::Source;

/// Where a condition has a path: of a field, or of a field of several things.
const PATHS: [&str; 8] = ["field", "distinct", "sum", "average", "min", "max", "first", "last"];

/// How many uses are listed.
const MOST_LISTED: usize = 20;

/// That something is in use, where there is any use.
///
/// # Errors
/// A conflict that says where.
pub(crate) fn refuse_if_used(uses: &[String]) -> Result<(), Problem> {
    if uses.is_empty() {
        return Ok(());
    }
    let more = if uses.len() > MOST_LISTED { ", …" } else { "" };
    let listed = uses.iter().take(MOST_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    Err(Problem::new(Kind::Conflict).because(format!("it is used by {listed}{more}")))
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used<'a> {
    pub(crate) kind: WordKind,
    pub(crate) code: &'a str,
}

impl Used<'_> {
    pub(crate) fn by_campaign(self, campaign: &Campaign) -> bool {
        self.by_sending(&campaign.sending)
            || self.by_trigger(&campaign.trigger)
            || campaign.filter.as_ref().is_some_and(|filter| self.by_condition(filter))
    }

    pub(crate) fn by_mailing(self, mailing: &Mailing) -> bool {
        self.by_sending(&mailing.sending)
            || mailing.audience.as_ref().is_some_and(|audience| self.by_condition(audience))
    }

    pub(crate) fn by_settings(self, settings: &Settings) -> bool {
        settings.caps.iter().any(|cap| self.is_category(cap.category.as_ref()))
    }

    fn by_sending(self, sending: &Sending) -> bool {
        self.is_category(sending.category.as_ref())
    }

    fn is_category(self, code: Option<&Code>) -> bool {
        self.kind == WordKind::MailingCategory && code.is_some_and(|code| code.as_str() == self.code)
    }

    pub(crate) fn by_template(self, template: &Source) -> bool {
        template.block.iter().any(|block| self.by_condition(&block.when)) || self.by_parts(template)
    }

    fn by_parts(self, template: &Source) -> bool {
        let parts = template.contents().flat_map(|(_, content)| content.parts()).map(|(_, source)| source);
        let partials = template.partials.values().map(String::as_str);
        parts.chain(partials).flat_map(tags).any(|tag| {
            let (paths, texts) = taken_apart(tag);
            paths.iter().any(|path| self.by_path(path, &texts))
        })
    }

    fn by_trigger(self, trigger: &Trigger) -> bool {
        match trigger {
            Trigger::OrderStatusChanged { set, from, to } => {
                let named = |code: &Code| format!("{set}.{code}") == self.code;
                self.kind == WordKind::Status && from.iter().chain(to).any(named)
            }
            Trigger::EventReceived { name, .. } => self.kind == WordKind::EventType && name.as_str() == self.code,
            Trigger::ContainerChanged { container, .. }
            | Trigger::ProductChanged { whom: Whom::Holding(container), .. } => {
                self.kind == WordKind::Container && container.as_str() == self.code
            }
            Trigger::OrderCreated
            | Trigger::OrderLinesChanged
            | Trigger::OrderLineStatusChanged { .. }
            | Trigger::ConsentRequested
            | Trigger::SegmentEntered { .. }
            | Trigger::SegmentLeft { .. }
            | Trigger::ProductChanged { whom: Whom::ViewedWithin(_), .. } => false,
        }
    }

    pub(crate) fn by_condition(self, condition: &conditions::Condition) -> bool {
        serde_json::to_value(condition).is_ok_and(|condition| self.by_node(&condition))
    }

    fn by_node(self, node: &Value) -> bool {
        let is_audience = |code: &Value| self.kind == WordKind::Audience && code == self.code;
        match node {
            Value::Array(nodes) => nodes.iter().any(|node| self.by_node(node)),
            Value::Object(node) if node.get("audience").is_some_and(is_audience) => true,
            Value::Object(node) => {
                let path = PATHS.iter().find_map(|key| node.get(*key)?.as_str());
                let is_named = path.is_some_and(|path| {
                    let listed = node.values().flat_map(|value| match value {
                        Value::Array(values) => values.as_slice(),
                        value => std::slice::from_ref(value),
                    });
                    let texts: Vec<&str> = listed.filter_map(Value::as_str).filter(|text| *text != path).collect();
                    self.by_path(&steps(path), &texts)
                });
                is_named || node.values().any(|node| self.by_node(node))
            }
            _ => false,
        }
    }

    /// Whether a path, and the texts that stand beside it, speak of the word.
    fn by_path(self, path: &[&str], texts: &[&str]) -> bool {
        let last = path.last().copied().unwrap_or_default();
        let beside = |code: &str| texts.contains(&code);
        let after = |name: &str| path.windows(2).any(|pair| pair[0] == name && pair[1] == self.code);
        match self.kind {
            WordKind::Field => self.code.split_once('.').is_some_and(|(object, name)| {
                let at = path.iter().position(|step| *step == "fields");
                at.is_some_and(|at| {
                    let named = path.get(at + 1).map_or_else(|| beside(name), |step| *step == name);
                    named && may_be(Object::parse(object), path[..at].last().copied())
                })
            }),
            WordKind::Status => self.code.split_once('.').is_some_and(|(set, code)| {
                let of_order = path.ends_with(&["status", set]);
                let of_change = matches!(path, [.., "change", "from" | "to"]);
                beside(code) && (of_order || of_change || last == "status")
            }),
            WordKind::EventType => matches!(path, [.., "event" | "events" | "change", "name"]) && beside(self.code),
            WordKind::Source => last == "source" && beside(self.code),
            WordKind::Container => {
                let is_code = last == "container" || matches!(path, [.., "container" | "containers", "code"]);
                after("containers") || is_code && beside(self.code)
            }
            WordKind::Audience => after("audiences") || last == "audiences" && beside(self.code),
            WordKind::MailingCategory => after("categories") && path.contains(&"consent"),
            WordKind::Settings => false,
        }
    }
}

/// Whether what is called so in a path can be this object. In a template it may be
/// called anything.
fn may_be(object: Option<Object>, called: Option<&str>) -> bool {
    let certain = match called {
        Some("customer") => Object::Customer,
        Some("order" | "orders") => Object::Order,
        Some("line" | "lines") => Object::OrderLine,
        Some("product" | "products") => Object::Product,
        Some("category" | "categories") => Object::Category,
        _ => return true,
    };
    object == Some(certain)
}

fn steps(path: &str) -> Vec<&str> {
    let step = |step: &&str| !step.is_empty() && !step.bytes().all(|byte| byte.is_ascii_digit());
    path.split(['.', '/', '[', ']']).filter(step).collect()
}

/// What stands between double braces.
fn tags(source: &str) -> impl Iterator<Item = &str> {
    source.split("{{").skip(1).map(|rest| rest.split_once("}}").map_or(rest, |(tag, _)| tag))
}

/// The paths of a tag, each in its steps, and its texts.
fn taken_apart(tag: &str) -> (Vec<Vec<&str>>, Vec<&str>) {
    let (mut paths, mut texts) = (Vec::new(), Vec::new());
    let mut rest = tag;
    while let Some(at) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(at);
        paths.extend(named(before));
        let quote = &quoted[..1];
        let (text, after) = quoted[1..].split_once(quote).unwrap_or((&quoted[1..], ""));
        texts.push(text);
        rest = after;
    }
    paths.extend(named(rest));
    (paths, texts)
}

fn named(words: &str) -> impl Iterator<Item = Vec<&str>> {
    let ends = |c: char| c.is_whitespace() || "(){}=#^&~|>!".contains(c);
    words.split(ends).map(steps).filter(|steps| !steps.is_empty())
}

#[cfg(test)]
mod tests {
    use domain::CampaignId;
    use serde_json::json;
    use templates::Content;

    use super::*;

    fn used(kind: WordKind, code: &str) -> Used<'_> {
        Used { kind, code }
    }

    #[test]
    fn a_campaign_uses_what_its_trigger_and_filter_name() {
        let campaign = |trigger: Value, filter: Value| {
            let steps = json!([{ "send": { "template": "t" } }]);
            let body = json!({ "name": "c", "trigger": trigger, "filter": filter, "steps": steps });
            Campaign::read(CampaignId::parse("c").unwrap(), &body).unwrap()
        };
        let shipped = campaign(
            json!({ "type": "order_status_changed", "set": "delivery", "to": "shipped" }),
            json!({ "all": [{ "field": "customer.fields.tier", "is": "gold" },
                { "not": { "field": "order.status.payment", "in": ["paid", "refunded"] } },
                { "field": "order.source", "is": "app" }, { "field": "order.lines.fields.engraving", "set": true }] }),
        );
        let uses = |kind, code| used(kind, code).by_campaign(&shipped);
        assert!(uses(WordKind::Status, "delivery.shipped") && uses(WordKind::Status, "payment.refunded"));
        assert!(!uses(WordKind::Status, "general.shipped") && !uses(WordKind::Status, "delivery.delivered"));
        assert!(uses(WordKind::Field, "customer.tier") && uses(WordKind::Field, "order_line.engraving"));
        assert!(!uses(WordKind::Field, "order.tier") && !uses(WordKind::Field, "customer.tie"));
        assert!(uses(WordKind::Source, "app") && !uses(WordKind::Container, "app"));
        let counted = campaign(
            json!({ "type": "order_created" }),
            json!({ "all": [{ "sum": "orders.fields.weight", "more_than": 5 },
                { "last": "orders.status.delivery", "is": "at_customs" },
                { "count": "orders", "where": { "field": "order.fields.gift", "is": true },
                    "during": { "since": { "last": "events", "where": { "field": "event.name", "is": "rang" } } } }] }),
        );
        let uses = |kind, code| used(kind, code).by_campaign(&counted);
        assert!(uses(WordKind::Field, "order.weight") && uses(WordKind::Field, "order.gift"));
        assert!(uses(WordKind::Status, "delivery.at_customs") && uses(WordKind::EventType, "rang"));
        assert!(!uses(WordKind::Field, "order.orders") && !uses(WordKind::EventType, "events"));
        let whom = json!({ "holding": "wishlist" });
        let back = campaign(json!({ "type": "product_changed", "what": "back_in_stock", "whom": whom }), Value::Null);
        assert!(used(WordKind::Container, "wishlist").by_campaign(&back));
        assert!(!used(WordKind::Container, "cart").by_campaign(&back));
        let agreed = json!({ "field": "customer.consent.categories.news.state", "is": "granted" });
        let asked = campaign(json!({ "type": "consent_requested" }), agreed);
        assert!(used(WordKind::MailingCategory, "news").by_campaign(&asked));
        assert!(!used(WordKind::MailingCategory, "offers").by_campaign(&asked));
        let event = campaign(json!({ "type": "event_received", "name": "courier_missed" }), Value::Null);
        assert!(used(WordKind::EventType, "courier_missed").by_campaign(&event));
        assert!(!used(WordKind::EventType, "courier").by_campaign(&event));
    }

    #[test]
    fn a_template_uses_what_it_names_however_it_is_written() {
        let uses = |kind, code: &str, html: &str| {
            let template = Source::from(Content::of("s", html));
            used(kind, code).by_template(&template)
        };
        let tier = |html| uses(WordKind::Field, "customer.tier", html);
        assert!(tier("{{customer.fields.tier}}") && tier("{{{ customer.fields.[tier] }}}"));
        assert!(tier("{{#if (eq customer.fields.tier \"gold\")}}x{{/if}}"));
        assert!(tier("{{lookup customer.fields \"tier\"}}") && tier("{{#with customer}}{{fields.tier}}{{/with}}"));
        assert!(!tier("{{order.fields.tier}}") && !tier("{{customer.fields.tiers}}") && !tier("customer.fields.tier"));
        assert!(uses(WordKind::Field, "order_line.a", "{{#each order.lines}}{{this.fields.a}}{{/each}}"));
        let status = "{{#if (eq order.status.delivery 'shipped')}}x{{/if}}";
        assert!(
            uses(WordKind::Status, "delivery.shipped", status) && !uses(WordKind::Status, "payment.shipped", status)
        );
        assert!(uses(WordKind::Container, "wishlist", "{{len customer.containers.wishlist}}"));
    }
}
