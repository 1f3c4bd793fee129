use std::error::Error;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// An SDK error in words that may be logged.
///
/// The SDK's own way of printing one shows the service's whole answer, and an
/// answer may hold an item, and so a customer. Only the error's code goes on
/// from there; of an answer that never came, what the connection said.
pub fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    match error {
        SdkError::ServiceError(answer) => answer.err().code().unwrap_or("an error that was not named").to_owned(),
        SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
        SdkError::TimeoutError(_) => "no answer came in time".to_owned(),
        SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
        SdkError::DispatchFailure(failure) => {
            let chain =
                failure.as_connector_error().and_then(Error::source).map(ToString::to_string).unwrap_or_default();
            format!("the call broke off {chain}").trim_end().to_owned()
        }
        _ => "an error of a kind that is not known".to_owned(),
    }
}

/// Whether no connection came about, so that nothing can have been asked of the
/// service.
pub fn never_connected<E, R>(error: &SdkError<E, R>) -> bool {
    let SdkError::DispatchFailure(failure) = error else { return false };
    let mut cause = failure.as_connector_error().and_then(Error::source);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect()) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};
    use std::time::Duration;

    use aws_config::retry::RetryConfig;
    use aws_config::timeout::TimeoutConfig;
    use aws_config::{BehaviorVersion, Region, SdkConfig};

    use super::*;

    /// Whether a call to a service at this address is known never to have been asked.
    async fn is_never_connected(service: SocketAddr) -> bool {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .endpoint_url(format!("http://{service}"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(5)).build());
        let config = aws_sdk_sqs::config::Builder::from(&config.build()).allow_no_auth().build();
        let error = aws_sdk_sqs::Client::from_conf(config).list_queues().send().await.unwrap_err();
        assert!(describe(&error).starts_with("the call broke off"), "{}", describe(&error));
        never_connected(&error)
    }

    #[tokio::test]
    async fn only_where_no_connection_came_about_nothing_was_asked() {
        let service = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = service.local_addr().unwrap();
        // It takes the connection and hangs up without a word: it may have read what was asked.
        let hangs_up = std::thread::spawn(move || drop(service.accept().unwrap()));
        assert!(!is_never_connected(address).await);
        hangs_up.join().unwrap();
        // By now nobody listens there.
        assert!(is_never_connected(address).await);
    }
}
