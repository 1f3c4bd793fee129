//! The `timers` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(timers::run)
}
