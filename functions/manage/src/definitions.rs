use std::collections::BTreeSet;

use campaigns::{Campaign, Mailing, Segments, Sending, Stage, Step, Trigger};
use conditions::{Condition, Schema, Scope};
use contracts::{Kind, Problem};
use domain::dictionary::{Dictionary, Word};
use domain::read::Faults;
use domain::{CampaignId, Code, Fault, MailingId, TemplateId};
use lambda::http::{Failure, Request, Response};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Edit, Kind as Defined, Versioned};
use templates::{Block, Source};

use crate::{Manage, not_found};

/// What conditions are held to: what there is in a shop.
pub(crate) struct Answerable {
    schema: Schema,
    segments: Segments,
}

impl Answerable {
    /// What a condition at this place asks that nobody can answer.
    pub(crate) fn misfits(&self, place: &str, condition: &Condition) -> Faults {
        let faults = condition.check(&self.schema).into_iter();
        let mut faults: Faults =
            faults.map(|fault| Fault::new(format!("{place}{}", fault.pointer), fault.message)).collect();
        if faults.is_empty() && !self.segments.can_answer(condition) {
            faults.push(Fault::new(place, "asks, with the segments that it names, more than can be answered"));
        }
        faults
    }

    /// Whether the conditions of a template, each of which can be answered, can be so together.
    pub(crate) fn fits_together(&self, blocks: &[Block]) -> bool {
        self.segments.can_answer_all(blocks.iter().map(|block| &block.when))
    }
}

impl Manage {
    pub(crate) async fn put_campaign(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CampaignId::parse)?;
        let campaign = Campaign::read(id, &request.json()?)?;
        loop {
            // The revision first: a template that is edited after it was read is noticed.
            let revision = self.definitions.revision().await?;
            let faults = self.unsound(&campaign).await?;
            if !faults.is_empty() {
                return Err(faults.into());
            }
            let id = campaign.id.as_str();
            if let Some(version) = self.save(request, Defined::Campaign, id, &campaign, revision).await? {
                return Ok(shown(campaign.show(), id, version));
            }
        }
    }

    /// What of a campaign does not go with what else is defined.
    async fn unsound(&self, campaign: &Campaign) -> anyhow::Result<Faults> {
        let happened = match &campaign.trigger {
            Trigger::EventReceived { name, .. } => Some(name.as_str()),
            _ => None,
        };
        let mut faults = self.misfits("/filter", campaign.filter.as_ref(), happened).await?;
        if let Some(segment) = campaign.trigger.segment() {
            let condition = Condition::parse(&json!({ "segment": segment }), &Scope::SEGMENT);
            faults.extend(self.misfits("/trigger", condition.ok().as_ref(), None).await?);
        }
        faults.extend(self.no_category_of(&campaign.sending).await?);
        for (index, step) in campaign.steps.iter().enumerate() {
            let Step::Send { template } = step else { continue };
            let place = format!("/steps/{index}/send/template");
            match self.template(template).await? {
                Some(known) => faults.extend(self.unfit_template(&place, &known, Some(&campaign.trigger)).await?),
                None => faults.push(no_template(place, template)),
            }
        }
        Ok(faults)
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
        loop {
            // The revision first: what the mailing names may be deleted after it was found.
            let revision = self.definitions.revision().await?;
            let mut faults = self.misfits("/audience", mailing.audience.as_ref(), None).await?;
            faults.extend(self.no_category_of(&mailing.sending).await?);
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
            let definitions = self.definitions.by(request.key_id()).only_at(revision);
            if let Some(version) = definitions.save(Defined::Mailing, mailing.id.as_str(), &mailing, now, also).await? {
                return self.show_mailing(&mailing, version).await;
            }
            if self.definitions.revision().await? == revision {
                return Err(Problem::new(Kind::Conflict).because("the mailing has begun; make another one").into());
            }
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

    /// Saves a definition, put down to the caller's key, if nothing was edited since the
    /// revision was read by which it was checked. Its version.
    pub(crate) async fn save(
        &self,
        request: &Request,
        kind: Defined,
        id: &str,
        definition: &impl Serialize,
        revision: u64,
    ) -> anyhow::Result<Option<u64>> {
        let edits = [Edit::save(kind, id, definition)?];
        Ok(self.edit_all(request, &edits, revision).await?.and_then(|versions| versions.first().copied()))
    }

    /// [`Self::save`] of several.
    pub(crate) async fn edit_all(
        &self,
        request: &Request,
        edits: &[Edit],
        revision: u64,
    ) -> anyhow::Result<Option<Vec<u64>>> {
        self.definitions.by(request.key_id()).edit(edits, revision, self.clock.now()).await
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

    /// What conditions can ask about, by the dictionary and the segments as they stand.
    pub(crate) async fn answerable(&self) -> anyhow::Result<Answerable> {
        let (mut schema, segments) = (self.schema().await?, self.definitions.segments().await?);
        schema.segments(segments.codes());
        Ok(Answerable { schema, segments })
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
        let mut answerable = self.answerable().await?;
        if let Some(name) = happened {
            answerable.schema = answerable.schema.happened(name);
        }
        Ok(answerable.misfits(place, condition))
    }

    async fn no_category_of(&self, sending: &Sending) -> anyhow::Result<Faults> {
        let named = sending.category.iter().map(|code| ("/sending/category".to_owned(), code));
        self.no_categories(named.collect()).await
    }

    /// The mailing categories that are named at these places, and not defined.
    pub(crate) async fn no_categories(&self, named: Vec<(String, &Code)>) -> anyhow::Result<Faults> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let words = self.definitions.words().await?;
        let defined: Vec<&str> = words
            .iter()
            .filter_map(|saved| match &saved.word {
                Some(Word::MailingCategory(category)) => Some(category.code.as_str()),
                _ => None,
            })
            .collect();
        let undefined = named.into_iter().filter(|(_, code)| !defined.contains(&code.as_str()));
        let detail = |code: &Code| {
            let known = defined.iter().copied();
            conditions::there_is_no("mailing category", "mailing categories", code.as_str(), known)
        };
        Ok(undefined.map(|(place, code)| Fault::new(place, detail(code))).collect())
    }

    /// The mailings that are not over and so still need what they name; each with its
    /// template, if it goes out by another version than the one in force.
    pub(crate) async fn open_mailings(&self) -> anyhow::Result<Vec<(Mailing, Option<Source>)>> {
        let open: BTreeSet<MailingId> = self.mailings.open().await?.into_iter().map(|open| open.id).collect();
        let mut found = Vec::new();
        for Versioned { value: mailing, .. } in self.definitions.list::<Mailing>(Defined::Mailing).await? {
            if !open.contains(&mailing.id) {
                continue;
            }
            let progress = self.mailings.progress(&mailing.id).await?;
            if progress.is_some_and(|progress| progress.value.stage == Stage::Sent) {
                continue;
            }
            let (id, version) = (&mailing.template, mailing.template_version);
            let template = match self.template(id).await? {
                Some(known) if known.version == version => None,
                _ => self.definitions.version(Defined::Template, id.as_str(), version).await?,
            };
            found.push((mailing, template));
        }
        Ok(found)
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
