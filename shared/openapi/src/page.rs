//! The document as a page for people: one file that loads nothing else.

mod view;
mod words;

use handlebars::{Handlebars, RenderError};
use serde_json::Value;

/// The page of a document that [`crate::document`] made.
///
/// # Errors
/// If the page's own template is wrong, which a test rules out.
pub fn page(document: &Value) -> Result<String, RenderError> {
    let mut pages = Handlebars::new();
    pages.set_strict_mode(true);
    pages.render_template(include_str!("page/page.html"), &view::of(document))
}
