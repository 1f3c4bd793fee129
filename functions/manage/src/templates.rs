//! Templates, and the partials that they have in common.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Kind, Problem};
use domain::read::{self, Faults, Reader};
use domain::{Code, Fault, TemplateId, TooLarge};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Definitions, Edit, Kind as Defined, Versioned};
use templates::{Block, Content, PART_LIMIT, Partial, Shape, Source, Template};

use crate::attachments::read_attached;
use crate::blocks::{put_words, read_blocks};
use crate::definitions::shown;
use crate::fits::{At, Naming};
use crate::messages::parameter;
use crate::usage::refuse_if_used;
use crate::{Manage, not_found};

/// The most translations of a template.
const MOST_LANGUAGES: usize = 50;

/// The most partials: all are read when one is edited.
const MOST_PARTIALS: usize = 500;

/// Templates and partials as they are saved, as of a revision.
struct Saved {
    revision: u64,
    partials: Vec<(String, Versioned<Partial>)>,
    templates: Vec<(String, Versioned<Source>)>,
    promo_groups: BTreeSet<String>,
}

impl Saved {
    /// What the partials say.
    fn sources(&self) -> BTreeMap<String, String> {
        self.partials.iter().map(|(code, partial)| (code.clone(), partial.value.source.clone())).collect()
    }

    /// Where a partial is used.
    fn uses(&self, code: &str) -> Vec<String> {
        let by_partials = self.partials.iter().filter(|(_, partial)| partial.value.names(code));
        let by_templates = self.templates.iter().filter(|(_, template)| template.value.partials.contains_key(code));
        let by_partials = by_partials.map(|(by, _)| format!("partial {by:?}"));
        by_partials.chain(by_templates.map(|(by, _)| format!("template {by:?}"))).collect()
    }
}

impl Manage {
    pub(crate) async fn put_template(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let source = read_source(&request.json()?)?;
        loop {
            // The revision first: what is edited after it was read is noticed.
            let revision = self.definitions.revision().await?;
            let partials = if source.names_partials() { self.partials().await? } else { Vec::new() };
            let all = partials.into_iter().map(|(code, partial)| (code, partial.value.source)).collect();
            let source = self.with_attachments(source.clone().with_partials(&all)).await??;
            let template = compiled(&source)?;
            let faults = self.misfits_of(id.as_str(), &template, &source.block).await?;
            if !faults.is_empty() {
                return Err(faults.into());
            }
            if let Some(version) = self.save(request, Defined::Template, id.as_str(), &source, revision).await? {
                let mut shown = show(&source);
                shown["warnings"] = template.warnings().iter().map(fault).map(|fault| json!(fault)).collect();
                return Ok(self::shown(shown, id.as_str(), version));
            }
        }
    }

    pub(crate) async fn get_template(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let mut faults = Vec::new();
        let version = parameter(request, "version", crate::versions::version, &mut faults);
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let kind = Defined::Template;
        let known = match version {
            None => self.definitions.get::<Source>(kind, id.as_str()).await?,
            Some(version) => {
                let kept = self.definitions.version::<Source>(kind, id.as_str(), version).await?;
                kept.map(|value| Versioned { value, version })
            }
        };
        let known = known.ok_or_else(|| not_found("template"))?;
        Ok(shown(show(&known.value), id.as_str(), known.version))
    }

    /// Saves a partial, and makes another version of each template that uses it.
    pub(crate) async fn put_partial(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let partial = read_partial(&request.json()?)?;
        let mut made = BTreeMap::new();
        loop {
            let saved = self.saved().await?;
            let (shape, naming) = (mail::shape(&self.schema().await?), self.naming().await?);
            let known = saved.partials.iter().any(|(known, _)| known == code.as_str());
            if !known && saved.partials.len() >= MOST_PARTIALS {
                let detail = format!("there are {MOST_PARTIALS} of them, and no more are kept; delete one first");
                return Err(Problem::new(Kind::Conflict).because(detail).into());
            }
            let templates = touched(&saved, code.as_str(), &partial, &shape, &naming)?;
            let templates = edits_of(&templates, "/source")?;
            let edit = Edit::save(Defined::Partial, code.as_str(), &partial)?;
            if let Some(version) = self.edit_with(request, edit, templates, saved.revision, &mut made).await? {
                let mut shown = show_partial(&code, &partial, version);
                shown["templates"] = show_made(made);
                return Ok(Response::json(200, &shown));
            }
        }
    }

