//! Requests through the API to a function that the test plays itself.

use super::Api;
use crate::clock::Clock;
use crate::functions::{self, Functions, Launch, PAYLOAD_BYTES};
use crate::template;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use tower::ServiceExt as _;

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { IntegrationUri: !GetAtt Echo.Arn, PayloadFormatVersion: "2.0" }
  PostThing:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: "POST /things/{id}", Target: !Sub "integrations/${Integration}" }
  OptionsThing:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: "OPTIONS /things/{id}", Target: !Sub "integrations/${Integration}" }
  Echo: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Sub "${AWS::StackName}-echo" } }
"#;

struct World {
    api: Router,
    runtime: Router,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("template.yaml"), TEMPLATE).unwrap();
    let description = template::read(&file("template.yaml"), &BTreeMap::new(), "stack", "http://127.0.0.1").unwrap();
    // The process does nothing: the test answers in its place.
    std::fs::write(file("program"), "#!/bin/sh\nexec tail -f /dev/null\n").unwrap();
    std::fs::set_permissions(file("program"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let clock = Arc::new(Clock::open(file("clock")).unwrap());
    let launch = Launch {
        exe: file("program"),
        bootstraps: None,
        base_url: "http://127.0.0.1".to_owned(),
        clock: file("clock"),
        logs: None,
        time: Arc::clone(&clock),
    };
    let functions = Arc::new(Functions::new(&description.functions, launch, 1, Arc::default()));
    let api = Api::new(&description.routes, Arc::clone(&functions), clock).unwrap().router();
    World { api, runtime: functions::router(functions), _folder: folder }
}

impl World {
    async fn ask(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.api.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Asks, answers as the function, and returns what the function was asked and what was answered.
    async fn through(&self, request: Request<Body>, answer: String) -> (Value, (StatusCode, Value)) {
        let function = async {
            // Its process is started by the request.
            let (id, event) = loop {
                let next = Request::get("/runtime/echo/1/2018-06-01/runtime/invocation/next").body(Body::empty());
                let response = self.runtime.clone().oneshot(next.unwrap()).await.unwrap();
                if response.status() == StatusCode::OK {
                    let id = response.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
                    break (id, to_bytes(response.into_body(), usize::MAX).await.unwrap());
                }
                tokio::task::yield_now().await;
            };
            let path = format!("/runtime/echo/1/2018-06-01/runtime/invocation/{id}/response");
            let told = Request::post(path).body(Body::from(answer)).unwrap();
            self.runtime.clone().oneshot(told).await.unwrap();
            serde_json::from_slice(&event).unwrap()
        };
        tokio::join!(function, self.ask(request))
    }
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", "text/plain").body(body.into()).unwrap()
}

#[tokio::test]
async fn the_route_is_found_before_the_last_decoding() {
    let world = world();
    let (event, (status, _)) = world.through(post("/things/a%252Fb%253Fc", "x"), "{}".to_owned()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&event["rawPath"], &event["pathParameters"]["id"]), (&json!("/things/a/b?c"), &json!("a/b?c")));
    assert_eq!(world.ask(post("/things/a%2Fb", "x")).await.0, StatusCode::NOT_FOUND);
    let (status, answer) = world.ask(post("/things/100%25", "x")).await;
    assert_eq!((status, answer), (StatusCode::BAD_REQUEST, json!({"message": "Bad Request"})));
}

#[tokio::test]
async fn options_are_a_method_like_others() {
    let world = world();
    let request = Request::options("/things/a").body(Body::empty()).unwrap();
    let (event, (status, _)) = world.through(request, json!({"statusCode": 204}).to_string()).await;
    assert_eq!((status, &event["routeKey"]), (StatusCode::NO_CONTENT, &json!("OPTIONS /things/{id}")));
    assert_eq!(event["requestContext"]["http"]["method"], "OPTIONS");
}

#[tokio::test]
async fn what_lambda_does_not_take_is_too_long() {
    let world = world();
    let check = async |body: String, message: &str| {
        let answer = world.ask(post("/things/a", body)).await;
        assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, json!({"message": message})));
    };
    check("x".repeat(PAYLOAD_BYTES), "Request Too Long").await;
    check("\"".repeat(PAYLOAD_BYTES / 2), "Request Too Long").await;
    check("x".repeat(10 * 1024 * 1024 + 1), "Request Entity Too Large").await;
}

#[tokio::test]
async fn an_answer_that_lambda_does_not_take_is_an_error() {
    let world = world();
    let answer = json!({"statusCode": 200, "body": "x".repeat(PAYLOAD_BYTES)}).to_string();
    let (_, answer) = world.through(post("/things/a", "x"), answer).await;
    assert_eq!(answer, (StatusCode::INTERNAL_SERVER_ERROR, json!({"message": "Internal Server Error"})));
    let answer = json!({"statusCode": 200, "body": "x".repeat(PAYLOAD_BYTES - 100)}).to_string();
    let (_, (status, _)) = world.through(post("/things/a", "x"), answer).await;
    assert_eq!(status, StatusCode::OK);
}
