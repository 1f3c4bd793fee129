use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How long one try of a call may take. Without it a connection that hangs takes
/// the whole invocation with it.
const ATTEMPT: Duration = Duration::from_secs(4);

/// Credentials, region and endpoints from the environment.
///
/// Where the endpoints are plain HTTP, so is the connector: the default one
/// reads the system's trust store even if no connection is ever encrypted.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    if endpoints_are_plain() {
        loader.http_client(aws_smithy_http_client::Builder::new().build_http()).load().await
    } else {
        loader.load().await
    }
}

fn endpoints_are_plain() -> bool {
    std::env::vars().any(|(name, value)| name.starts_with("AWS_ENDPOINT_URL") && value.starts_with("http://"))
}
