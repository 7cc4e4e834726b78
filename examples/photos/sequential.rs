//! No async at all: between two photos the loop does the ticks that are due, which is as often as it can.

use anyhow::Result;
use indicatif::ProgressBar;

use super::Album;
use super::photo::{self, Thumbnail};
use super::ticks::Ticks;

/// # Errors
///
/// When a photo cannot be imported.
pub(crate) fn import(album: &Album, done: &ProgressBar) -> Result<(Vec<Thumbnail>, Ticks)> {
    let mut ticks = Ticks::start();
    let mut thumbnails = Vec::new();
    for file in &album.files {
        thumbnails.push(photo::import(file)?);
        done.inc(1);
        while ticks.is_due() {
            ticks.tick();
        }
    }
    Ok((thumbnails, ticks.end()))
}
