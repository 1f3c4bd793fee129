use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dated::{Dated, Said, Times};
use crate::{CategoryId, Code, Conflict};

/// A category of products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The shop's own id.
    pub id: CategoryId,
    /// What is known of it, each field as it was said last.
    pub content: CategoryContent,
    /// Since when each field of the content holds.
    pub times: Times,
}

/// What a shop says of a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoryContent {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the category that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    /// Where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A picture for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Which of the shop's sites, apps or systems said so last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// The shop's own fields.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// What a caller says of one category.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryUpdate {
    /// Which category.
    pub id: CategoryId,
    /// When it was true; `None` is "now, if it differs from what is known".
    pub updated_at: Option<Timestamp>,
    /// The content, or some of its fields.
    pub said: Said,
}

impl Category {
    /// The category with an update worked in; `None` if it said nothing new.
    ///
    /// # Errors
    /// A [`Conflict`] where the update contradicts what is recorded for the same
    /// time.
    pub fn merge(known: Option<&Self>, update: CategoryUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let before = known.map(|known| Dated { content: known.content.clone(), times: known.times.clone() });
        let merged = Dated::merge(before.as_ref(), &update.said, update.updated_at, now)?;
        Ok(merged.map(|Dated { content, times }| Self { id: update.id, content, times }))
    }

    /// When anything of it was said last; `None` if it is known by its id alone.
    #[must_use]
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.times.latest()
    }
}
