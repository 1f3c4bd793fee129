//! The `backfill` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(backfill::run)
}
