//! Edits of several definitions that are one.

use anyhow::Context;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use serde::Serialize;

use crate::audit::Change;
use crate::definitions::{Definitions, Kind, Row, noted, put};
use crate::rows::{self, failed, number};
use crate::runs::stopped_by;

/// A definition as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    kind: Kind,
    id: String,
    /// None, if there is to be none any more.
    body: Option<String>,
}

impl Edit {
    /// This definition.
    ///
    /// # Errors
    /// [`domain::TooLarge`], if a row does not hold it.
    pub fn save(kind: Kind, id: &str, definition: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self { kind, id: id.to_owned(), body: Some(rows::body(definition)?) })
    }

    /// That there is none any more.
    #[must_use]
    pub fn delete(kind: Kind, id: &str) -> Self {
        Self { kind, id: id.to_owned(), body: None }
    }

    /// How much of a transaction it takes, in bytes: about twice its body.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * self.body.as_ref().map_or(0, String::len) + 2_000
    }
}

impl Definitions {
    /// The most definitions that are edited together: a transaction has a hundred actions.
    pub const MOST_EDITS: usize = 32;

    /// The most that such edits may take, in bytes: of a transaction's four million.
    pub const MOST_EDITED: usize = 3_500_000;

    /// Makes edits, at most [`Self::MOST_EDITS`] and [`Self::MOST_EDITED`], all or none, if nothing
    /// was edited since the revision was read that is given. The version of each; one that
    /// is as it was saved keeps its own. None if something was edited since.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn edit(&self, edits: &[Edit], revision: u64, now: Timestamp) -> anyhow::Result<Option<Vec<u64>>> {
        let mut versions = Vec::with_capacity(edits.len());
        let mut actions = Vec::new();
        for edit in edits {
            let known = self.row(edit.kind.heads(), &edit.id).await?;
            let read = known.as_ref().map(|known| known.version);
            let same = known.is_some_and(|known| known.body() == edit.body.as_deref());
            let version = read.unwrap_or(0) + u64::from(!same);
            versions.push(version);
            if same {
                continue;
            }
            let (id, by) = (edit.id.clone(), self.key_id());
            let change = Change { at: now, kind: edit.kind, id, version, by, done: None };
            let head = Row::of(&change, edit.kind.heads(), edit.id.clone(), edit.body.as_ref());
            let head = put(self.table(), &head)?;
            let head = match read {
                None => head.condition_expression("attribute_not_exists(kind)"),
                Some(read) => head
                    .condition_expression("#version = :read")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":read", number(read)),
            };
            actions.push(TransactWriteItem::builder().put(head.build()?).build());
            actions.extend(noted(self.table(), &change, edit.body.as_ref())?);
        }
        if actions.is_empty() {
            return Ok(Some(versions));
        }
        actions.push(self.moved_on_from(Some(revision))?);
        match self.db().transact_write_items().set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(Some(versions)),
            Err(SdkError::ServiceError(error))
                if stopped_by(error.err(), "ConditionalCheckFailed")
                    || stopped_by(error.err(), "TransactionConflict") =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("the definitions could not be saved")(error)).context("several at once"),
        }
    }
}
