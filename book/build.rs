//! Makes a module a chapter, whose documentation is the chapter: so the code in it that stands alone is compiled and run
//! by `cargo test -p book --doc`. The list is `SUMMARY.md` itself, so that no chapter can be left out.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    let text = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("text");
    let summary = text.join("SUMMARY.md");
    println!("cargo::rerun-if-changed={}", summary.display());
    let mut modules = String::new();
    let listed = fs::read_to_string(&summary).expect("the book has a summary");
    for target in listed.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let file = text.join(target);
        if target.is_empty() || !file.is_file() {
            continue;
        }
        let module: String = target
            .trim_end_matches(".md")
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let _ = writeln!(modules, "#[doc = include_str!({file:?})]\nmod part_{module} {{}}");
    }
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("chapters.rs");
    fs::write(out, modules).expect("cargo's own directory can be written");
}
