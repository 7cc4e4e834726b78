//! Loom models. Run them with `cargo loom`.
fn main() {
    println!("no model in this build: run `cargo loom`");
}
