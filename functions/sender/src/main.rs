//! The `sender` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(sender::run)
}
