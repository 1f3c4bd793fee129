use conditions::{Condition, Root, Scope};
use domain::message::Purpose;
use domain::read::{self, Faults, Reader};
use domain::{CampaignId, Code, ContainerChange, EventKind, Fault, ProductNews, StatusSet, TemplateId};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::{Campaign, Sending, Status, Step, Trigger, Whom};

/// The most steps that a campaign may have.
const MAX_STEPS: usize = 50;

/// How long ago somebody may have viewed a product whom it still concerns.
const LONGEST_AGO: SignedDuration = SignedDuration::from_hours(60 * 24);

impl Campaign {
    /// Reads a definition as it came over the API.
    ///
    /// A campaign about an order is transactional unless it says otherwise, as
    /// the order's own mail needs nobody's consent; every other is marketing.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(id: CampaignId, body: &Value) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let name = reader.required("name", read::short);
        let status = reader.optional("status", status).unwrap_or(Status::Active);
        let trigger = reader.nested("trigger", trigger);
        if body.is_object() && body.get("trigger").is_none_or(Value::is_null) {
            reader.fault("trigger", "is required");
        }
        let about_an_order = trigger.as_ref().is_some_and(Trigger::is_about_an_order);
        // Who is asked whether they agree has not agreed yet.
        let needs_none = about_an_order || trigger == Some(Trigger::ConsentRequested);
        let purpose = reader.optional("purpose", purpose).unwrap_or(if needs_none {
            Purpose::Transactional
        } else {
            Purpose::Marketing
        });
        let roots: &[Root] = match &trigger {
            Some(trigger) if trigger.is_about_an_order() => &[Root::Customer, Root::Order, Root::Change],
            Some(trigger) if trigger.whom().is_some() => &[Root::Customer, Root::Product, Root::Change],
            Some(trigger) if trigger.segment().is_some() || *trigger == Trigger::ConsentRequested => {
                &[Root::Customer, Root::Change]
            }
            Some(_) => &[Root::Customer, Root::Event, Root::Change],
            // What it is about is not known, so nothing can be said against it.
            None => Root::SINGLE,
        };
        let filter = condition(&mut reader, "filter", roots);
        ignore_words(&mut reader, "filter_in_words");
        let sending = reader.nested("sending", Sending::read).unwrap_or_default();
        let steps = reader.list("steps", MAX_STEPS, step);
        if sends_nothing(body) {
            reader.fault("steps", "must hold at least one step that sends");
        }
        reader.finish()?;
        match (name, trigger) {
            (Some(name), Some(trigger)) => Ok(Self { id, name, status, purpose, sending, trigger, filter, steps }),
            _ => Err(vec![Fault::new("", "could not be read")]),
        }
    }

    /// The definition as it goes out over the API, with its filter in plain English too.
    #[must_use]
    pub fn show(&self) -> Value {
        let mut shown = self.definition();
        put_words(&mut shown, "filter_in_words", self.filter.as_ref());
        shown
    }

    /// What was defined, and nothing that is made of it.
    #[must_use]
    pub fn definition(&self) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| match step {
                Step::Wait(length) => serde_json::json!({ "wait": length.to_string() }),
                Step::Send { template } => serde_json::json!({ "send": { "template": template } }),
            })
            .collect();
        let mut shown = Map::new();
        shown.insert("id".into(), serde_json::json!(self.id));
        shown.insert("name".into(), serde_json::json!(self.name));
        shown.insert("status".into(), serde_json::json!(self.status));
        shown.insert("purpose".into(), serde_json::json!(self.purpose));
        shown.insert("trigger".into(), serde_json::json!(self.trigger));
        if let Some(filter) = &self.filter {
            shown.insert("filter".into(), serde_json::json!(filter));
        }
        domain::read::put(&mut shown, "sending", self.sending.show());
        shown.insert("steps".into(), Value::Array(steps));
        Value::Object(shown)
    }
}

/// An optional condition over these roots, and all that the customer did and has.
pub fn condition(reader: &mut Reader<'_>, key: &'static str, roots: &[Root]) -> Option<Condition> {
    let value = reader.raw(key)?;
    Condition::parse(value, &Scope::with_history(roots))
        .map_err(|faults| {
            let place = reader.place(key);
            reader
                .faults(faults.into_iter().map(|fault| Fault::new(format!("{place}{}", fault.pointer), fault.message)));
        })
        .ok()
}

/// Takes what a condition says in plain English, and forgets it: whoever edits what was shown
/// may send it back, and the words are made anew.
pub fn ignore_words(reader: &mut Reader<'_>, key: &'static str) {
    reader.optional(key, |value| if value.is_string() { Ok(()) } else { Err("must be text, and says nothing") });
}

/// A condition in plain English, if there is one.
pub(crate) fn put_words(shown: &mut Value, key: &str, condition: Option<&Condition>) {
    if let Some(condition) = condition {
        shown[key] = Value::String(condition.to_string());
    }
}