    /// Makes an edit of what templates have in common, and those of the templates, each by its id,
    /// if nothing was edited since the revision. Its version, once all is saved; until then, it
    /// is to be begun anew. `made` gathers the versions of the templates.
    pub(crate) async fn edit_with(
        &self,
        request: &Request,
        edit: Edit,
        templates: Vec<(String, Edit)>,
        revision: u64,
        made: &mut BTreeMap<String, u64>,
    ) -> Result<Option<u64>, Failure> {
        let of_templates = templates.len();
        let mut edits = vec![edit];
        let mut edited = Vec::new();
        for (id, edit) in templates {
            let bytes: usize = edits.iter().chain([&edit]).map(Edit::bytes).sum();
            if edits.len() == Definitions::MOST_EDITS || bytes > Definitions::MOST_EDITED {
                break;
            }
            edits.push(edit);
            edited.push(id);
        }
        let Some(versions) = self.edit_all(request, &edits, revision).await? else { return Ok(None) };
        let is_all = edited.len() == of_templates;
        made.extend(edited.into_iter().zip(versions.iter().skip(1).copied()));
        // Of those that one transaction does not hold the next round makes versions; and if
        // it does not come to that, whoever says the same again does.
        Ok(versions.first().copied().filter(|_| is_all))
    }

    pub(crate) async fn get_partial(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let known = self.definitions.get::<Partial>(Defined::Partial, code.as_str()).await?;
        let known = known.ok_or_else(|| not_found("partial"))?;
        Ok(Response::json(200, &show_partial(&code, &known.value, known.version)))
    }

    /// What there is of a kind that templates have in common, each by its code and version.
    pub(crate) async fn list_codes(&self, kind: Defined, request: &Request) -> Result<Response, Failure> {
        let (heads, next) = self.heads(kind, request).await?;
        let items = heads.iter().map(|head| json!({ "code": head.id, "version": head.version })).collect();
        Ok(Response::page(items, next.as_deref()))
    }

    /// Deletes a partial that nothing uses.
    pub(crate) async fn delete_partial(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        loop {
            let saved = self.saved().await?;
            if !saved.partials.iter().any(|(known, _)| known == code.as_str()) {
                return Err(not_found("partial").into());
            }
            refuse_if_used(&saved.uses(code.as_str()))?;
            let edits = [Edit::delete(Defined::Partial, code.as_str())];
            if self.edit_all(request, &edits, saved.revision).await?.is_some() {
                return Ok(Response::empty());
            }
        }
    }

    /// What a template names that no message ever has; or else what none has that a campaign
    /// sends which names it already.
    async fn misfits_of(&self, id: &str, template: &Template, blocks: &[Block]) -> anyhow::Result<Faults> {
        let mut problems = template.misfits(&mail::shape(&self.schema().await?));
        problems.extend(template.unknown_groups(&self.promo_groups().await?));
        let mut faults: Faults = problems.iter().map(fault).collect();
        faults.extend(self.unanswerable(blocks).await?);
        if faults.is_empty() {
            let lacking = self.naming().await?.lacking(id, template, blocks);
            faults.extend(lacking.iter().map(|lack| match &lack.at {
                At::Part(place) => fault(&lack.problem(place)),
                At::Block(index) => Fault::new(crate::blocks::place(*index), lack.message()),
            }));
        }
        Ok(faults)
    }

    pub(crate) async fn partials(&self) -> anyhow::Result<Vec<(String, Versioned<Partial>)>> {
        self.definitions.list_by_id(Defined::Partial).await
    }

    async fn saved(&self) -> anyhow::Result<Saved> {
        let revision = self.definitions.revision().await?;
        let (partials, promo_groups) = (self.partials().await?, self.promo_groups().await?);
        let templates = self.definitions.list_by_id(Defined::Template).await?;
        Ok(Saved { revision, partials, templates, promo_groups })
    }
}

/// The templates that a partial makes other ones of, each as it is with it.
///
/// # Errors
/// What is wrong with the partial, by itself or where it is used.
fn touched(
    saved: &Saved,
    code: &str,
    partial: &Partial,
    shape: &Shape,
    naming: &Naming,
) -> Result<Vec<(String, Source)>, Faults> {
    let mut all = saved.sources();
    all.insert(code.to_owned(), partial.source.clone());
    if let Err(problems) = Template::check_partial(code, &all) {
        let detail = |problem: &templates::Problem| {
            let (line, column, message) = (problem.place.line, problem.place.column, &problem.message);
            match problem.place.partial.as_deref().filter(|partial| *partial != code) {
                Some(other) => format!("partial {other}, line {line}, column {column}: {message}"),
                None => format!("line {line}, column {column}: {message}"),
            }
        };
        return Err(problems.iter().map(|problem| Fault::new("/source", detail(problem))).collect());
    }
    let mut faults = Vec::new();
    let mut touched = Vec::new();
    for (id, template) in saved.templates.iter().filter(|(_, template)| template.value.partials.contains_key(code)) {
        let again = template.value.clone().with_partials(&all);
        if again == template.value {
            continue;
        }
        let problems = match Template::compile(&again) {
            Ok(template) => match [template.misfits(shape), template.unknown_groups(&saved.promo_groups)].concat() {
                problems if problems.is_empty() => naming.unfit(id, &template),
                problems => problems,
            },
            Err(problems) => problems,
        };
        if problems.is_empty() {
            touched.push((id.clone(), again));
        }
        let fault = |problem| Fault::new("/source", format!("in the template {id:?}: {problem}"));
        faults.extend(problems.iter().map(fault));
    }
    if faults.is_empty() { Ok(touched) } else { Err(faults) }
}

