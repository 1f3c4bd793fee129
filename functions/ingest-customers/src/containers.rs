use domain::{Code, CustomerId};
use lambda::http::{Failure, Request, Response};
use serde_json::Value;

use crate::People;

impl People {
    /// All containers of a customer, those with nothing in them too.
    pub(crate) async fn containers(&self, request: &Request) -> Result<Response, Failure> {
        let id = self.named(request).await?;
        let shown = self.containers_of(&id).await?;
        Ok(Response::page(shown.as_array().cloned().unwrap_or_default(), None))
    }

    pub(crate) async fn containers_of(&self, id: &CustomerId) -> anyhow::Result<Value> {
        let known = self.customers.containers(id).await?;
        Ok(known.iter().map(|(code, container)| intake::show_container(code, container)).collect())
    }

    /// One container; one that nothing was ever put into is empty.
    pub(crate) async fn container(&self, request: &Request) -> Result<Response, Failure> {
        let id = self.named(request).await?;
        let code = request.path("code", Code::parse)?;
        let known = self.customers.whole_container(&id, &code).await?;
        Ok(Response::json(200, &intake::show_container(&code, &known)))
    }

    /// Puts in, takes out, sets or clears.
    pub(crate) async fn change_container(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CustomerId::parse)?;
        let code = request.path("code", Code::parse)?;
        let taken = self.intake.container(id, code, &request.json()?, self.clock.now()).await?;
        Ok(Response::json(200, &taken.shown))
    }
}
