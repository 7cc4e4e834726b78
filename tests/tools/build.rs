//! Tells the museum's shim that its primitives are chosen here.

fn main() {
    println!("cargo::rustc-cfg=museum_tools");
    println!("cargo::rerun-if-changed=build.rs");
}
