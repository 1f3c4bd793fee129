use anyhow::Context;
use campaigns::{Campaign, Mailing, Step, Trigger};
use conditions::{Condition, Scope};
use contracts::{Kind, Problem};
use domain::dictionary::Dictionary;
use domain::read::{self, Faults, Reader};
use domain::{CampaignId, Fault, MailingId, TemplateId};
use lambda::http::{Failure, Request, Response};
use serde::Serialize;
use serde_json::{Value, json};
use store::Kind as Defined;
use templates::{PART_LIMIT, Part, Source, Template};

use crate::{Manage, not_found};

impl Manage {
    pub(crate) async fn put_template(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let source = read_template(&request.json()?)?;
        let version = self.save(request, Defined::Template, id.as_str(), &source).await?;
        Ok(shown(json!(source), id.as_str(), version))
    }

    pub(crate) async fn get_template(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let known = self
            .definitions
            .get::<Source>(Defined::Template, id.as_str())
            .await?
            .ok_or_else(|| not_found("template"))?;
        Ok(shown(json!(known.value), id.as_str(), known.version))
    }

    pub(crate) async fn put_campaign(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CampaignId::parse)?;
        let campaign = Campaign::read(id, &request.json()?)?;
        let happened = match &campaign.trigger {
            Trigger::EventReceived { name, .. } => Some(name.as_str()),
            _ => None,
        };
        let mut faults = self.misfits("/filter", campaign.filter.as_ref(), happened).await?;
        if let Some(segment) = campaign.trigger.segment() {
            let condition = Condition::parse(&json!({ "segment": segment }), &Scope::SEGMENT);
            faults.extend(self.misfits("/trigger", condition.ok().as_ref(), None).await?);
        }
        for (index, step) in campaign.steps.iter().enumerate() {
            if let Step::Send { template } = step
                && self.template_version(template).await?.is_none()
            {
                faults.push(no_template(format!("/steps/{index}/send/template"), template));
            }
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let version = self.save(request, Defined::Campaign, campaign.id.as_str(), &campaign).await?;
        Ok(shown(campaign.show(), campaign.id.as_str(), version))
    }

