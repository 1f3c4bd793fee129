//! The `product-changes` function as a process.

fn main() -> Result<(), lambda::Error> {
    lambda::main(product_changes::run)
}
