//! What a mail would be, before it is sent to anybody.

use contracts::{Kind, Problem};
use domain::message::{Origin, Purpose, Terms};
use domain::read::{self, Reader};
use domain::{
    CampaignId, Change, CustomerId, EventId, Fault, MailingId, Message, OrderId, ProductId, ProductNews, RunId,
    TemplateId,
};
use jiff::Timestamp;
use lambda::http::{Failure, Request, Response};
use mail::{Missing, Preview};
use serde_json::{Map, Value, json};
use store::{Kind as Defined, Wanted};
use templates::{Source, Template};

use crate::templates::{compiled, read_source};
use crate::{Manage, not_found};

/// From how many bytes of HTML on Gmail shows only the beginning of a mail.
const CLIPPED: usize = 102 * 1024;

/// Whom and what a preview is about.
#[derive(Debug, Default)]
struct Asked {
    customer_id: Option<CustomerId>,
    order_id: Option<OrderId>,
    event_id: Option<EventId>,
    product_id: Option<ProductId>,
    /// What takes the place of what there is.
    data: Map<String, Value>,
    /// The version of the template; the one in force, if none.
    version: Option<u64>,
}

impl Manage {
    /// Of a template that need not be saved.
    pub(crate) async fn preview_draft(&self, request: &Request) -> Result<Response, Failure> {
        let body = request.json()?;
        let asked = read_asked(&body, true)?;
        let source = body.get("template").unwrap_or(&Value::Null);
        let within = |fault: Fault| Fault::new(format!("/template{}", fault.pointer), fault.detail);
        let source = read_source(source).map_err(|faults| faults.into_iter().map(within).collect::<Vec<_>>())?;
        let partials = if source.names_partials() { self.partials().await? } else { Vec::new() };
        let partials = partials.into_iter().map(|(code, partial)| (code, partial.value.source)).collect();
        let template = compiled(&source.with_partials(&partials))
            .map_err(|faults| faults.into_iter().map(within).collect::<Vec<_>>())?;
        self.shown_preview(&template, asked).await
    }

    /// Of a template that is saved, in any of its versions.
    pub(crate) async fn preview_template(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let asked = read_asked(&request.json()?, false)?;
        let source = match asked.version {
            Some(version) => self.definitions.version::<Source>(Defined::Template, id.as_str(), version).await?,
            None => {
                let known = self.definitions.get::<Source>(Defined::Template, id.as_str()).await?;
                known.map(|known| known.value)
            }
        };
        let template = compiled(&source.ok_or_else(|| not_found("template"))?)?;
        self.shown_preview(&template, asked).await
    }

    async fn shown_preview(&self, template: &Template, asked: Asked) -> Result<Response, Failure> {
        let now = self.clock.now();
        let whose = asked.customer_id.is_some();
        let message = self.would_be(&asked, now).await?;
        let preview = self.composer.preview(template, &message, whose, asked.data, now).await?;
        Ok(Response::json(200, &show(&preview)))
    }

    /// The message that would be sent; it is written nowhere.
    async fn would_be(&self, asked: &Asked, now: Timestamp) -> Result<Message, Failure> {
        let nobody = CustomerId::parse("nobody").map_err(anyhow::Error::from)?;
        let customer_id = asked.customer_id.clone().unwrap_or(nobody);
        let change = match asked {
            Asked { order_id: Some(order_id), .. } => Some(Change::OrderCreated { order_id: order_id.clone() }),
            Asked { event_id: Some(event_id), .. } => Some(self.received(&customer_id, event_id).await?),
            Asked { product_id: Some(product_id), .. } => Some(Change::ProductChanged {
                product_id: product_id.clone(),
                what: ProductNews::PriceChanged,
                from: None,
                to: None,
                at: now,
            }),
            _ => None,
        };
        let run_id = RunId::parse("preview").map_err(anyhow::Error::from)?;
        let origin = match change {
            Some(change) => Origin::Campaign {
                campaign_id: CampaignId::parse("preview").map_err(anyhow::Error::from)?,
                version: 0,
                run_id: run_id.clone(),
                step: 0,
                change,
                caused_at: now,
            },
            None => {
                Origin::Mailing { mailing_id: MailingId::parse("preview").map_err(anyhow::Error::from)?, version: 0 }
            }
        };
        Ok(Message {
            // No such message is in the ledger, so its links lead nowhere.
            id: Message::id_of_step(&run_id, 0),
            customer_id,
            origin,
            purpose: Purpose::Marketing,
            terms: Terms::default(),
            template_id: TemplateId::parse("preview").map_err(anyhow::Error::from)?,
            template_version: 0,
            created_at: now,
        })
    }

