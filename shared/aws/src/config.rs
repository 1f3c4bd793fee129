use aws_config::{BehaviorVersion, SdkConfig};

/// Credentials, region and endpoints from the environment.
///
/// Where the endpoints are plain HTTP, so is the connector: the default one
/// reads the system's trust store even if no connection is ever encrypted.
pub async fn sdk_config() -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    if endpoints_are_plain() {
        loader.http_client(aws_smithy_http_client::Builder::new().build_http()).load().await
    } else {
        loader.load().await
    }
}

fn endpoints_are_plain() -> bool {
    std::env::vars().any(|(name, value)| name.starts_with("AWS_ENDPOINT_URL") && value.starts_with("http://"))
}
