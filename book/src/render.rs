//! Builds the pages: mdBook with our own directives, and a page and a picture for each timeline.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mdbook_driver::MDBook;

use crate::timeline;

/// Where the pages go.
pub(crate) const OUT: &str = "target/book";

/// # Errors
/// When a chapter, an included file or a timeline is missing or broken, naming it.
pub(crate) fn build() -> Result<()> {
    let mut book = MDBook::load("book").context("book/")?;
    book.with_preprocessor(timeline::Directive);
    book.build()?;
    let pages = Path::new(OUT).join("timelines");
    fs::create_dir_all(&pages).with_context(|| pages.display().to_string())?;
    timeline::write_all(&pages)
}
