use contracts::audience::{Membership, read_membership};
use contracts::{Kind, Problem};
use domain::{Code, CustomerId};
use intake::at_once;
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{Found, List};

use crate::People;

impl People {
    /// Who is in an audience, page by page.
    pub(crate) async fn members(&self, request: &Request) -> Result<Response, Failure> {
        let audience = self.audience(request).await?;
        let page = request.page(|_| true)?;
        let list = List::Audience(audience);
        let (members, next) = self.customers.listed(&list, page.after.as_deref(), page.limit).await?;
        let shown = members.into_iter().map(|id| json!({ "id": id })).collect();
        Ok(Response::page(shown, next.as_deref()))
    }

    /// Puts customers in and takes customers out.
    pub(crate) async fn change_members(&self, request: &Request) -> Result<Response, Failure> {
        let audience = self.audience(request).await?;
        let Membership { add, remove } = read_membership(&request.json()?)?;
        let (added, removed) = (add.len(), remove.len());
        for outcome in at_once(add, async |id| self.join(&audience, &id).await).await {
            outcome?;
        }
        for outcome in at_once(remove, async |id| self.leave(&audience, &id).await).await {
            outcome?;
        }
        Ok(Response::json(200, &json!({ "audience": audience, "added": added, "removed": removed })))
    }

    /// Puts a customer into an audience; whether there is such a customer to be put.
    pub(crate) async fn join(&self, audience: &Code, id: &CustomerId) -> anyhow::Result<bool> {
        let Found::Here { id, .. } = self.customers.resolve(id).await? else { return Ok(false) };
        self.customers.join_audience(&id, audience, self.clock.now()).await?;
        Ok(true)
    }

    async fn leave(&self, audience: &Code, id: &CustomerId) -> anyhow::Result<()> {
        let Found::Here { id, .. } = self.customers.resolve(id).await? else { return Ok(()) };
        self.customers.leave_audience(&id, audience).await
    }

    /// The audience that the path names, if it is defined.
    pub(crate) async fn audience(&self, request: &Request) -> Result<Code, Failure> {
        let code = request.path("code", Code::parse)?;
        match self.intake.dictionary(self.clock.now()).await?.audience(code.as_str()) {
            Some(_) => Ok(code),
            None => Err(Problem::new(Kind::NotFound)
                .because("no such audience is defined; define it with PUT /v1/audiences/{code}")
                .into()),
        }
    }
}
