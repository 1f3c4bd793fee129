//! What stands between a function's code and AWS: every call may be slow, be lost on the way
//! there or back, or be turned away; and it goes on if whoever made it dies.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::world::World;

/// The way to AWS.
#[derive(Clone)]
pub(crate) struct Network {
    world: Arc<Mutex<World>>,
    /// Whether calls by this way may go wrong.
    faulty: bool,
}

/// A call as it arrives.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// Of DynamoDB.
    Tables { operation: String, body: Vec<u8> },
    /// Of SQS: messages for a queue.
    Send { body: Value },
    /// Of SES: a mail.
    Mail { body: Value },
    /// Of SES: what the account may do.
    Account,
}

/// How it goes with one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trip {
    there: Duration,
    back: Duration,
    /// Lost on the way there: nothing happens.
    lost: bool,
    /// The answer is lost on the way back.
    unheard: bool,
    /// What the service makes of it by chance, out of a hundred.
    pub(crate) chance: u8,
}

pub(crate) type Answer = (u16, Option<&'static str>, String);

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    pub(crate) fn new(world: World) -> Self {
        Self { world: Arc::new(Mutex::new(world)), faulty: true }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration of clients that go this way.
    pub(crate) fn config(&self) -> SdkConfig {
        self.config_that_is(self.faulty)
    }

    /// The same of those for whom nothing goes wrong.
    pub(crate) fn calm(&self) -> SdkConfig {
        self.config_that_is(false)
    }

    fn config_that_is(&self, faulty: bool) -> SdkConfig {
        let network = Self { world: Arc::clone(&self.world), faulty };
        let connector = aws_smithy_runtime_api::client::http::SharedHttpConnector::new(network);
        let timeouts = aws_config::timeout::TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(4));
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .endpoint_url("http://aws")
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .stalled_stream_protection(aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts.build())
            .build()
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (network, call) = (self.clone(), read(&request));
        HttpConnectorFuture::new(async move {
            // On a task of its own: whoever asks may die, and what they asked for goes on.
            match tokio::spawn(carry(network, call)).await {
                Ok(Some((status, kind, body))) => Ok(response(status, kind, body)),
                _ => Err(ConnectorError::io("the connection broke off".into())),
            }
        })
    }
}

async fn carry(network: Network, call: Call) -> Option<Answer> {
    let trip = network.trip(&call);
    sleep(trip.there).await;
    if trip.lost {
        return None;
    }
    let answer = network.world().answer(&call, trip.chance);
    sleep(trip.back).await;
    answer.filter(|_| !trip.unheard)
}

impl Network {
    fn trip(&self, call: &Call) -> Trip {
        let mut world = self.world();
        if !self.faulty {
            // Still a moment, so that others get their turn.
            let moment = Duration::from_millis(1);
            return Trip { there: moment, back: moment, lost: false, unheard: false, chance: 100 };
        }
        let faults = world.faults;
        let rng = &mut world.rng;
        let mut way = || match rng.u8(..) {
            // Longer than the caller waits for an answer, and less than a claim outlasts its caller.
            0..=1 if faults > 0 => Duration::from_millis(rng.u64(1_000..9_000)),
            2..=20 => Duration::from_millis(rng.u64(20..400)),
            _ => Duration::from_millis(rng.u64(1..12)),
        };
        let (there, back) = (way(), way());
        // What arrives after its caller's deadline and lease would be one more way to fail, which
        // no claim can bear; connections die with their process.
        let there = if matches!(call, Call::Mail { .. }) { there.min(Duration::from_millis(1_500)) } else { there };
        let (lost, unheard) = (rng.u8(..100) < faults, rng.u8(..100) < faults);
        let chance = if rng.u8(..100) < faults * 2 { rng.u8(..100) } else { 100 };
        Trip { there, back, lost, unheard, chance }
    }
}

fn read(request: &HttpRequest) -> Call {
    let body = request.body().bytes().unwrap_or_default().to_vec();
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let parsed = || serde_json::from_slice(&body).unwrap_or(Value::Null);
    match target.rsplit_once('.') {
        Some(("DynamoDB_20120810", operation)) => Call::Tables { operation: operation.to_owned(), body },
        Some(("AmazonSQS", "SendMessageBatch")) => Call::Send { body: parsed() },
        None if request.method() == "POST" && request.uri().ends_with("/v2/email/outbound-emails") => {
            Call::Mail { body: parsed() }
        }
        None if request.uri().ends_with("/v2/email/account") => Call::Account,
        _ => panic!("nobody serves {} {} {target}", request.method(), request.uri()),
    }
}

fn response(status: u16, kind: Option<&'static str>, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    if let Some(kind) = kind {
        response.headers_mut().insert("x-amzn-errortype", kind);
    }
    response
}

/// An error in the JSON of all services.
pub(crate) fn refusal(status: u16, kind: &'static str, message: &str) -> Answer {
    (status, Some(kind), json!({ "__type": kind, "message": message }).to_string())
}
