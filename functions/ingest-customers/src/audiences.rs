use contracts::{Kind, Problem};
use domain::read::{Faults, Reader};
use domain::{Code, CustomerId, Fault};
use intake::at_once;
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Found, List};

use crate::People;

/// The most customers that one request may put in or take out.
const MOST: usize = 500;

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
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let add = reader.optional("add", ids).unwrap_or_default();
        let remove = reader.optional("remove", ids).unwrap_or_default();
        reader.finish()?;
        let both: Faults = add
            .iter()
            .enumerate()
            .filter(|(_, id)| remove.contains(id))
            .map(|(index, _)| Fault::new(format!("/add/{index}"), "is among those to be removed as well"))
            .collect();
        if !both.is_empty() {
            return Err(both.into());
        }
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

fn ids(value: &Value) -> Result<Vec<CustomerId>, String> {
    let items = value.as_array().filter(|items| items.len() <= MOST);
    let items = items.ok_or_else(|| format!("must be a list of at most {MOST} ids"))?;
    let id = |(index, item): (usize, &Value)| {
        let id = CustomerId::parse(item.as_str().unwrap_or_default());
        id.map_err(|error| format!("has at {index} what is no id: it {error}"))
    };
    items.iter().enumerate().map(id).collect()
}
