//! Metrics in CloudWatch's embedded format: a line on standard output that
//! becomes a metric without a call.

use std::io::Write;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of every metric.
const NAMESPACE: &str = "Cartwire";

static IN_LAMBDA: LazyLock<bool> = LazyLock::new(|| std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some());

/// The unit of a metric's value.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// So many.
    Count,
    /// So long.
    Milliseconds,
}

/// Writes one value of a metric, under these dimensions; nothing outside of Lambda, where
/// nobody reads it.
pub fn emit(at: Timestamp, name: &str, unit: Unit, value: f64, dimensions: &[(&str, &str)]) {
    if !*IN_LAMBDA {
        return;
    }
    let line = line(at, name, unit, value, dimensions);
    // A metric that cannot be written is no reason to fail what it counts.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

fn line(at: Timestamp, name: &str, unit: Unit, value: f64, dimensions: &[(&str, &str)]) -> Value {
    let unit = match unit {
        Unit::Count => "Count",
        Unit::Milliseconds => "Milliseconds",
    };
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let mut line = Map::from_iter([(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": [{ "Name": name, "Unit": unit }] }],
        }),
    )]);
    line.insert(name.to_owned(), json!(value));
    line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_declares_the_metric_that_it_holds() {
        let line = line(Timestamp::UNIX_EPOCH, "NotSent", Unit::Count, 2.0, &[("Reason", "suppressed")]);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Reason"]]));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "NotSent");
        assert_eq!((&line["NotSent"], &line["Reason"]), (&json!(2.0), &json!("suppressed")));
    }
}
