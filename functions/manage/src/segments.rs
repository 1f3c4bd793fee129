//! Segments: conditions with a name.

use std::collections::BTreeSet;

use campaigns::{Campaign, Segment};
use contracts::{Kind, Problem};
use domain::{Code, CustomerId, Fault};
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{Kind as Defined, SavedSegments};
use templates::Source;

use crate::usage::refuse_if_used;
use crate::{Manage, not_found};

/// The most segments: every function that looks at customers keeps them in memory.
const MOST_SEGMENTS: usize = 1_000;

impl Manage {
    pub(crate) async fn put_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let segment = Segment::read(code, &request.json()?)?;
        let check = async |saved: &SavedSegments| {
            self.check_condition("/condition", &segment.condition).await?;
            let known = saved.segments();
            if let Some(hindrance) = known.hindrance(segment.code.as_str(), &segment.condition) {
                return Err(vec![Fault::new("/condition", hindrance)].into());
            }
            if known.condition(segment.code.as_str()).is_none() && known.codes().count() >= MOST_SEGMENTS {
                let detail = format!("there are {MOST_SEGMENTS} of them, and no more are kept; delete one first");
                return Err(Problem::new(Kind::Conflict).because(detail).into());
            }
            Ok(())
        };
        let version = self.save_segment(request, &segment, check).await?;
        self.show_segment(&segment, version).await
    }

    pub(crate) async fn get_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let known = self.definitions.get::<Segment>(Defined::Segment, code.as_str()).await?;
        let known = known.ok_or_else(|| not_found("segment"))?;
        self.show_segment(&known.value, known.version).await
    }

    /// Deletes a segment that nothing asks about.
    pub(crate) async fn delete_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let check =
            async |saved: &SavedSegments| Ok(refuse_if_used(&self.uses_of_segment(code.as_str(), saved).await?)?);
        match self.forget_segment(request, &code, check).await? {
            Some(_) => Ok(Response::empty()),
            None => Err(not_found("segment").into()),
        }
    }

    /// Whether a customer is in a segment, and why, or why not.
    pub(crate) async fn why_in_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let customer_id = request.path("id", CustomerId::parse)?;
        let known = self.definitions.get::<Segment>(Defined::Segment, code.as_str()).await?;
        let known = known.ok_or_else(|| not_found("segment"))?;
        let customer = self.known_customer(&customer_id).await?;
        let mut shown = self.explained(&known.value.condition, &customer).await?;
        shown["segment"] = json!(code);
        shown["version"] = json!(known.version);
        shown["member"] = self.member(&code, &customer.id).await?;
        Ok(Response::json(200, &shown))
    }

    /// Where a segment is asked about. A mailing that is over no longer needs it.
    async fn uses_of_segment(&self, code: &str, saved: &SavedSegments) -> anyhow::Result<Vec<String>> {
        let mut uses = Vec::new();
        let mut naming: BTreeSet<String> = saved.segments().naming(code).map(str::to_owned).collect();
        // It may be edited so that it no longer does, and go by what it was until its members
        // are found.
        for kept in self.definitions.kept_segments(saved).await? {
            naming.extend(kept.naming(code).map(str::to_owned));
        }
        uses.extend(naming.iter().map(|naming| format!("segment {naming:?}")));
        for campaign in self.definitions.list::<Campaign>(Defined::Campaign).await? {
            let by_filter = campaign.value.filter.as_ref().is_some_and(|filter| filter.segments().contains(&code));
            if by_filter || campaign.value.trigger.segment().is_some_and(|segment| segment.as_str() == code) {
                uses.push(format!("campaign {:?}", campaign.value.id.as_str()));
            }
        }
        let by_template = |template: &Source| template.block.iter().any(|block| block.when.segments().contains(&code));
        for (mailing, template) in self.open_mailings().await? {
            let by_audience = mailing.audience.as_ref().is_some_and(|audience| audience.segments().contains(&code));
            if by_audience || template.as_ref().is_some_and(by_template) {
                uses.push(format!("mailing {:?}", mailing.id.as_str()));
            }
        }
        for (id, template) in self.definitions.list_by_id::<Source>(Defined::Template).await? {
            if by_template(&template.value) {
                uses.push(format!("template {id:?}"));
            }
        }
        Ok(uses)
    }
}
