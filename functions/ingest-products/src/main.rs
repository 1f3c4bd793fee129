//! The `ingest-products` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(ingest_products::run)
}
