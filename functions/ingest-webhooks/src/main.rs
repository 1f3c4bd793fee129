//! The `ingest-webhooks` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(ingest_webhooks::run)
}
