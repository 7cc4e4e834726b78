//! A directory for files that are not needed afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

/// Those that exist, for the end by Ctrl-C, which runs no destructors.
static EXISTING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A new directory among the system's temporary ones. It goes with this value, and also when Ctrl-C ends the program.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one; `what` becomes a part of its name.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn new(what: &str) -> Result<Scratch> {
        let path = std::env::temp_dir().join(format!("cotask-{what}-{}", std::process::id()));
        EXISTING.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        fs::create_dir_all(&path).with_context(|| format!("cannot make the directory {}", path.display()))?;
        Ok(Scratch(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes them all: the program is about to end.
pub(crate) fn remove_all() {
    for path in EXISTING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // Another thread may still add a file while this one removes; once the directory has gone it cannot.
        for _ in 0..100 {
            if fs::remove_dir_all(&path).is_ok() || !path.exists() {
                break;
            }
        }
    }
}
