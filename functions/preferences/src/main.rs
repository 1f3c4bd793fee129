//! The `preferences` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(preferences::run)
}
