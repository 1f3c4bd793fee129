//! The same template in the hands of Handlebars' own renderers.

use super::{Args, sample};
use anyhow::Context as _;
use handlebars::{Context, Handlebars};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// The release of handlebars.js that is measured.
const RELEASE: &str = "handlebars@4.7.8";

const SCRIPT: &str = include_str!("handlebars.mjs");

/// Renders [`sample::BARE`] with the handlebars crate, the data being its context already.
pub(super) fn of_the_crate(data: &Value) -> anyhow::Result<impl Fn() -> Option<String>> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_template_string("bare", sample::BARE)?;
    let context = Context::from(data.clone());
    anyhow::ensure!(registry.render_with_context("bare", &context).is_ok(), "the crate does not render the sample");
    Ok(move || registry.render_with_context("bare", &context).ok())
}

/// Microseconds in which handlebars.js renders [`sample::BARE`] under Node.
///
/// # Errors
/// If there is no Node, or npm does not get it.
pub(super) fn of_js(args: &Args, data: &Value) -> anyhow::Result<f64> {
    anyhow::ensure!(!args.no_js, "--no-js was given");
    let folder = std::env::temp_dir().join("cartwire-handlebars-js");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("measure.mjs"), SCRIPT)?;
    let npm = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .args([folder.as_os_str(), RELEASE.as_ref()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("there is no npm")?;
    anyhow::ensure!(npm.success(), "npm did not get {RELEASE}");
    let mut node = Command::new("node")
        .arg(folder.join("measure.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("there is no Node")?;
    let asked = json!({ "template": sample::BARE, "data": data, "rounds": args.rounds, "round_ms": args.round_ms });
    // Closed when it is dropped, so that Node sees the end.
    node.stdin.take().context("Node takes no input")?.write_all(asked.to_string().as_bytes())?;
    let output = node.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "Node failed");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
