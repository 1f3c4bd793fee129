//! The `manage` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(manage::run)
}