    async fn received(&self, customer_id: &CustomerId, event_id: &EventId) -> Result<Change, Failure> {
        let wanted = Wanted { events: vec![event_id.clone()], ..Wanted::default() };
        let loaded = self.customers.load(customer_id, &wanted).await?;
        match loaded.events.first() {
            Some(event) => {
                let (name, kind) = (event.name.clone(), event.kind);
                Ok(Change::EventReceived { event_id: event_id.clone(), name, kind })
            }
            None => Err(Problem::new(Kind::NotFound).because("the customer has no such event").into()),
        }
    }
}

fn read_asked(body: &Value, with_template: bool) -> Result<Asked, Vec<Fault>> {
    let mut reader = Reader::new(body);
    if with_template {
        reader.required("template", |value| if value.is_object() { Ok(()) } else { Err("must be a JSON object") });
    }
    let asked = Asked {
        customer_id: reader.optional("customer_id", read::parsed(CustomerId::parse)),
        order_id: reader.optional("order_id", read::parsed(OrderId::parse)),
        event_id: reader.optional("event_id", read::parsed(EventId::parse)),
        product_id: reader.optional("product_id", read::parsed(ProductId::parse)),
        data: reader
            .optional("data", |value| value.as_object().cloned().ok_or("must be a JSON object"))
            .unwrap_or_default(),
        version: if with_template {
            None
        } else {
            reader.optional("version", |value| value.as_u64().ok_or("must be a version's number"))
        },
    };
    let about = [asked.order_id.is_some(), asked.event_id.is_some(), asked.product_id.is_some()];
    let about = about.into_iter().filter(|given| *given).count();
    if about > 1 {
        reader.fault("", "may name one of order_id, event_id and product_id");
    }
    if about == 1 && asked.customer_id.is_none() {
        reader.fault("customer_id", "is required where an order, event or product is named");
    }
    reader.finish()?;
    Ok(asked)
}

fn show(preview: &Preview) -> Value {
    let mut shown = Map::new();
    if let Ok(rendered) = &preview.rendered {
        let bytes = rendered.html.len();
        shown.insert("subject".into(), json!(rendered.subject));
        shown.insert("html".into(), json!(rendered.html));
        shown.insert("text".into(), json!(rendered.text));
        shown.insert("size".into(), json!({ "html": bytes, "text": rendered.text.len(), "clipped": bytes > CLIPPED }));
        read::put(&mut shown, "language", rendered.language.as_ref());
    }
    shown.insert("missing".into(), preview.missing.iter().map(show_missing).collect());
    shown.insert("would_be_sent".into(), json!(preview.stopped.is_none()));
    if let Some((reason, detail)) = &preview.stopped {
        shown.insert("reason".into(), json!(reason));
        read::put(&mut shown, "detail", detail.as_ref());
    }
    Value::Object(shown)
}

fn show_missing(missing: &Missing) -> Value {
    let place = &missing.place;
    let mut shown = json!({ "path": missing.path, "part": place.part, "line": place.line, "column": place.column });
    if let Some(language) = &place.language {
        shown["language"] = json!(language);
    }
    if let Some(partial) = &place.partial {
        shown["partial"] = json!(partial);
    }
    shown
}
