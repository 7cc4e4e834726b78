//! The work on the blocking pool, a few photos at once: as `threads.rs`, and the loop's own code reads like `coroutines.rs`.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;
use cotask::time::{Instant, Interval, interval_at};
use futures::stream::{self, StreamExt};
use indicatif::ProgressBar;

use super::Album;
use super::photo::{self, Thumbnail};
use super::ticks::{PERIOD, Ticks};
use crate::common::block_on;

async fn tick(mut interval: Interval, ticks: Rc<RefCell<Ticks>>) {
    loop {
        interval.tick().await;
        ticks.borrow_mut().tick();
    }
}

/// # Errors
///
/// When a photo cannot be imported.
pub(crate) fn import(album: &Album, done: &ProgressBar) -> Result<(Vec<Thumbnail>, Ticks)> {
    let ticks = Rc::new(RefCell::new(Ticks::start()));
    let thumbnails = block_on(async {
        cotask::spawn(tick(interval_at(Instant::now() + PERIOD, PERIOD), ticks.clone()));
        let jobs = stream::iter(album.files.clone())
            .map(|file| cotask::spawn_blocking(move || photo::import(&file)));
        let mut imported = jobs.buffered(album.workers);
        let mut thumbnails = Vec::new();
        while let Some(thumbnail) = imported.next().await {
            thumbnails.push(thumbnail??);
            done.inc(1);
        }
        anyhow::Ok(thumbnails)
    })?;
    Ok((thumbnails, ticks.replace(Ticks::start()).end()))
}
