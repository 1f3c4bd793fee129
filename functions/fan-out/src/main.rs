//! The `fan-out` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(fan_out::run)
}
