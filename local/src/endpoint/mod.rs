//! AWS, as the functions see it: who calls, whether they may, what goes wrong, and then the service.

mod dynamodb;
mod ses;
mod sqs;

use crate::activity::Activity;
use crate::calls::Calls;
use crate::dynamodb::DynamoDb;
use crate::events::Events;
use crate::faults::{Call, Faults, When};
use crate::functions::{Functions, Pool};
use crate::iam::Wanted;
use crate::serve::HangUp;
use crate::sqs::Queues;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Most bytes of a request: mail with its attachments is the largest.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What the endpoint hands calls to.
pub(crate) struct Services {
    pub(crate) dynamodb: Arc<DynamoDb>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) ses: Router,
    pub(crate) events: Events,
    pub(crate) functions: Arc<Functions>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) activity: Arc<Activity>,
}

/// Who calls: a process of a function.
struct Caller<'a> {
    pool: &'a Arc<Pool>,
    instance: u64,
}

/// A call that has been read far enough to know what it wants.
enum Prepared {
    DynamoDb(dynamodb::Prepared),
    Sqs(sqs::Prepared),
    Ses(ses::Prepared),
}

/// The endpoint of all services.
pub(crate) fn router(services: Arc<Services>) -> Router {
    Router::new().fallback(answer).with_state(services)
}

async fn answer(State(services): State<Arc<Services>>, request: Request) -> Response {
    // A client may go away in the middle; what it began is carried out all the same, as on AWS.
    let work = tokio::spawn(async move { services.answer(request).await });
    work.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl Services {
    async fn answer(&self, request: Request) -> Response {
        let busy = self.activity.begin();
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MOST_BYTES).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let caller = self.caller(&parts.headers);
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let prepared = match target.split_once('.') {
            Some(("DynamoDB_20120810", operation)) => dynamodb::prepare(operation, body).map(Prepared::DynamoDb),
            Some(("AmazonSQS", operation)) => sqs::prepare(&self.queues, operation, &body).map(Prepared::Sqs),
            _ if parts.uri.path().starts_with("/v2/email/") => Ok(Prepared::Ses(ses::prepare(parts, body))),
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => return *refused,
        };
        let function = caller.as_ref().map(|caller| caller.pool.function.name.as_str());
        let (service, operation) = (prepared.service(), prepared.operation().to_owned());
        self.calls.count(service, &operation, function);
        let verdict = self.faults.judge(Call { service, operation: &operation, function });
        if !verdict.delay.is_zero() {
            tokio::time::sleep(verdict.delay).await;
        }
        if verdict.kill == Some(When::Before) {
            return hang_up(caller).await;
        }
        if verdict.throttle {
            return prepared.throttled();
        }
        if let (Prepared::Ses(_), Some((status, error, message))) = (&prepared, &verdict.refuse) {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return ses::refused(status, error, message);
        }
        if let Some(caller) = &caller
            && let Some(refused) = prepared.refusal(caller)
        {
            return refused;
        }
        let answer = match prepared {
            Prepared::DynamoDb(call) => {
                let (answer, consumed) = call.carry_out(&self.dynamodb).await;
                self.calls.consumed(&consumed, function);
                answer
            }
            Prepared::Sqs(call) => {
                self.calls.sqs(call.payload_bytes(), function);
                call.carry_out(&self.queues).await
            }
            Prepared::Ses(call) => {
                let answer = call.carry_out(self.ses.clone()).await;
                // What SES tells about a mail is as safe as the mail before the sender hears of it.
                self.events.flush().await;
                answer
            }
        };
        drop(busy);
        if verdict.kill == Some(When::After) {
            return hang_up(caller).await;
        }
        if verdict.lose_answer {
            return hang_up(None).await;
        }
        answer
    }

    /// `None` for a caller that is no function, such as a person with a command line: it may do everything.
    fn caller(&self, headers: &HeaderMap) -> Option<Caller<'_>> {
        let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = authorization.split_once("Credential=")?;
        let (key, _) = credential.split_once('/')?;
        let (function, instance) = key.rsplit_once('.')?;
        Some(Caller { pool: self.functions.get(function)?, instance: instance.parse().ok()? })
    }
}

impl Prepared {
    fn service(&self) -> &'static str {
        match self {
            Self::DynamoDb(_) => "dynamodb",
            Self::Sqs(_) => "sqs",
            Self::Ses(_) => "ses",
        }
    }

    fn operation(&self) -> &str {
        match self {
            Self::DynamoDb(call) => &call.operation,
            Self::Sqs(call) => &call.operation,
            Self::Ses(call) => call.operation,
        }
    }

    fn throttled(&self) -> Response {
        match self {
            Self::DynamoDb(_) => amz_json(
                StatusCode::BAD_REQUEST,
                "com.amazonaws.dynamodb.v20120810#ThrottlingException",
                "Throughput exceeds the current throughput limit for your account.",
            ),
            Self::Sqs(_) => sqs::refused("RequestThrottled", "The request was denied due to request throttling.", 400),
            Self::Ses(_) => {
                ses::refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Too many requests.")
            }
        }
    }

    /// What IAM says, if it says no.
    fn refusal(&self, caller: &Caller<'_>) -> Option<Response> {
        let wanted = match self {
            Self::DynamoDb(call) => call.wanted(),
            Self::Sqs(call) => call.wanted(),
            Self::Ses(call) => return call.refusal(&caller.pool.function),
        };
        let wanted = wanted.into_iter().find(|wanted| !caller.pool.function.policy.allows(wanted))?;
        let message = denied(&caller.pool.function.function_name, &wanted);
        Some(match self {
            Self::Sqs(_) => sqs::refused("AccessDeniedException", &message, 403),
            _ => amz_json(StatusCode::BAD_REQUEST, "com.amazon.coral.service#AccessDeniedException", &message),
        })
    }
}

/// IAM's sentence.
fn denied(function_name: &str, wanted: &Wanted) -> String {
    format!(
        "User: {} is not authorized to perform: {} on resource: {} because no identity-based policy allows the {} action",
        format_args!("arn:aws:sts::{}:assumed-role/{function_name}/{function_name}", crate::names::ACCOUNT),
        wanted.action,
        wanted.resource,
        wanted.action,
    )
}

fn amz_json(status: StatusCode, kind: &str, message: &str) -> Response {
    json(status, serde_json::json!({"__type": kind, "message": message}).to_string())
}

fn json(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}

/// No answer at all; the caller, if there is one, is killed first.
async fn hang_up(caller: Option<Caller<'_>>) -> Response {
    if let Some(caller) = caller {
        caller.pool.kill(caller.instance).await;
    }
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}
