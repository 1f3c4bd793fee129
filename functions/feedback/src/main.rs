//! The `feedback` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(feedback::run)
}
