//! The `ingest-events` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(ingest_events::run)
}
