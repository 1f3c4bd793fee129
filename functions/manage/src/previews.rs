//! What a mail would be, before it is sent to anybody.

use campaigns::{Campaign, Mailing, Trigger};
use domain::message::{Origin, Purpose, Terms};
use domain::read::{self, Reader};
use domain::{CampaignId, CustomerId, EventId, Fault, MailingId, Message, OrderId, ProductId, RunId, TemplateId};
use jiff::Timestamp;
use lambda::http::{Failure, Request, Response};
use mail::{Missing, Preview};
use serde_json::{Map, Value, json};
use store::{Kind as Defined, Versioned};
use templates::{Rendered, Source, Template};

use crate::blocks::show_judged;
use crate::templates::{compiled, read_source};
use crate::{Manage, not_found};

/// Whom and what a preview is about.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) event_id: Option<EventId>,
    pub(crate) product_id: Option<ProductId>,
    campaign_id: Option<CampaignId>,
    mailing_id: Option<MailingId>,
    /// What takes the place of what there is.
    pub(crate) data: Map<String, Value>,
    /// The version of the template; the one in force, if none.
    pub(crate) version: Option<u64>,
}

impl Asked {
    /// The customer who is named; where none is, an id that nothing is looked up by.
    pub(crate) fn customer_or_nobody(&self) -> anyhow::Result<CustomerId> {
        Ok(self.customer_id.clone().map_or_else(|| CustomerId::parse("nobody"), Ok)?)
    }
}

/// What would send the message.
pub(crate) enum Sending {
    /// Nothing that is named.
    Unnamed,
    /// This campaign.
    Campaign(Box<Versioned<Campaign>>),
    /// This mailing.
    Mailing(Box<Versioned<Mailing>>),
}

impl Sending {
    pub(crate) fn trigger(&self) -> Option<&Trigger> {
        match self {
            Self::Campaign(campaign) => Some(&campaign.value.trigger),
            Self::Unnamed | Self::Mailing(_) => None,
        }
    }
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
        let source = self.with_attachments(source.with_partials(&partials)).await?;
        let made = source.and_then(|source| Ok((compiled(&source)?, source)));
        let (template, source) = made.map_err(|faults| faults.into_iter().map(within).collect::<Vec<_>>())?;
        self.shown_preview(&template, &source, asked).await
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
        let source = source.ok_or_else(|| not_found("template"))?;
        self.shown_preview(&compiled(&source)?, &source, asked).await
    }

    async fn shown_preview(&self, template: &Template, source: &Source, asked: Asked) -> Result<Response, Failure> {
        let now = self.clock.now();
        let whose = asked.customer_id.is_some();
        let sending = self.sending_of(&asked).await?;
        let message = self.would_be(&asked, sending, now).await?;
        let preview = self.composer.preview(template, &source.block, &message, whose, asked.data, now).await?;
        let mut shown = show(&preview);
        if preview.rendered.is_ok() && !source.attachments.is_empty() {
            let size: usize = source.attachments.iter().map(|attached| attached.file.size).sum();
            shown["size"]["attachments"] = json!(size);
            shown["attachments"] = json!(source.attachments);
        }
        Ok(Response::json(200, &shown))
    }

    /// The message that would be sent; it is written nowhere.
    async fn would_be(&self, asked: &Asked, sending: Sending, now: Timestamp) -> Result<Message, Failure> {
        let change = self.change_of(asked, &sending, now).await?;
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
        let message = Message {
            // No such message is in the ledger, so its links lead nowhere.
            id: Message::id_of_step(&run_id, 0),
            customer_id: asked.customer_or_nobody()?,
            origin,
            // As a campaign's, unless it says otherwise.
            purpose: if asked.order_id.is_some() { Purpose::Transactional } else { Purpose::Marketing },
            terms: Terms::default(),
            template_id: TemplateId::parse("preview").map_err(anyhow::Error::from)?,
            template_version: 0,
            created_at: now,
        };
        Ok(match sending {
            Sending::Unnamed => message,
            Sending::Campaign(campaign) => {
                let Campaign { purpose, sending, .. } = campaign.value;
                Message { purpose, terms: sending.terms(), ..message }
            }
            Sending::Mailing(mailing) => {
                let theirs = mailing.value.message(mailing.version, &message.customer_id, now);
                Message { purpose: theirs.purpose, terms: theirs.terms, ..message }
            }
        })
    }

    /// The campaign or the mailing that is named, as it is defined now.
    pub(crate) async fn sending_of(&self, asked: &Asked) -> Result<Sending, Failure> {
        let none = |place: &str, what: &str| vec![Fault::new(place, format!("no such {what} is defined"))];
        if let Some(id) = &asked.campaign_id {
            let campaign = self.definitions.get::<Campaign>(Defined::Campaign, id.as_str()).await?;
            let campaign = campaign.ok_or_else(|| none("/campaign_id", "campaign"))?;
            return match foreign(asked, &campaign.value.trigger) {
                Some(place) => Err(does_not_set_off(place).into()),
                None => Ok(Sending::Campaign(Box::new(campaign))),
            };
        }
        if let Some(id) = &asked.mailing_id {
            let mailing = self.definitions.get::<Mailing>(Defined::Mailing, id.as_str()).await?;
            let mailing = mailing.ok_or_else(|| none("/mailing_id", "mailing"))?;
            return Ok(Sending::Mailing(Box::new(mailing)));
        }
        Ok(Sending::Unnamed)
    }
}