/// The edits of the templates that something at this place of a body makes other ones of. All of
/// them, before the first is made: there is no going back then.
///
/// # Errors
/// Which of them is too large with it.
pub(crate) fn edits_of(templates: &[(String, Source)], place: &str) -> Result<Vec<(String, Edit)>, Failure> {
    let edit = |id: &str, template: &Source| {
        Edit::save(Defined::Template, id, template).map_err(|error| match error.downcast_ref::<TooLarge>() {
            Some(too_large) => vec![Fault::new(place, format!("in the template {id:?}: {too_large}"))].into(),
            None => Failure::from(error),
        })
    };
    templates.iter().map(|(id, template)| Ok((id.clone(), edit(id, template)?))).collect()
}

pub(crate) fn compiled(source: &Source) -> Result<Template, Faults> {
    Template::compile(source).map_err(|problems| problems.iter().map(fault).collect())
}

/// What is wrong with a part, at its place in the request's body.
fn fault(problem: &templates::Problem) -> Fault {
    let place = &problem.place;
    let part = place.part;
    let within = place.partial.as_ref().map_or_else(String::new, |partial| format!("partial {partial}, "));
    let detail = format!("{within}line {}, column {}: {}", place.line, place.column, problem.message);
    let translation = place.language.as_ref().map(|language| format!("/translations/{language}/{part}"));
    Fault::new(translation.unwrap_or_else(|| format!("/{part}")), detail)
}

/// A template as its author wrote it, still without its partials and its files.
pub(crate) fn read_source(body: &Value) -> Result<Source, Faults> {
    let mut reader = Reader::new(body);
    let content = read_content(&mut reader);
    let language = reader.optional("language", read::parsed(read_language));
    let translations = reader.objects("translations", MOST_LANGUAGES, |_, mut reader| {
        let content = read_content(&mut reader);
        reader.finish().map(|()| content)
    });
    let mut known: Vec<String> = language.iter().map(|own| own.to_ascii_lowercase()).collect();
    for name in translations.keys() {
        match read_language(name) {
            Err(wrong) => reader.fault("translations", format!("{name:?} {wrong}")),
            Ok(name) if known.contains(&name.to_ascii_lowercase()) => {
                reader.fault("translations", format!("{name:?} is there twice, or the template's own language"));
            }
            Ok(name) => known.push(name.to_ascii_lowercase()),
        }
    }
    let block = read_blocks(&mut reader);
    let attachments = read_attached(&mut reader);
    reader.finish()?;
    Ok(Source { content, language, translations, block, attachments, partials: BTreeMap::new() })
}

fn read_content(reader: &mut Reader<'_>) -> Content {
    let part = |value: &Value| read::text(value, PART_LIMIT);
    let subject = reader.required("subject", part).unwrap_or_default();
    let mjml = reader.optional("mjml", part);
    let html = match reader.raw("mjml") {
        Some(_) => reader.optional("html", part),
        None => reader.required("html", part),
    };
    if html.is_some() && mjml.is_some() {
        reader.fault("mjml", "stands beside html; only one of them can be the body");
    }
    Content { subject, html, mjml, text: reader.optional("text", part), preheader: reader.optional("preheader", part) }
}

/// A language as customers have it: `lv`, `pt-BR`.
fn read_language(text: &str) -> Result<String, &'static str> {
    let mut tags = text.split('-');
    let letters = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let first = tags.next().is_some_and(|tag| matches!(tag.len(), 2 | 3) && letters(tag));
    let others = tags.all(|tag| matches!(tag.len(), 1..=8) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if first && others && text.len() <= 35 {
        Ok(text.to_owned())
    } else {
        Err("must be a language like \"lv\" or \"pt-BR\"")
    }
}

/// What a body defines, as it can be checked without what else is saved: what names a
/// partial is not.
#[cfg(test)]
pub(crate) fn read_template(body: &Value) -> Result<Source, Faults> {
    let source = read_source(body)?;
    compiled(&source).map(|_| source)
}

pub(crate) fn read_partial(body: &Value) -> Result<Partial, Faults> {
    let mut reader = Reader::new(body);
    let name = reader.optional("name", read::short);
    let source = reader.required("source", |value| read::text(value, PART_LIMIT));
    reader.finish()?;
    Ok(Partial { name, source: source.unwrap_or_default() })
}

/// A template without what its partials say: these are defined elsewhere.
fn show(source: &Source) -> Value {
    let mut shown = json!(source);
    if !source.partials.is_empty() {
        shown["partials"] = source.partials.keys().cloned().collect();
    }
    put_words(&mut shown, &source.block);
    shown
}

/// The templates that got another version.
pub(crate) fn show_made(made: BTreeMap<String, u64>) -> Value {
    made.into_iter().map(|(id, version)| json!({ "id": id, "version": version })).collect()
}

fn show_partial(code: &Code, partial: &Partial, version: u64) -> Value {
    let mut shown = json!(partial);
    shown["code"] = json!(code);
    shown["version"] = json!(version);
    shown
}
