//! What AWS would take for it, at list price in us-east-1, in dollars for a million.

use crate::usage::FunctionCost;
use serde::Serialize;

/// Write request units of a table billed by request.
const WRITE_UNITS: f64 = 0.625;
/// Read request units.
const READ_UNITS: f64 = 0.125;
/// Requests to a standard queue.
const SQS: f64 = 0.40;
/// Requests to an HTTP API.
const HTTP_API: f64 = 1.00;
/// Invocations.
const INVOCATIONS: f64 = 0.20;
/// A second of a gigabyte on arm64, in dollars.
const GIGABYTE_SECOND: f64 = 0.000_013_333_4;
/// MiB of memory for which a function gets a whole processor.
const WHOLE_PROCESSOR_MB: f64 = 1769.0;

/// What is not counted by the runner.
pub(crate) struct Price {
    /// Requests to the HTTP API for one of what is counted.
    pub(crate) api_requests: f64,
    /// How long a call to AWS takes.
    pub(crate) call_ms: f64,
}

/// What some functions take for one of what is counted.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Share {
    pub(crate) cpu_ms: f64,
    pub(crate) invocations: f64,
    pub(crate) aws_calls: f64,
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
    pub(crate) sqs_requests: f64,
    /// How long invocations took here.
    pub(crate) billed_ms_here: f64,
    /// How long they would be billed on AWS.
    pub(crate) billed_ms: f64,
    pub(crate) usd_per_million: Dollars,
}

/// Dollars for a million of what is counted.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Dollars {
    pub(crate) http_api: f64,
    pub(crate) invocations: f64,
    pub(crate) function_time: f64,
    pub(crate) dynamodb_writes: f64,
    pub(crate) dynamodb_reads: f64,
    pub(crate) sqs: f64,
    pub(crate) total: f64,
}

impl Price {
    pub(crate) fn of<'a>(&self, functions: impl Iterator<Item = &'a FunctionCost>) -> Share {
        let mut share = Share::default();
        let mut gigabyte_seconds = 0.0;
        for function in functions {
            let units = function.units();
            let billed_ms = self.billed_ms(function);
            share.cpu_ms += function.cpu_ms;
            share.invocations += function.invocations;
            share.aws_calls += function.calls();
            share.write_units += units.write_units;
            share.read_units += units.read_units;
            share.sqs_requests += function.sqs_requests;
            share.billed_ms_here += function.billed_ms;
            share.billed_ms += billed_ms;
            gigabyte_seconds += billed_ms / 1000.0 * f64::from(function.memory_mb) / 1024.0;
        }
        let mut dollars = Dollars {
            http_api: self.api_requests * HTTP_API,
            invocations: share.invocations * INVOCATIONS,
            function_time: gigabyte_seconds * GIGABYTE_SECOND * 1e6,
            dynamodb_writes: share.write_units * WRITE_UNITS,
            dynamodb_reads: share.read_units * READ_UNITS,
            sqs: share.sqs_requests * SQS,
            total: 0.0,
        };
        let Dollars { http_api, invocations, function_time, dynamodb_writes, dynamodb_reads, sqs, total: _ } = dollars;
        dollars.total = http_api + invocations + function_time + dynamodb_writes + dynamodb_reads + sqs;
        share.usd_per_million = dollars;
        share
    }

    /// Time that AWS would bill. A function with little memory has the same share of a processor, and its
    /// calls are taken to be made one after the other; each invocation is rounded up by half a millisecond
    /// in the mean. Starts are not in it.
    fn billed_ms(&self, function: &FunctionCost) -> f64 {
        let processor = (f64::from(function.memory_mb) / WHOLE_PROCESSOR_MB).clamp(0.01, 1.0);
        function.cpu_ms / processor + function.calls() * self.call_ms + function.invocations * 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Units;
    use std::collections::BTreeMap;

    #[test]
    fn a_million_costs_what_the_price_list_says() {
        let function = FunctionCost {
            name: "ingest-orders".to_owned(),
            cpu_ms: 1.0,
            invocations: 1.0,
            aws_calls: BTreeMap::from([("dynamodb.GetItem".to_owned(), 1.0), ("dynamodb.PutItem".to_owned(), 2.0)]),
            billed_ms: 3.0,
            memory_mb: 256,
            dynamodb: BTreeMap::from([("customers".to_owned(), Units { read_units: 0.5, write_units: 4.0 })]),
            sqs_requests: 0.0,
            sqs_messages: 0.0,
        };
        let share = Price { api_requests: 1.0, call_ms: 5.0 }.of([&function].into_iter());
        // 1 ms of a processor is 6.91 ms of a function with a seventh of one; 15 ms for the calls.
        assert!((share.billed_ms - 22.41).abs() < 0.01);
        let dollars = share.usd_per_million;
        assert!((dollars.function_time - 0.0747).abs() < 0.0001);
        assert!((dollars.total - (1.0 + 0.2 + 0.0747 + 2.5 + 0.0625)).abs() < 0.0001);
    }
}
