//! Tells the museum's shim that its primitives are chosen here, and the program what it was built for.

fn main() {
    println!("cargo::rustc-cfg=museum_tools");
    println!("cargo::rustc-env=TOOLS_TARGET={}", std::env::var("TARGET").expect("cargo says so"));
    println!("cargo::rerun-if-changed=build.rs");
}
