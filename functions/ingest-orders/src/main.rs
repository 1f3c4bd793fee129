//! The `ingest-orders` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(ingest_orders::run)
}
