//! The `ingest-customers` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(ingest_customers::run)
}
