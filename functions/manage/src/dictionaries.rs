//! The shop's own words: fields, statuses, kinds of event, sources, containers,
//! audiences, mailing categories, settings.

use campaigns::{Campaign, Segment};
use conditions::{Collection, Needs};
use contracts::{Kind, Problem, dictionary};
use domain::Code;
use domain::dictionary::{Dictionary, Settings, Word, WordKind, is_system};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Kind as Defined, SavedWord};
use templates::Source;

use crate::usage::{Used, refuse_if_used};
use crate::{Manage, not_found};

/// The most words of a kind: every function that hears of things keeps them in
/// memory.
const MOST_WORDS: usize = 1_000;

/// The code of the one word of settings.
const SHOP: &str = "shop";

/// All words as they stand, and what was saved of them.
struct Known {
    dictionary: Dictionary,
    saved: Vec<SavedWord>,
}

impl Known {
    fn show(&self, word: &Word) -> Value {
        let id = word.id();
        let mut shown = dictionary::show(word);
        if let Some(saved) = self.saved.iter().find(|saved| saved.id == id) {
            shown["version"] = json!(saved.version);
        }
        shown
    }
}

impl Manage {
    /// Answers the routes of the dictionary.
    pub(crate) async fn dictionaries(&self, request: &Request) -> Result<Response, Failure> {
        match request.route() {
            "GET /v1/settings" => return self.get_word(WordKind::Settings, SHOP).await,
            "PUT /v1/settings" => return self.put_word(request, WordKind::Settings, SHOP).await,
            _ => {}
        }
        let (method, path) = request.route().split_once(' ').unwrap_or_default();
        let mut parts = path.split('/').skip(2);
        let kind = parts.next().and_then(kind);
        match (kind, method, parts.next()) {
            (Some(kind), "GET", None) => self.list_words(request, kind).await,
            (Some(kind), method, Some("{code}")) => {
                let code = request.path("code", |code| dictionary::check_code(kind, code))?;
                match method {
                    "PUT" => self.put_word(request, kind, &code).await,
                    "GET" => self.get_word(kind, &code).await,
                    "DELETE" => self.delete_word(request, kind, &code).await,
                    _ => Err(Problem::new(Kind::NotFound).into()),
                }
            }
            _ => Err(Problem::new(Kind::NotFound).into()),
        }
    }

    async fn known_words(&self) -> anyhow::Result<Known> {
        let saved = self.definitions.words().await?;
        let words = saved.iter().map(|saved| (saved.id.clone(), saved.word.clone()));
        Ok(Known { dictionary: Dictionary::new(words), saved })
    }