/// Whether the steps are well and good, but none sends. What is no list, or too
/// long a one, is a fault of its own.
fn sends_nothing(body: &Value) -> bool {
    match body.get("steps") {
        None | Some(Value::Null) => body.is_object(),
        Some(Value::Array(steps)) => steps.len() <= MAX_STEPS && !steps.iter().any(|step| step.get("send").is_some()),
        Some(_) => false,
    }
}

fn status(value: &Value) -> Result<Status, &'static str> {
    match value.as_str() {
        Some("draft") => Ok(Status::Draft),
        Some("active") => Ok(Status::Active),
        Some("paused") => Ok(Status::Paused),
        _ => Err("must be \"draft\", \"active\" or \"paused\""),
    }
}

fn purpose(value: &Value) -> Result<Purpose, &'static str> {
    match value.as_str() {
        Some("transactional") => Ok(Purpose::Transactional),
        Some("marketing") => Ok(Purpose::Marketing),
        _ => Err("must be \"transactional\" or \"marketing\""),
    }
}

fn trigger(mut reader: Reader<'_>) -> Result<Trigger, Faults> {
    let kind = reader.required("type", read::short);
    let trigger = match kind.as_deref() {
        Some("order_created") => Some(Trigger::OrderCreated),
        Some("order_lines_changed") => Some(Trigger::OrderLinesChanged),
        Some("order_status_changed") => {
            let set = reader.required(
                "set",
                read::parsed(|text| StatusSet::parse(text).ok_or("must be \"general\", \"delivery\" or \"payment\"")),
            );
            let from = reader.optional("from", read::parsed(Code::parse));
            let to = reader.optional("to", read::parsed(Code::parse));
            set.map(|set| Trigger::OrderStatusChanged { set, from, to })
        }
        Some("order_line_status_changed") => {
            let from = reader.optional("from", read::parsed(Code::parse));
            let to = reader.optional("to", read::parsed(Code::parse));
            Some(Trigger::OrderLineStatusChanged { from, to })
        }
        Some("container_changed") => {
            let container = reader.required("container", read::parsed(Code::parse));
            let what = reader.optional("what", read::parsed(ContainerChange::parse));
            container.map(|container| Trigger::ContainerChanged { container, what })
        }
        Some("event_received") => {
            let name = reader.required("name", read::parsed(Code::parse));
            let kind = reader.optional("kind", read::parsed(EventKind::parse));
            name.map(|name| Trigger::EventReceived { name, kind })
        }
        Some(kind @ ("segment_entered" | "segment_left")) => {
            let segment = reader.required("segment", read::parsed(Code::parse));
            segment.map(|segment| match kind {
                "segment_entered" => Trigger::SegmentEntered { segment },
                _ => Trigger::SegmentLeft { segment },
            })
        }
        Some("consent_requested") => Some(Trigger::ConsentRequested),
        Some("product_changed") => {
            let what = reader.required("what", read::parsed(ProductNews::parse));
            let whom = reader.nested("whom", whom);
            if reader.raw("whom").is_none() {
                reader.fault("whom", "is required");
            }
            what.zip(whom).map(|(what, whom)| Trigger::ProductChanged { what, whom })
        }
        Some(_) => {
            reader.fault(
                "type",
                "must be \"order_created\", \"order_status_changed\", \"order_line_status_changed\", \
                 \"order_lines_changed\", \"container_changed\", \"event_received\", \"product_changed\", \
                 \"segment_entered\", \"segment_left\" or \"consent_requested\"",
            );
            None
        }
        None => None,
    };
    reader.finish()?;
    trigger.ok_or_else(Vec::new)
}

fn whom(mut reader: Reader<'_>) -> Result<Whom, Faults> {
    let within = reader.optional("viewed_within", |value| match read::duration(value) {
        Ok(length) if length <= LONGEST_AGO => Ok(length),
        _ => Err("must be a length of time (ISO 8601) of at most 60 days, such as \"P14D\""),
    });
    let holding = reader.optional("holding", read::parsed(Code::parse));
    let given = [reader.raw("viewed_within"), reader.raw("holding")].into_iter().flatten().count();
    let place = reader.place("");
    reader.finish()?;
    match (within, holding) {
        (Some(within), None) => Ok(Whom::ViewedWithin(within)),
        (None, Some(container)) => Ok(Whom::Holding(container)),
        _ if given != 1 => Err(vec![Fault::new(
            place.trim_end_matches('/'),
            "must be either {\"viewed_within\": \"P14D\"} or {\"holding\": \"wishlist\"}",
        )]),
        _ => Err(Vec::new()),
    }
}

