//! Groups of promo codes: how their codes come about, which are free and which were given.

use std::collections::BTreeSet;

use contracts::promo::{MOST_CODES, read, read_codes, show};
use contracts::{Kind, Problem};
use domain::{Fault, PromoCode, PromoGroup, PromoGroupId};
use feeds::{Broken, Entry, Feed, Format, RowFault};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Counted, Deed, Definitions, Done, Edit, GivenCode, Kind as Defined, Versioned};
use templates::{Source, Template};

use crate::definitions::shown;
use crate::surveys::new_id;
use crate::usage::refuse_if_used;
use crate::{Manage, not_found};

/// The most groups: all their names are read when a template is saved.
const MOST_GROUPS: usize = 1_000;

/// The largest upload of codes, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// The most codes that are said to be free of those that a pattern makes: what a program can
/// count with that has no other numbers than doubles.
const MOST_SAID: u64 = 9_000_000_000_000_000;

/// Codes as somebody uploads them.
#[derive(Default)]
struct Upload {
    /// How many there were, whatever they are.
    rows: usize,
    codes: Vec<PromoCode>,
    faulty: Vec<RowFault>,
    ignored: BTreeSet<String>,
}

impl Manage {
    /// Defines a group. How its codes come about is said once and for all.
    pub(crate) async fn put_promo_group(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", PromoGroupId::parse)?;
        let group = read(&request.json()?)?;
        let known = self.promo_groups().await?;
        if !known.contains(id.as_str()) && known.len() >= MOST_GROUPS {
            let detail = format!("there are {MOST_GROUPS} of them, and no more are kept; delete one first");
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        }
        let definitions = self.definitions.by(request.key_id());
        match definitions.save_promo_group(&id, &group, self.clock.now()).await? {
            Some(version) => Ok(shown(show(&group), id.as_str(), version)),
            None => {
                let detail = "its codes come about in another way, which stays as it is for what was given; make \
                              another group";
                Err(Problem::new(Kind::Conflict).because(detail).into())
            }
        }
    }

    /// A group, and how many of its codes are free and were given.
    pub(crate) async fn get_promo_group(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", PromoGroupId::parse)?;
        let Versioned { value: group, version } = self.promo_group(&id).await?;
        let counted = self.definitions.count_codes(&id, || self.has_time(request)).await?;
        let mut body = show(&group);
        body["codes"] = show_counted(&group, counted);
        Ok(shown(body, id.as_str(), version))
    }

    /// Deletes a group of which no template prints a code, nor a mailing that is not over.
    pub(crate) async fn delete_promo_group(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", PromoGroupId::parse)?;
        loop {
            // The revision first: what is saved meanwhile is noticed.
            let revision = self.definitions.revision().await?;
            self.promo_group(&id).await?;
            let templates = self.definitions.list_by_id::<Source>(Defined::Template).await?;
            let by = templates.iter().filter(|(_, template)| prints(&template.value, &id));
            let mut uses: Vec<String> = by.map(|(by, _)| format!("template {by:?}")).collect();
            for (mailing, template) in self.open_mailings().await? {
                if template.is_some_and(|template| prints(&template, &id)) {
                    uses.push(format!("mailing {:?}", mailing.id.as_str()));
                }
            }
            refuse_if_used(&uses)?;
            let edit = Edit::delete(Defined::PromoGroup, id.as_str());
            if self.edit_all(request, &[edit], revision).await?.is_some() {
                return Ok(Response::empty());
            }
        }
    }

    /// Puts codes into a group.
    pub(crate) async fn add_promo_codes(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", PromoGroupId::parse)?;
        let Upload { rows, codes, faulty, ignored } = match request.media_type().as_str() {
            "text/csv" | "text/tab-separated-values" => read_table(request)?,
            _ => {
                let codes = read_codes(&request.json_up_to(MOST_BYTES)?)?;
                Upload { rows: codes.len(), codes, ..Upload::default() }
            }
        };
        let group = self.promo_group(&id).await?;
        if group.value.pattern.is_some() {
            let detail = "its codes are made by its pattern; upload codes to a group that has none";
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        }
        let (taken, now) = (codes.len(), self.clock.now());
        // Before it is done: whatever becomes of it, it is known who asked.
        let done = Done { what: Deed::CodesUploaded, count: taken, mark: new_id()? };
        let about = (Defined::PromoGroup, id.as_str(), group.version);
        self.definitions.by(request.key_id()).note(about, done, now).await?;
        let created = self.definitions.add_codes(&id, codes, now).await?;
        let report = json!({
            "rows": rows, "created": created, "known": taken - created, "faulty": faulty, "ignored_columns": ignored,
        });
        Ok(Response::json(200, &report))
    }

