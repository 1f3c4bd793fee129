use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use campaigns::{Campaign, Segments, Status, Upkeep};
use domain::{Change, TemplateId};

use crate::rows::of_definitions;
use crate::{Definitions, Kind, Versioned};

/// What is in force: the active campaigns, the version of each template, the segments and
/// whose members are kept.
#[derive(Debug, Default)]
pub struct Active {
    revision: Option<u64>,
    /// The active campaigns, each with its version.
    pub campaigns: Vec<Versioned<Campaign>>,
    templates: BTreeMap<String, u64>,
    /// The segments, for whoever asks about them.
    pub segments: Segments,
    /// The segments whose members are kept.
    pub upkeep: Upkeep,
}

impl Active {
    /// Whether a campaign waits for such a change.
    #[must_use]
    pub fn is_heard(&self, change: &Change) -> bool {
        self.campaigns.iter().any(|campaign| campaign.value.trigger.is_set_off_by(change))
    }

    /// The version in force of each template that a campaign names.
    #[must_use]
    pub fn versions_of(&self, campaign: &Campaign) -> BTreeMap<TemplateId, u64> {
        let version = |id: &TemplateId| Some((id.clone(), *self.templates.get(id.as_str())?));
        campaign.templates().into_iter().filter_map(version).collect()
    }
}

/// Keeps what is in force in memory.
///
/// It is compared with the revision once for each batch, by one small read, so
/// that a campaign holds for everything that comes in after it was saved.
#[derive(Debug)]
pub struct ActiveSet {
    definitions: Definitions,
    kept: Mutex<Arc<Active>>,
}

impl ActiveSet {
    /// What these definitions put in force.
    #[must_use]
    pub fn new(definitions: Definitions) -> Self {
        Self { definitions, kept: Mutex::default() }
    }

    /// The definitions that it is of.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// What is in force now.
    ///
    /// # Errors
    /// If the definitions cannot be read.
    pub async fn current(&self) -> anyhow::Result<Arc<Active>> {
        let revision = self.definitions.revision().await?;
        let kept = Arc::clone(&self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        if kept.revision == Some(revision) {
            return Ok(kept);
        }
        let active = Arc::new(self.read(revision).await.map_err(of_definitions)?);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&active);
        Ok(active)
    }

    async fn read(&self, revision: u64) -> anyhow::Result<Active> {
        let mut campaigns = self.definitions.list::<Campaign>(Kind::Campaign).await?;
        campaigns.retain(|campaign| campaign.value.status == Status::Active);
        let templates =
            self.definitions.heads(Kind::Template).await?.into_iter().map(|head| (head.id, head.version)).collect();
        let (upkeep, segments) = self.definitions.upkeep().await?;
        Ok(Active { revision: Some(revision), campaigns, templates, segments, upkeep })
    }
}
