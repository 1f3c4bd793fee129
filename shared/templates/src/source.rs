//! What a template is made of, and what may be wrong with it.

use std::{collections::BTreeMap, fmt};

use conditions::Condition;
use serde::{Deserialize, Serialize};

use crate::{Attached, partials};

/// The most a part's source may be, in bytes; also with its partials put in.
pub const PART_LIMIT: usize = 256 * 1024;

/// A template as its author wrote it, and the partials that it uses: Handlebars in every part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What is sent to whoever reads none of the languages of `translations`.
    #[serde(flatten)]
    pub content: Content,
    /// The language of `content`, as a customer's `language` has it (`en`, `pt-BR`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The same in other languages, each whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, Content>,
    /// What keeps a message back before anything is filled in, in every language: the first
    /// that holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub block: Vec<Block>,
    /// The files that go along with it, in every language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attached>,
    /// The source of each partial that any part uses, directly or through another: so a
    /// version of a template stays as it is when a partial is edited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub partials: BTreeMap<String, String>,
}

/// For whom a message is not meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Whoever meets this does not get it.
    pub when: Condition,
    /// Why not, for people.
    pub reason: String,
}

/// The parts of a message in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The subject; one line when rendered.
    pub subject: String,
    /// The body as HTML. There is this or `mjml`, and not both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The body as MJML, of which HTML is made when the template is compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mjml: Option<String>,
    /// The plain-text body; derived from the HTML when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What an inbox shows beside the subject; hidden at the start of the HTML body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheader: Option<String>,
}

impl Content {
    /// A subject and a body of HTML.
    #[must_use]
    pub fn of(subject: impl Into<String>, html: impl Into<String>) -> Self {
        Self { subject: subject.into(), html: Some(html.into()), ..Self::default() }
    }

    /// The parts that there are.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &str)> {
        let parts = [
            (Part::Subject, Some(&self.subject)),
            (Part::Html, self.html.as_ref()),
            (Part::Mjml, self.mjml.as_ref()),
            (Part::Text, self.text.as_ref()),
            (Part::Preheader, self.preheader.as_ref()),
        ];
        parts.into_iter().filter_map(|(part, source)| Some((part, source?.as_str())))
    }
}

impl From<Content> for Source {
    /// A template in one language, without partials.
    fn from(content: Content) -> Self {
        Self { content, ..Self::default() }
    }
}

/// What templates have in common: a layout, a footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// What the shop calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it says: Handlebars, as it is put in the place of `{{> code}}`.
    pub source: String,
}

impl Partial {
    /// Whether it names this other one.
    #[must_use]
    pub fn names(&self, code: &str) -> bool {
        partials::named(&self.source).contains(code)
    }
}

impl Source {
    /// The same with what it uses of these partials.
    #[must_use]
    pub fn with_partials(mut self, all: &BTreeMap<String, String>) -> Self {
        let parts: Vec<&str> = self.sources().collect();
        self.partials = partials::used(parts, all);
        self
    }

    /// Whether any part names a partial.
    #[must_use]
    pub fn names_partials(&self) -> bool {
        self.sources().any(|source| !partials::named(source).is_empty())
    }

    fn sources(&self) -> impl Iterator<Item = &str> {
        self.contents().flat_map(|(_, content)| content.parts()).map(|(_, source)| source)
    }

    /// What is written in each language; that of the base is `None`.
    pub fn contents(&self) -> impl Iterator<Item = (Option<&str>, &Content)> {
        let others = self.translations.iter().map(|(language, content)| (Some(language.as_str()), content));
        std::iter::once((None, &self.content)).chain(others)
    }
}

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// [`Content::subject`]
    Subject,
    /// [`Content::html`]
    Html,
    /// [`Content::mjml`]
    Mjml,
    /// [`Content::text`]
    Text,
    /// [`Content::preheader`]
    Preheader,
}

impl Part {
    /// The field of [`Content`] that holds it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Part::Subject => "subject",
            Part::Html => "html",
            Part::Mjml => "mjml",
            Part::Text => "text",
            Part::Preheader => "preheader",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place in what somebody wrote. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Which of the translations; the base, if none.
    pub language: Option<String>,
    /// The part, or the part that uses the partial.
    pub part: Part,
    /// The partial that the line is one of; the part's own, if none.
    pub partial: Option<String>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// A place in a part of the base.
    #[must_use]
    pub const fn of(part: Part, line: usize, column: usize) -> Self {
        Self { language: None, part, partial: None, line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(language) = &self.language {
            write!(f, "{language}, ")?;
        }
        write!(f, "{}, ", self.part)?;
        if let Some(partial) = &self.partial {
            write!(f, "partial {partial}, ")?;
        }
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a source does not compile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What is wrong, for the template's author.
    pub message: String,
}
