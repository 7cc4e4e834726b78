//! Mutants of the kit's source: a copy of the package in the target directory, one text replaced, built
//! beside the original.
//!
//! The first copy shares the target directory, so that only the kit itself is compiled anew, and its files are
//! written only where they differ, so that the compiler can build on what it knows. Cargo builds one thing at a time in a
//! target directory, so a second copy has its own. One `cargo loom` at a time changes a copy.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The directory in which mutants are built.
pub struct Workshop {
    original: PathBuf,
    copy: PathBuf,
    target: PathBuf,
    /// From the first mutant on the copy is ours as long as this lives: also the program of a mutant, which
    /// the next one overwrites.
    lock: Option<File>,
}

impl Workshop {
    /// The first, in the target directory that this very program was built in.
    pub fn open() -> Result<Workshop> {
        // TARGET/release/deps/loom-0123456789abcdef
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(3).ok_or("this program stands outside of a target directory")?;
        Ok(Workshop { original: root(), copy: target.join("mutants"), target: target.into(), lock: None })
    }

    /// One beside the first, which compiles on another core, and all dependencies once more.
    pub fn open_beside() -> Result<Workshop> {
        let Workshop { original, target, .. } = Workshop::open()?;
        let target = target.join("beside");
        Ok(Workshop { original, copy: target.join("mutants"), target, lock: None })
    }

    /// Builds the kit with one text replaced. Returns the program with the models. Waits for the process that has the copy.
    pub fn build(&mut self, file: &str, from: &str, to: &str) -> Result<PathBuf> {
        if self.lock.is_none() {
            fs::create_dir_all(&self.target)?;
            self.lock = Some(lock(&self.copy.with_extension("lock"))?);
        }
        self.restore()?;
        self.replace(file, from, to)?;
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let output = Command::new(cargo)
            .current_dir(&self.copy)
            .args([
                "test",
                "--no-run",
                "--package",
                "cargo-loom",
                "--test",
                "loom",
                "--release",
                "--offline",
                "--message-format",
                "json",
            ])
            .args(["--config", "build.rustflags=['--cfg','cotask_loom']"])
            .arg("--config")
            .arg(self.original.join("tests/loom/profile.toml"))
            // Compiling costs far more here than running: a mutant mostly fails within its first executions.
            .args(["--config", "profile.release.package.cotask.opt-level=0"])
            .args(["--config", "profile.release.package.cargo-loom.opt-level=0"])
            .args(["--config", "profile.release.incremental=true"])
            .arg("--target-dir")
            .arg(&self.target)
            .output()?;
        if !output.status.success() {
            return Err(
                format!("the mutant does not compile:\n{}", String::from_utf8_lossy(&output.stderr)).into()
            );
        }
        built::program(&String::from_utf8(output.stdout)?, "loom")
            .ok_or_else(|| "cargo named no program for the mutant".into())
    }

    /// Where the copy is: the places in a mutant's source are relative to it.
    pub fn folder(&self) -> &Path {
        &self.copy
    }

    /// Makes the copy equal to the original again.
    fn restore(&self) -> Result<()> {
        for directory in ["src", "tests/loom", "tests/cargo-loom/src", "examples/common"] {
            mirror(&self.original.join(directory), &self.copy.join(directory))?;
        }
        // No mutant of the kit concerns an exhibit or an exercise, and each would compile all of them anew.
        for (file, text) in [
            ("tests/museum/exhibits.rs", "pub const MODELS: &[&crate::model::Model] = &[];\n"),
            ("tests/exercises/exercises.rs", "pub const EXERCISES: &[&crate::model::Exercise] = &[];\n"),
        ] {
            let file = self.copy.join(file);
            fs::create_dir_all(file.parent().ok_or("a file without a folder")?)?;
            write_if_changed(&file, text.as_bytes())?;
        }
        // One and the same packages for all mutants, compiled already.
        let there = |manifest: String, written: &str, package: &str| {
            let original = format!("path = '{}'", self.original.join(package).display());
            manifest.replace(&format!("path = \"{written}\""), &original)
        };
        let manifest = fs::read_to_string(self.original.join("Cargo.toml"))?;
        let manifest = there(manifest, "tests/interleave", "tests/interleave");
        let manifest = there(manifest, "examples/coroutine", "examples/coroutine");
        write_if_changed(&self.copy.join("Cargo.toml"), manifest_of_copy(&manifest).as_bytes())?;
        let models = fs::read_to_string(self.original.join("tests/cargo-loom/Cargo.toml"))?;
        let models = there(models, "../interleave", "tests/interleave");
        write_if_changed(&self.copy.join("tests/cargo-loom/Cargo.toml"), models.as_bytes())?;
        if !self.copy.join("Cargo.lock").exists() || is_newer(&self.original, &self.copy, "Cargo.lock")? {
            fs::copy(self.original.join("Cargo.lock"), self.copy.join("Cargo.lock"))?;
        }
        Ok(())
    }

    fn replace(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let source = source_with(&self.copy, file, from)?;
        Ok(fs::write(self.copy.join(file), source.replacen(from, to, 1))?)
    }
}

/// The file, locked until it is closed: at the latest when this process ends, however it does.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another cargo loom, which builds mutants in {}", path.display());
        }
        Err(TryLockError::Error(error)) => return Err(format!("{}: {error}", path.display()).into()),
    }
    file.lock()?;
    Ok(file)
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).into()
}

/// Whether the sources still have the text that a mutant replaces, once.
pub fn check(file: &str, from: &str) -> Result<()> {
    source_with(&root(), file, from).map(drop)
}

fn source_with(root: &Path, file: &str, from: &str) -> Result<String> {
    let source = fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
    match source.matches(from).count() {
        1 => Ok(source),
        0 => Err(format!("{file} has drifted: it no longer contains\n{from}").into()),
        n => Err(format!("{file} contains this {n} times, and must once:\n{from}").into()),
    }
}

fn is_newer(original: &Path, copy: &Path, file: &str) -> Result<bool> {
    Ok(fs::metadata(original.join(file))?.modified()? > fs::metadata(copy.join(file))?.modified()?)
}

/// The manifest without what the copy does not have: other members of the workspace, examples, other tests.
fn manifest_of_copy(manifest: &str) -> String {
    let mut kept = String::new();
    for section in sections(manifest) {
        match section.lines().next().unwrap_or_default().trim() {
            "[[example]]" | "[[bench]]" | "[[bin]]" | "[[test]]" => {}
            "[workspace]" => {
                kept.push_str("[workspace]\nmembers = [\"tests/cargo-loom\"]\nresolver = \"3\"\n\n");
            }
            _ => kept.push_str(section),
        }
    }
    kept
}

/// A manifest cut before each line that opens a table.
fn sections(manifest: &str) -> Vec<&str> {
    let mut cuts: Vec<usize> = manifest.match_indices("\n[").map(|(at, _)| at + 1).collect();
    cuts.insert(0, 0);
    cuts.push(manifest.len());
    cuts.windows(2).map(|cut| &manifest[cut[0]..cut[1]]).collect()
}

/// Makes directory `to` have the contents of `from`, and touches only what differs.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => mirror(&entry.path(), &there)?,
            false => write_if_changed(&there, &fs::read(entry.path())?)?,
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, contents: &[u8]) -> Result<()> {
    match fs::read(path) {
        Ok(present) if present == contents => Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(fs::write(path, contents)?),
    }
}
