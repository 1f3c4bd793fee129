use tracing::level_filters::LevelFilter;

/// Writes logs to standard output as Lambda's logging controls ask for: as JSON
/// if `AWS_LAMBDA_LOG_FORMAT` says so, from `AWS_LAMBDA_LOG_LEVEL` on.
///
/// The runtime's own way of doing this brings filters by regular expression, which
/// are a twentieth of a function and serve nobody here.
pub(crate) fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let logs =
        tracing_subscriber::fmt().with_target(false).without_time().with_max_level(level.unwrap_or(LevelFilter::INFO));
    if std::env::var("AWS_LAMBDA_LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("json")) {
        logs.json().init();
    } else {
        logs.init();
    }
    // What a panic says may quote a value; where it happened is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a handler panicked");
    }));
}
