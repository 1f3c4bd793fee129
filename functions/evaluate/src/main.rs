//! The `evaluate` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(evaluate::run)
}