/// Where something is named of a kind that this trigger is not about.
fn foreign(asked: &Asked, trigger: &Trigger) -> Option<&'static str> {
    let is_about_an_event = matches!(trigger, Trigger::EventReceived { .. });
    let named = [
        ("/order_id", asked.order_id.is_some(), trigger.is_about_an_order()),
        ("/event_id", asked.event_id.is_some(), is_about_an_event),
        ("/product_id", asked.product_id.is_some(), trigger.whom().is_some()),
    ];
    named.into_iter().find(|(_, is_named, is_meant)| *is_named && !is_meant).map(|(place, ..)| place)
}

pub(crate) fn does_not_set_off(place: &str) -> Vec<Fault> {
    vec![Fault::new(place, "is not what sets this campaign off")]
}

fn read_asked(body: &Value, with_template: bool) -> Result<Asked, Vec<Fault>> {
    let mut reader = Reader::new(body);
    if with_template {
        reader.required("template", |value| if value.is_object() { Ok(()) } else { Err("must be a JSON object") });
    }
    let asked = read_about(&mut reader, !with_template);
    reader.finish()?;
    Ok(asked)
}

/// Whom and what a message would be about, and by which version of its template if that may
/// be said.
pub(crate) fn read_about(reader: &mut Reader<'_>, with_version: bool) -> Asked {
    let asked = Asked {
        customer_id: reader.optional("customer_id", read::parsed(CustomerId::parse)),
        order_id: reader.optional("order_id", read::parsed(OrderId::parse)),
        event_id: reader.optional("event_id", read::parsed(EventId::parse)),
        product_id: reader.optional("product_id", read::parsed(ProductId::parse)),
        campaign_id: reader.optional("campaign_id", read::parsed(CampaignId::parse)),
        mailing_id: reader.optional("mailing_id", read::parsed(MailingId::parse)),
        data: reader
            .optional("data", |value| value.as_object().cloned().ok_or("must be a JSON object"))
            .unwrap_or_default(),
        version: if with_version {
            reader.optional("version", |value| value.as_u64().ok_or("must be a version's number"))
        } else {
            None
        },
    };
    let about = [asked.order_id.is_some(), asked.event_id.is_some(), asked.product_id.is_some()];
    let about = about.into_iter().filter(|given| *given).count();
    if about > 1 {
        reader.faults([Fault::new("", "may name one of order_id, event_id and product_id")]);
    }
    if about == 1 && asked.customer_id.is_none() {
        reader.fault("customer_id", "is required where an order, event or product is named");
    }
    if asked.campaign_id.is_some() && asked.mailing_id.is_some() {
        reader.fault("mailing_id", "cannot be given beside \"campaign_id\"");
    }
    if asked.mailing_id.is_some() && about > 0 {
        reader.fault("mailing_id", "cannot be given beside an order, event or product: its mail is about none");
    }
    asked
}

fn show(preview: &Preview) -> Value {
    let mut shown = Map::new();
    if let Ok(rendered) = &preview.rendered {
        shown.insert("subject".into(), json!(rendered.subject));
        shown.insert("html".into(), json!(rendered.html));
        shown.insert("text".into(), json!(rendered.text));
        shown.insert("size".into(), show_size(rendered));
        read::put(&mut shown, "language", rendered.language.as_ref());
    }
    shown.insert("missing".into(), preview.missing.iter().map(show_missing).collect());
    if !preview.judged.is_empty() {
        shown.insert("block".into(), preview.judged.iter().map(show_judged).collect());
    }
    shown.insert("would_be_sent".into(), json!(preview.stopped.is_none()));
    if let Some((reason, detail)) = &preview.stopped {
        shown.insert("reason".into(), json!(reason));
        read::put(&mut shown, "detail", detail.as_ref());
    }
    Value::Object(shown)
}

fn show_size(rendered: &Rendered) -> Value {
    let (html, text) = (rendered.html.len(), rendered.text.len());
    json!({ "html": html, "text": text, "clipped": rendered.is_clipped_by_gmail() })
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
