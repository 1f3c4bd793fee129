use anyhow::Context;
use campaigns::{Campaign, Mailing, Step, Trigger};
use conditions::{Condition, Schema, Scope};
use contracts::{Kind, Problem};
use domain::dictionary::{Dictionary, Word};
use domain::read::Faults;
use domain::{CampaignId, Code, Fault, MailingId, TemplateId};
use lambda::http::{Failure, Request, Response};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Kind as Defined, Versioned};
use templates::{Named, Source, Template};

use crate::{Manage, not_found};

impl Manage {
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
        faults.extend(self.no_category(campaign.sending.category.as_ref()).await?);
        for (index, step) in campaign.steps.iter().enumerate() {
            let Step::Send { template } = step else { continue };
            let place = format!("/steps/{index}/send/template");
            match self.template(template).await? {
                Some(known) => faults.extend(self.unfit_template(&place, &known, Some(&campaign.trigger)).await?),
                None => faults.push(no_template(place, template)),
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
        faults.extend(self.no_category(mailing.sending.category.as_ref()).await?);
        let Some(template) = self.template(&mailing.template).await? else {
            faults.push(no_template("/template".into(), &mailing.template));
            return Err(faults.into());
        };
        faults.extend(self.unfit_template("/template", &template, None).await?);
        mailing.template_version = template.version;
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

    /// What there is in a shop, by its dictionary as it stands.
    pub(crate) async fn schema(&self) -> anyhow::Result<Schema> {
        let words = self.definitions.words().await?;
        Ok(facts::schema(&Dictionary::new(words.into_iter().map(|saved| (saved.id, saved.word)))))
    }

    /// What the template at this place cannot do without, and no message has that this trigger
    /// sets off; or, without one, no message of a mailing.
    async fn unfit_template(
        &self,
        place: &str,
        template: &Versioned<Source>,
        trigger: Option<&Trigger>,
    ) -> anyhow::Result<Faults> {
        let schema = self.schema().await?;
        // What was sound when it was saved is not looked at again.
        let Ok(compiled) = Template::compile(&template.value) else { return Ok(Vec::new()) };
        let whose = if trigger.is_some() { "nothing has that sets this campaign off" } else { "a mailing has not" };
        let lacking = compiled.lacking(&mail::shape_of(&schema, trigger)).into_iter();
        let fault = |named: Named| {
            let path = named.paths.first().map(|path| templates::written(path)).unwrap_or_default();
            Fault::new(place, format!("prints {path} ({}), which {whose}", named.place))
        };
        Ok(lacking.map(fault).collect())
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
        let mut schema = self.schema().await?;
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

    /// That the mailing category is not defined of which messages are to be.
    async fn no_category(&self, code: Option<&Code>) -> anyhow::Result<Option<Fault>> {
        let Some(code) = code else { return Ok(None) };
        let words = self.definitions.words().await?;
        let is_defined = words.iter().any(|saved| match &saved.word {
            Some(Word::MailingCategory(category)) => category.code == *code,
            _ => false,
        });
        let detail = || format!("names the mailing category {:?}, which is not defined", code.as_str());
        Ok((!is_defined).then(|| Fault::new("/sending/category", detail())))
    }

    async fn template(&self, id: &TemplateId) -> anyhow::Result<Option<Versioned<Source>>> {
        self.definitions.get(Defined::Template, id.as_str()).await
    }
}

fn no_template(place: String, id: &TemplateId) -> Fault {
    Fault::new(place, format!("names the template {:?}, which is not defined", id.as_str()))
}

pub(crate) fn shown(mut body: Value, id: &str, version: u64) -> Response {
    body["id"] = json!(id);
    body["version"] = json!(version);
    Response::json(200, &body)
}
