//! The `ingest-tracking` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(ingest_tracking::run)
}
