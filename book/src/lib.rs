//! The chapters of the book, as documentation, so that their code is compiled and run: `cargo test -p book --doc`.
//!
//! The program that builds, serves, records and checks the book is in `main.rs`.

#[cfg(doctest)]
include!(concat!(env!("OUT_DIR"), "/chapters.rs"));
