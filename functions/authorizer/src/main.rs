//! The `authorizer` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(authorizer::run)
}
