//! The functions that are linked into this program, so that one build is all there is.

use std::io::Read as _;

/// What a function's process ends with.
pub type Ended = Result<(), lambda::Error>;

/// Runs a function, by its folder's name, until the runner that started it is gone.
/// `None` if there is no such function.
pub fn run(name: &str) -> Option<Ended> {
    let run: fn() -> Ended = match name {
        "authorizer" => || lambda::main(authorizer::run),
        "backfill" => || lambda::main(backfill::run),
        "evaluate" => || lambda::main(evaluate::run),
        "fan-out" => || lambda::main(fan_out::run),
        "feedback" => || lambda::main(feedback::run),
        "import-products" => || lambda::main(import_products::run),
        "ingest-customers" => || lambda::main(ingest_customers::run),
        "ingest-events" => || lambda::main(ingest_events::run),
        "ingest-orders" => || lambda::main(ingest_orders::run),
        "ingest-products" => || lambda::main(ingest_products::run),
        "ingest-tracking" => || lambda::main(ingest_tracking::run),
        "ingest-webhooks" => || lambda::main(ingest_webhooks::run),
        "manage" => || lambda::main(manage::run),
        "mass-messaging" => || lambda::main(mass_messaging::run),
        "preferences" => || lambda::main(preferences::run),
        "product-changes" => || lambda::main(product_changes::run),
        "sender" => || lambda::main(sender::run),
        "timers" => || lambda::main(timers::run),
        _ => return None,
    };
    end_with_the_runner();
    Some(run())
}

/// The runner holds the other end of the standard input and never writes: when it closes, however
/// the runner ended, this process has nobody to work for.
fn end_with_the_runner() {
    std::thread::spawn(|| {
        let mut nothing = [0];
        while std::io::stdin().read(&mut nothing).is_ok_and(|read| read > 0) {}
        std::process::exit(0);
    });
}