    /// A page of the codes that were given, and to which messages.
    pub(crate) async fn list_promo_codes(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", PromoGroupId::parse)?;
        let page = request.page(Definitions::is_given_place)?;
        self.promo_group(&id).await?;
        let (given, next) = self.definitions.given_codes(&id, page.limit, page.after.as_deref()).await?;
        Ok(Response::page(given.iter().map(show_given).collect(), next.as_deref()))
    }

    /// The groups that there are.
    pub(crate) async fn promo_groups(&self) -> anyhow::Result<BTreeSet<String>> {
        Ok(self.definitions.heads(Defined::PromoGroup).await?.into_iter().map(|head| head.id).collect())
    }

    async fn promo_group(&self, id: &PromoGroupId) -> Result<Versioned<PromoGroup>, Failure> {
        let known = self.definitions.get(Defined::PromoGroup, id.as_str()).await?;
        known.ok_or_else(|| not_found("group of promo codes").into())
    }
}

/// Whether a template prints a code of a group.
fn prints(template: &Source, id: &PromoGroupId) -> bool {
    let parts = template.contents().flat_map(|(_, content)| content.parts()).map(|(_, source)| source);
    let mut sources = parts.chain(template.partials.values().map(String::as_str));
    sources.any(|source| source.contains("promo_code"))
        && Template::compile(template).is_ok_and(|template| template.promo_groups().contains_key(id.as_str()))
}

fn read_table(request: &Request) -> Result<Upload, Failure> {
    let broken = |broken: Broken| -> Failure { vec![Fault::new("", broken.to_string())].into() };
    let mut feed = Feed::open(Format::Codes, request.bytes_up_to(MOST_BYTES)?, None).map_err(broken)?;
    let mut upload = Upload::default();
    for entry in feed.by_ref() {
        upload.rows += 1;
        if upload.rows > MOST_CODES {
            let detail = format!("it has more than {MOST_CODES} codes; send them in several tables");
            return Err(Problem::new(Kind::TooLarge).because(detail).into());
        }
        match entry.map_err(broken)? {
            Entry::Row(row) => match PromoCode::parse(&row.id) {
                Ok(code) => upload.codes.push(code),
                Err(error) => {
                    let (line, column) = (row.line, Some("code".to_owned()));
                    upload.faulty.push(RowFault { line, id: Some(row.id), column, detail: error.to_string() });
                }
            },
            Entry::Faulty(fault) => upload.faulty.push(fault),
            Entry::Category(_) => {}
        }
    }
    upload.ignored.clone_from(feed.ignored());
    Ok(upload)
}

fn show_counted(group: &PromoGroup, counted: Counted<2>) -> Value {
    let [uploaded, given] = counted.of;
    let free = match &group.pattern {
        Some(pattern) => {
            let left = pattern.possible().saturating_sub(u128::from(given));
            u64::try_from(left).map_or(MOST_SAID, |left| left.min(MOST_SAID))
        }
        None => uploaded,
    };
    json!({ "free": free, "given": given, "exact": counted.exact })
}

fn show_given(given: &GivenCode) -> Value {
    json!({ "code": given.code, "message_id": given.message_id, "given_at": given.at })
}

#[cfg(test)]
mod tests {
    use domain::PromoPattern;
    use templates::Content;

    use super::*;

    #[test]
    fn a_template_prints_a_code_of_a_group_that_it_names_as_one_wherever_it_does() {
        let prints = |html: &str| {
            let mut source = Source::from(Content::of("s", "<p>x</p>{{> footer}}"));
            source.partials.insert("footer".into(), html.to_owned());
            prints(&source, &PromoGroupId::parse("summer").unwrap())
        };
        assert!(prints("{{#if customer.email}}{{promo_code \"summer\"}}{{/if}}"));
        assert!(!prints("{{promo_code \"winter\"}} summer"));
        assert!(!prints("{{customer.promo_code}} summer"));
    }

    #[test]
    fn what_a_pattern_can_still_make_is_said_as_far_as_programs_can_count() {
        let group = |pattern: &str| PromoGroup { name: "g".into(), pattern: PromoPattern::parse(pattern).ok() };
        let free = |pattern, of| show_counted(&group(pattern), Counted { of, exact: true })["free"].clone();
        assert_eq!(free("????-####", [0, 60]), json!(160_000 * 4_096 - 60));
        assert_eq!(free("????????????????????", [0, 60]), json!(MOST_SAID));
        assert_eq!(free("none", [40, 60]), json!(40));
    }
}
