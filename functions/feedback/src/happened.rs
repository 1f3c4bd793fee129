//! What a customer did with a mail, and what became of it, as events of theirs.

use domain::message::Origin;
use domain::{Code, Event, EventId, EventKind, Message, sortable};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The longest link that an event holds, in bytes.
const LONGEST_LINK: usize = 2_000;

/// Something that SES tells of a mail and that is an event of the customer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happened {
    /// The event's name.
    pub(crate) name: &'static str,
    /// When.
    pub(crate) at: Timestamp,
    /// The link that was followed.
    pub(crate) link: Option<String>,
}

impl Happened {
    /// The event, of the customer whom the message went to. Told again it has the same id.
    /// `ours` is how our own links begin, each with what opens somebody's page: of these
    /// no more is kept than which of the pages it was.
    pub(crate) fn event(&self, message: &Message, ours: &str) -> anyhow::Result<Event> {
        let link = self.link.as_deref().unwrap_or_default();
        let id = domain::digest(&[self.name, message.id.as_str(), &sortable(self.at), link]);
        let mut context = Map::new();
        context.insert("message".into(), json!(message.id));
        match &message.origin {
            Origin::Campaign { campaign_id, .. } => context.insert("campaign".into(), json!(campaign_id)),
            Origin::Mailing { mailing_id, .. } => context.insert("mailing".into(), json!(mailing_id)),
            Origin::Test { .. } => context.insert("test".into(), json!(true)),
        };
        context.insert("template".into(), json!(message.template_id));
        if let Some(category) = &message.terms.category {
            context.insert("category".into(), json!(category));
        }
        if self.link.is_some() {
            let link = match link.strip_prefix(ours) {
                Some(path) => format!("{ours}{}/", path.split(['/', '?', '#']).next().unwrap_or_default()),
                None => shortened(link).to_owned(),
            };
            context.insert("link".into(), Value::String(link));
        }
        Ok(Event {
            id: EventId::parse(&id)?,
            customer_id: Some(message.customer_id.clone()),
            name: Code::parse(self.name)?,
            kind: EventKind::Event,
            at: self.at,
            source: None,
            session_id: None,
            context,
        })
    }
}

fn shortened(link: &str) -> &str {
    let mut end = link.len().min(LONGEST_LINK);
    while !link.is_char_boundary(end) {
        end -= 1;
    }
    &link[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let body = json!({
            "id": "m-1", "customer_id": "ada", "origin": { "type": "mailing", "mailing_id": "news", "version": 1 },
            "purpose": "marketing", "template_id": "t", "template_version": 1, "created_at": "2026-11-23T10:00:00Z",
            "terms": { "category": "offers" },
        });
        serde_json::from_value(body).unwrap()
    }

    fn clicked(link: &str) -> Event {
        let at = "2026-11-23T11:00:00Z".parse().unwrap();
        let happened = Happened { name: "message_clicked", at, link: Some(link.to_owned()) };
        happened.event(&message(), "https://api.example/").unwrap()
    }

    #[test]
    fn what_is_told_again_is_the_same_event_and_another_link_is_another() {
        let event = clicked("https://shop.example/mugs");
        assert_eq!(event, clicked("https://shop.example/mugs"));
        assert_ne!(event.id, clicked("https://shop.example/cups").id);
        let context = json!({
            "message": "m-1", "mailing": "news", "template": "t", "category": "offers",
            "link": "https://shop.example/mugs",
        });
        assert_eq!(json!(event.context), context);
    }

    #[test]
    fn what_opens_somebodys_page_is_not_kept() {
        for page in ["u", "p", "c", "v"] {
            let kept = format!("https://api.example/{page}/");
            assert_eq!(clicked(&format!("{kept}TOKEN")).context["link"], json!(kept));
        }
    }

    #[test]
    fn a_link_of_any_length_and_script_is_kept_as_far_as_it_fits() {
        let link = format!("https://shop.example/{}", "ü".repeat(2_000));
        let kept = clicked(&link).context["link"].as_str().unwrap().to_owned();
        assert!(kept.len() <= LONGEST_LINK && link.starts_with(&kept), "{}", kept.len());
    }
}
