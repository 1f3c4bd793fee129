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
