//! The `import-products` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(import_products::run)
}
