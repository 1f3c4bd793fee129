//! What the routes have in common: who calls, how often a key may call, and what
//! happens to a request that comes twice.
//!
//! A function builds an [`Api`] in its `run()` and serves through it; its
//! handlers see requests that may go ahead, and nothing of all this.

mod caller;
mod once;
mod rate;
mod seal;

use std::future::Future;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_sdk_dynamodb::Client;
use contracts::ApiKey;
use contracts::key::RATE;
use lambda::http::{Failure, Request, Response, answer_by};
use lambda::{Clock, Error};
use store::Requests;

pub use caller::{Caller, authenticate, caller_of};
pub use once::Asker;
pub use rate::Standing;

use once::Once;
use rate::Rates;

/// The layers between API Gateway and the handlers.
#[derive(Debug)]
pub struct Api {
    clock: Clock,
    once: Once,
    rates: Rates,
}

impl Api {
    /// The layers, on the table that `REQUESTS_TABLE` names.
    ///
    /// # Errors
    /// If the environment lacks the variable.
    pub fn from_env(db: Client) -> Result<Self, Error> {
        let requests = Requests::new(db, lambda::config::required("REQUESTS_TABLE")?);
        Ok(Self { clock: Clock::from_env(), once: Once::new(requests.clone()), rates: Rates::new(requests) })
    }

    /// Serves requests until the environment is taken down.
    ///
    /// # Errors
    /// If the Runtime API cannot be spoken to.
    pub async fn serve<Work: Future<Output = Result<Response, Failure>>>(
        &self,
        handler: impl Fn(Request) -> Work,
    ) -> Result<(), Error> {
        lambda::serve(async |event, context: lambda::Context| {
            anyhow::Ok(self.answer(event, Some(context.deadline), &handler).await)
        })
        .await
    }

    /// Answers one request; the function is stopped at `deadline`, in
    /// milliseconds since 1970, if that is known.
    pub async fn answer<Work: Future<Output = Result<Response, Failure>>>(
        &self,
        event: ApiGatewayV2httpRequest,
        deadline: Option<u64>,
        handler: impl FnOnce(Request) -> Work,
    ) -> Response {
        answer_by(event, deadline, async |request| {
            let Some(key_id) = request.key_id().map(str::to_owned) else { return handler(request).await };
            let rate = request.rate().unwrap_or(RATE);
            let asker = request.header("authorization").and_then(ApiKey::from_header);
            let work = async || match asker.as_ref().map(Asker::with_key) {
                Some(asker) => self.once_for(&asker, request, handler).await,
                None => handler(request).await,
            };
            Ok(self.within(&key_id, rate, work).await)
        })
        .await
    }

    /// Has the handler answer a POST, or gives the answer that it gave before to the
    /// same request under the same `Idempotency-Key`.
    ///
    /// For a function that authenticates its callers itself, once it has;
    /// [`Self::answer`] does it for those that API Gateway has authenticated.
    ///
    /// # Errors
    /// 400 if the `Idempotency-Key` cannot be one, 409 if it is another request's or
    /// this one is still under way; else what the handler fails with.
    pub async fn once_for<Work: Future<Output = Result<Response, Failure>>>(
        &self,
        asker: &Asker,
        request: Request,
        handler: impl FnOnce(Request) -> Work,
    ) -> Result<Response, Failure> {
        self.once.answer(asker, request, &self.clock, handler).await
    }

    /// Does the work if the key may make one more request now. The answer says
    /// how the key stands, in either case.
    ///
    /// For a function that authenticates its callers itself; [`Self::answer`]
    /// does it for those that API Gateway has authenticated.
    pub async fn within<Work: Future<Output = Result<Response, Failure>>>(
        &self,
        key_id: &str,
        rate: u32,
        work: impl FnOnce() -> Work,
    ) -> Response {
        let standing = self.rates.admit(key_id, rate, self.clock.now()).await;
        let answer = match standing.refusal() {
            Some(problem) => Err(problem.into()),
            None => work().await,
        };
        standing.told_in(answer.unwrap_or_else(|failure| failure.into_problem().into()))
    }
}