    pub(crate) async fn get_campaign(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CampaignId::parse)?;
        let known = self
            .definitions
            .get::<Campaign>(Defined::Campaign, id.as_str())
            .await?
            .ok_or_else(|| not_found("campaign"))?;
        Ok(shown(known.value.show(), id.as_str(), known.version))
    }

    /// A mailing may be changed until its work has begun, and not after: some of
    /// it may have gone out.
    pub(crate) async fn put_mailing(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", MailingId::parse)?;
        let body = request.json()?;
        let now = self.clock.now();
        let mut mailing = Mailing::read(id, &body, now)?;
        let mut faults = self.misfits("/audience", mailing.audience.as_ref(), None).await?;
        let Some(template_version) = self.template_version(&mailing.template).await? else {
            faults.push(no_template("/template".into(), &mailing.template));
            return Err(faults.into());
        };
        mailing.template_version = template_version;
        let known = self.definitions.get::<Mailing>(Defined::Mailing, mailing.id.as_str()).await?;
        if let Some(known) = &known {
            let undated = body.get("at").is_none_or(Value::is_null);
            let same = Mailing { at: if undated { known.value.at } else { mailing.at }, ..mailing.clone() };
            if same == known.value {
                return self.show_mailing(&known.value, known.version).await;
            }
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let also = |version| self.mailings.schedule(&mailing.id, version, mailing.at);
        let definitions = self.definitions.by(request.key_id());
        match definitions.save(Defined::Mailing, mailing.id.as_str(), &mailing, now, also).await? {
            Some(version) => self.show_mailing(&mailing, version).await,
            None => Err(Problem::new(Kind::Conflict).because("the mailing has begun; make another one").into()),
        }
    }

    pub(crate) async fn get_mailing(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", MailingId::parse)?;
        let known = self
            .definitions
            .get::<Mailing>(Defined::Mailing, id.as_str())
            .await?
            .ok_or_else(|| not_found("mailing"))?;
        self.show_mailing(&known.value, known.version).await
    }

    async fn show_mailing(&self, mailing: &Mailing, version: u64) -> Result<Response, Failure> {
        let mut body = mailing.show();
        if let Some(progress) = self.mailings.progress(&mailing.id).await? {
            body["progress"] = progress.value.show();
        }
        Ok(shown(body, mailing.id.as_str(), version))
    }

    /// Saves a definition, put down to the caller's key.
    pub(crate) async fn save(
        &self,
        request: &Request,
        kind: Defined,
        id: &str,
        definition: &impl Serialize,
    ) -> anyhow::Result<u64> {
        let definitions = self.definitions.by(request.key_id());
        let saved = definitions.save(kind, id, definition, self.clock.now(), |_| Ok(Vec::new())).await?;
        saved.context("a definition was refused that nothing goes with")
    }

    /// That a condition at this place asks for nothing that there is not.
    ///
    /// # Errors
    /// All that it asks so, each with its place.
    pub(crate) async fn check_condition(&self, place: &str, condition: &Condition) -> Result<(), Failure> {
        let faults = self.misfits(place, Some(condition), None).await?;
        if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
    }

    /// What a condition asks that nobody can answer by the shop's dictionary as it stands;
    /// of an event that happened, by its name.
    async fn misfits(
        &self,
        place: &str,
        condition: Option<&Condition>,
        happened: Option<&str>,
    ) -> anyhow::Result<Faults> {
        let Some(condition) = condition else { return Ok(Vec::new()) };
        let words = self.definitions.words().await?;
        let dictionary = Dictionary::new(words.into_iter().map(|saved| (saved.id, saved.word)));
        let mut schema = facts::schema(&dictionary);
        let segments = self.definitions.segments().await?;
        schema.segments(segments.codes());
        if let Some(name) = happened {
            schema = schema.happened(name);
        }
        let faults = condition.check(&schema).into_iter();
        let mut faults: Faults =
            faults.map(|fault| Fault::new(format!("{place}{}", fault.pointer), fault.message)).collect();
        if faults.is_empty() && !segments.can_answer(condition) {
            faults.push(Fault::new(place, "asks, with the segments that it names, more than can be answered"));
        }
        Ok(faults)
    }

    async fn template_version(&self, id: &TemplateId) -> anyhow::Result<Option<u64>> {
        Ok(self.definitions.get::<Source>(Defined::Template, id.as_str()).await?.map(|template| template.version))
    }
}

pub(crate) fn read_template(body: &Value) -> Result<Source, Faults> {
    let mut reader = Reader::new(body);
    let part = |value: &Value| read::text(value, PART_LIMIT);
    let subject = reader.required("subject", part);
    let html = reader.required("html", part);
    let text = reader.optional("text", part);
    let preheader = reader.optional("preheader", part);
    reader.finish()?;
    let source = Source { subject: subject.unwrap_or_default(), html: html.unwrap_or_default(), text, preheader };
    Template::compile(&source).map_err(|problems| {
        let fault = |problem: &templates::Problem| {
            let place = match problem.part {
                Part::Subject => "/subject",
                Part::Html => "/html",
                Part::Text => "/text",
                Part::Preheader => "/preheader",
            };
            Fault::new(place, format!("line {}, column {}: {}", problem.line, problem.column, problem.message))
        };
        problems.iter().map(fault).collect::<Vec<_>>()
    })?;
    Ok(source)
}

fn no_template(place: String, id: &TemplateId) -> Fault {
    Fault::new(place, format!("names the template {:?}, which is not defined", id.as_str()))
}

fn shown(mut body: Value, id: &str, version: u64) -> Response {
    body["id"] = json!(id);
    body["version"] = json!(version);
    Response::json(200, &body)
}
