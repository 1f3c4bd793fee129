//! The Runtime API, under a path of its own for each process. See
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use super::{Failure, Functions, PAYLOAD_BYTES, Pool};
use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

/// The Runtime API of all functions.
pub(crate) fn router(functions: Arc<Functions>) -> Router {
    let api = Router::new()
        .route("/invocation/next", get(next))
        .route("/invocation/{id}/response", post(response))
        .route("/invocation/{id}/error", post(error))
        .route("/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(PAYLOAD_BYTES));
    Router::new().nest("/runtime/{function}/{instance}/2018-06-01/runtime", api).with_state(functions)
}

async fn next(
    State(functions): State<Arc<Functions>>,
    Path((function, instance)): Path<(String, u64)>,
) -> Result<Response, StatusCode> {
    let pool = pool(&functions, &function)?;
    let work = pool.next(instance).ok_or(StatusCode::FORBIDDEN)?;
    // It ends unanswered when the pool forgets the instance.
    let work = work.await.map_err(|_| StatusCode::GONE)?;
    let headers = [
        ("lambda-runtime-aws-request-id", work.id),
        ("lambda-runtime-deadline-ms", work.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", pool.function.arn.clone()),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    let mut response = work.payload.into_response();
    for (name, value) in headers {
        let value = header::HeaderValue::from_str(&value).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

async fn response(
    State(functions): State<Arc<Functions>>,
    Path((function, instance, id)): Path<(String, u64, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, StatusCode> {
    let pool = pool(&functions, &function)?;
    let Ok(body) = body else {
        let message = format!("Response payload size exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes).");
        let failure = json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message});
        pool.answer(instance, &id, Err(Failure::Function(failure.to_string().into())));
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    };
    answered(pool.answer(instance, &id, Ok(body)))
}

async fn error(
    State(functions): State<Arc<Functions>>,
    Path((function, instance, id)): Path<(String, u64, String)>,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    answered(pool(&functions, &function)?.answer(instance, &id, Err(Failure::Function(body))))
}

async fn init_error(
    State(functions): State<Arc<Functions>>,
    Path((function, instance)): Path<(String, u64)>,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    pool(&functions, &function)?.init_failed(instance, Failure::Function(body));
    Ok(StatusCode::ACCEPTED)
}

fn answered(known: bool) -> Result<StatusCode, StatusCode> {
    if known { Ok(StatusCode::ACCEPTED) } else { Err(StatusCode::BAD_REQUEST) }
}

fn pool<'a>(functions: &'a Functions, function: &str) -> Result<&'a Arc<Pool>, StatusCode> {
    functions.get(function).ok_or(StatusCode::NOT_FOUND)
}