    async fn list_words(&self, request: &Request, kind: WordKind) -> Result<Response, Failure> {
        let page = request.page(|after| dictionary::check_code(kind, after).is_ok())?;
        let after = page.after.as_deref();
        let known = self.known_words().await?;
        let words = known.dictionary.of(kind).map(|word| (word.code(), known.show(word)));
        let mut items: Vec<(String, Value)> =
            words.filter(|(code, _)| after.is_none_or(|after| code.as_str() > after)).collect();
        if kind == WordKind::EventType {
            // One more than fit on the page tell whether it is the last.
            let seen = self.definitions.seen(after, page.limit + 1).await?;
            let undefined = seen.into_iter().filter(|(name, _)| known.dictionary.event_type(name).is_none());
            items.extend(undefined.map(|(name, seen)| (name.clone(), seen.show(&name))));
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        let more = items.len() > page.limit;
        items.truncate(page.limit);
        let next = items.last().filter(|_| more).map(|(code, _)| code.clone());
        Ok(Response::page(items.into_iter().map(|(_, shown)| shown).collect(), next.as_deref()))
    }

    async fn get_word(&self, kind: WordKind, code: &str) -> Result<Response, Failure> {
        let known = self.known_words().await?;
        if let Some(word) = known.dictionary.get(kind, code) {
            return Ok(Response::json(200, &known.show(word)));
        }
        let seen = match kind {
            WordKind::EventType => self.definitions.seen_event(code).await?,
            _ => None,
        };
        match seen {
            Some(seen) => Ok(Response::json(200, &seen.show(code))),
            None => Err(not_found(name_of(kind)).into()),
        }
    }

    async fn put_word(&self, request: &Request, kind: WordKind, code: &str) -> Result<Response, Failure> {
        let body = request.json()?;
        let known = self.known_words().await?;
        let before = known.dictionary.get(kind, code);
        let word = dictionary::read(kind, code, &body, before)?;
        if before.is_none() && known.dictionary.of(kind).count() >= MOST_WORDS {
            let detail = format!("there are {MOST_WORDS} of them, and no more are kept; delete one first");
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        }
        let goes_by_it = segments_that_go_by(kind);
        let sound = async || match &word {
            Word::Settings(settings) => {
                let faults = self.no_categories(capped(settings)).await?;
                if faults.is_empty() { Ok(()) } else { Err(Failure::from(faults)) }
            }
            _ => Ok(()),
        };
        let version = self.edit_word(request, &word.id(), Some(&word), goes_by_it, sound).await?;
        let mut shown = dictionary::show(&word);
        shown["version"] = json!(version);
        Ok(Response::json(200, &shown))
    }

    async fn delete_word(&self, request: &Request, kind: WordKind, code: &str) -> Result<Response, Failure> {
        let conflict = |detail: String| Err(Problem::new(Kind::Conflict).because(detail).into());
        if is_system(kind, code) {
            return conflict(format!("this {} is always there; it can be given another name", name_of(kind)));
        }
        let unused = async || {
            let known = self.known_words().await?.dictionary;
            if known.get(kind, code).is_none() {
                return Err(Failure::from(not_found(name_of(kind))));
            }
            let used = Used { kind, code };
            let mut uses = self.uses(used).await?;
            uses.extend(used.by_settings(known.settings()).then(|| "the settings".to_owned()));
            Ok(refuse_if_used(&uses)?)
        };
        let (id, goes_by_it) = (kind.id(code), segments_that_go_by(kind));
        match self.edit_word(request, &id, None::<&Word>, goes_by_it, unused).await? {
            Some(_) => Ok(Response::empty()),
            None => Err(not_found(name_of(kind)).into()),
        }
    }

    /// Where a word is used. A mailing that is over no longer needs it.
    async fn uses(&self, used: Used<'_>) -> anyhow::Result<Vec<String>> {
        let mut uses = Vec::new();
        for segment in self.definitions.list::<Segment>(Defined::Segment).await? {
            if used.by_condition(&segment.value.condition) {
                uses.push(format!("segment {:?}", segment.value.code.as_str()));
            }
        }
        for campaign in self.definitions.list::<Campaign>(Defined::Campaign).await? {
            if used.by_campaign(&campaign.value) {
                uses.push(format!("campaign {:?}", campaign.value.id.as_str()));
            }
        }
        for (mailing, template) in self.open_mailings().await? {
            if used.by_mailing(&mailing) || template.is_some_and(|template| used.by_template(&template)) {
                uses.push(format!("mailing {:?}", mailing.id.as_str()));
            }
        }
        for (id, template) in self.definitions.list_by_id::<Source>(Defined::Template).await? {
            if used.by_template(&template.value) {
                uses.push(format!("template {id:?}"));
            }
        }
        Ok(uses)
    }
}

/// The mailing categories whose messages are capped, each with where that is said.
fn capped(settings: &Settings) -> Vec<(String, &Code)> {
    let caps = settings.caps.iter().enumerate();
    caps.filter_map(|(index, cap)| Some((format!("/caps/{index}/category"), cap.category.as_ref()?))).collect()
}

/// Which segments may have other members because of an edit of such a word: whether an
/// order counts is said by its statuses, and what day it is by the shop's time zone. None
/// goes by a word of another kind.
fn segments_that_go_by(kind: WordKind) -> Option<fn(&Needs) -> bool> {
    match kind {
        WordKind::Status => Some(|needs| needs.collections.contains(&Collection::Orders)),
        WordKind::Settings => Some(|_| true),
        _ => None,
    }
}

/// The kind of word that a route is about.
fn kind(path: &str) -> Option<WordKind> {
    match path {
        "fields" => Some(WordKind::Field),
        "statuses" => Some(WordKind::Status),
        "event-types" => Some(WordKind::EventType),
        "sources" => Some(WordKind::Source),
        "containers" => Some(WordKind::Container),
        "audiences" => Some(WordKind::Audience),
        "mailing-categories" => Some(WordKind::MailingCategory),
        _ => None,
    }
}

fn name_of(kind: WordKind) -> &'static str {
    match kind {
        WordKind::Field => "field",
        WordKind::Status => "status",
        WordKind::EventType => "event type",
        WordKind::Source => "source",
        WordKind::Container => "container",
        WordKind::Audience => "audience",
        WordKind::MailingCategory => "mailing category",
        WordKind::Settings => "settings",
    }
}
