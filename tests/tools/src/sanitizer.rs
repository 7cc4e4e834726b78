//! The sanitizers: this program, compiled once more with their checks in every access to memory. They look at real
//! runs on real threads, so there they repeat what `stress` does.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What rustc calls one, and what it says when it finds something, with a word for it.
pub struct Sanitizer {
    name: &'static str,
    /// The standard library must be compiled with it too.
    needs_std: bool,
    pub says: &'static [(&'static str, &'static str)],
}

pub const ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    needs_std: false,
    says: &[("ERROR: AddressSanitizer", "memory"), ("ERROR: LeakSanitizer: detected memory leaks", "leak")],
};

/// It has to see every access that orders others. With a standard library that came compiled without it, it takes the
/// last drop of an `Arc` for a race.
pub const THREAD: Sanitizer = Sanitizer {
    name: "thread",
    needs_std: true,
    says: &[("WARNING: ThreadSanitizer: data race", "race"), ("WARNING: ThreadSanitizer", "report")],
};

impl Sanitizer {
    /// Builds the program in a target directory of its own. A stable compiler refuses the flags unless
    /// `RUSTC_BOOTSTRAP` is set; not every platform has the sanitizers.
    pub fn build(&self) -> Result<PathBuf> {
        if self.needs_std && !has_source_of_std()? {
            bail!("the source of the standard library is not here (`rustup component add rust-src`)");
        }
        // TARGET/release/tools
        let this = std::env::current_exe()?;
        let target = this.ancestors().nth(2).context("this program stands outside of a target directory")?;
        let target = target.join("sanitizers").join(self.name);
        eprintln!("building with the sanitizer for {} (a minute or two, the first time)", self.name);
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        // With a target named, build scripts and macros stay as they are.
        let output = Command::new(cargo)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args([
                "build",
                "--release",
                "--quiet",
                "--locked",
                "-p",
                "tools",
                "--target",
                env!("TOOLS_TARGET"),
            ])
            .args([OsStr::new("--target-dir"), target.as_os_str()])
            .args(self.needs_std.then_some("-Zbuild-std"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags())
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("{}", errors.lines().find(|line| line.contains("error")).unwrap_or("the build fails"));
        }
        let program = if cfg!(windows) { "tools.exe" } else { "tools" };
        Ok(target.join(env!("TOOLS_TARGET")).join("release").join(program))
    }

    fn flags(&self) -> String {
        let sanitizer = format!("-Zsanitizer={}", self.name);
        // Otherwise the compiler would refuse a standard library built without the sanitizer.
        let mixed = "-Cunsafe-allow-abi-mismatch=sanitizer".to_owned();
        let flags = if self.needs_std { vec![sanitizer] } else { vec![sanitizer, mixed] };
        flags.join("\x1f")
    }
}

fn has_source_of_std() -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().context("rustc")?;
    let sysroot = String::from_utf8(output.stdout)?;
    Ok(Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.toml").exists())
}
