//! libFuzzer, set on the target that the environment variable `TARGET` names.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| panic!("TARGET={name:?} is no target: see fuzz::TARGETS"))
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
