//! What becomes of what a shop tells.
