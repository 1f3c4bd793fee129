//! The `mass-messaging` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(mass_messaging::run)
}
