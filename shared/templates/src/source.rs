//! What a template is made of, and what may be wrong with it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most a part's source may be, in bytes.
pub const PART_LIMIT: usize = 256 * 1024;

/// A template as its author wrote it: Handlebars in every part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The subject; one line when rendered.
    pub subject: String,
    /// The HTML body.
    pub html: String,
    /// The plain-text body; derived from `html` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What an inbox shows beside the subject; hidden at the start of the HTML body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheader: Option<String>,
}

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// [`Source::subject`]
    Subject,
    /// [`Source::html`]
    Html,
    /// [`Source::text`]
    Text,
    /// [`Source::preheader`]
    Preheader,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Subject => "subject",
            Part::Html => "html",
            Part::Text => "text",
            Part::Preheader => "preheader",
        })
    }
}

/// Why a source does not compile. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{part}, line {line}, column {column}: {message}")]
pub struct Problem {
    /// Where it is.
    pub part: Part,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong, for the template's author.
    pub message: String,
}