fn step(mut reader: Reader<'_>) -> Result<Step, Faults> {
    let wait = reader.optional("wait", read::duration);
    let send = reader.nested("send", |mut reader| {
        let template = reader.required("template", read::parsed(TemplateId::parse));
        reader.finish()?;
        template.ok_or_else(Vec::new)
    });
    let both = reader.raw("wait").is_some() && reader.raw("send").is_some();
    let neither = reader.raw("wait").is_none() && reader.raw("send").is_none();
    let place = reader.place("");
    reader.finish()?;
    match (wait, send) {
        (Some(length), None) if !both => Ok(Step::Wait(length)),
        (None, Some(template)) if !both => Ok(Step::Send { template }),
        _ if both || neither => Err(vec![Fault::new(
            place.trim_end_matches('/'),
            "must be either {\"wait\": \"PT2H\"} or {\"send\": {\"template\": \"…\"}}",
        )]),
        _ => Err(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &Value) -> Result<Campaign, Vec<String>> {
        Campaign::read(CampaignId::parse("c").unwrap(), body)
            .map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn a_definition_reads_as_it_is_shown() {
        let body = json!({
            "id": "c", "name": "Shipped", "status": "active", "purpose": "transactional",
            "trigger": {"type": "order_status_changed", "set": "delivery", "to": "shipped"},
            "filter": {"field": "customer.city", "is": "Riga"},
            "steps": [{"wait": "PT2H"}, {"send": {"template": "shipped"}}],
        });
        let mut without_id = body.clone();
        without_id.as_object_mut().unwrap().remove("id");
        let campaign = read(&without_id).unwrap();
        assert_eq!(campaign.definition(), body);
        let mut shown = body;
        shown["filter_in_words"] = json!("customer city is Riga");
        assert_eq!(campaign.show(), shown);
    }

    #[test]
    fn words_that_come_back_say_nothing_and_the_filter_does() {
        let mut body = json!({
            "name": "c", "trigger": {"type": "order_created"}, "steps": [{"send": {"template": "t"}}],
            "filter": {"count": "orders", "at_least": 3}, "filter_in_words": "customer city is Riga",
        });
        assert_eq!(read(&body).unwrap().show()["filter_in_words"], "the number of orders is at least 3");
        body.as_object_mut().unwrap().remove("filter");
        assert_eq!(read(&body).unwrap().show().get("filter_in_words"), None);

        let body = json!({
            "name": "m", "template": "t", "audience": {"audience": "vip"}, "audience_in_words": "everybody",
        });
        let mailing =
            crate::Mailing::read(domain::MailingId::parse("m").unwrap(), &body, jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(mailing.show()["audience_in_words"], "the customer is in the audience vip");
        assert_eq!(mailing.definition().get("audience_in_words"), None);
    }

    #[test]
    fn whom_a_product_concerns_reads_as_it_is_shown() {
        let read_trigger = |whom: &Value| {
            let trigger = json!({"type": "product_changed", "what": "price_dropped", "whom": whom});
            let filter = json!({"field": "product.price", "at_most": 20});
            read(&json!({"name": "c", "trigger": trigger, "filter": filter, "steps": [{"send": {"template": "t"}}]}))
        };
        for (whom, shown) in [
            (json!({"viewed_within": "P14D"}), json!({"viewed_within": "PT336H"})),
            (json!({"holding": "wishlist"}), json!({"holding": "wishlist"})),
        ] {
            let campaign = read_trigger(&whom).unwrap();
            assert_eq!(campaign.show()["trigger"]["whom"], shown);
            assert_eq!(campaign.purpose, Purpose::Marketing);
            let kept: Trigger = serde_json::from_value(json!(campaign.trigger)).unwrap();
            assert_eq!(kept, campaign.trigger);
        }
        for (whom, place) in [
            (json!({}), "/trigger/whom"),
            (json!({"viewed_within": "P1D", "holding": "cart"}), "/trigger/whom"),
            (json!({"viewed_within": "P61D"}), "/trigger/whom/viewed_within"),
            (json!({"holding": 7}), "/trigger/whom/holding"),
            (json!("ada"), "/trigger/whom"),
            (Value::Null, "/trigger/whom"),
        ] {
            assert_eq!(read_trigger(&whom).unwrap_err(), [place], "{whom}");
        }
    }

    #[test]
    fn every_fault_of_a_definition_is_named_by_its_place() {
        let check = |body: Value, places: &[&str]| assert_eq!(read(&body).unwrap_err(), places, "{body}");
        let send = json!({"send": {"template": "t"}});
        check(json!({"name": "x", "steps": [send]}), &["/trigger"]);
        check(json!({"name": "x", "trigger": {"type": "moon"}, "steps": [send]}), &["/trigger/type"]);
        check(json!({"name": "x", "trigger": {"type": "order_created"}, "steps": []}), &["/steps"]);
        check(json!([]), &[""]);
        check(json!({"name": "x", "trigger": {"type": "order_created"}, "steps": vec![send.clone(); 51]}), &["/steps"]);
        check(
            json!({"name": "x", "trigger": {"type": "order_created"}, "steps": [{"wait": "soon"}, send]}),
            &["/steps/0/wait"],
        );
        check(json!({"name": "x", "trigger": {"type": "order_created"}, "steps": [{}, send]}), &["/steps/0"]);
        check(
            json!({"name": "x", "trigger": {"type": "event_received"}, "steps": [send], "colour": 1}),
            &["/trigger/name", "/colour"],
        );
        check(
            json!({"name": "x", "trigger": {"type": "order_created"}, "filter": {"field": "event.x", "is": 1}, "steps": [send]}),
            &["/filter/field"],
        );
    }
}
