//! The work on a thread of its own, which sends each thumbnail to the loop. The loop only waits, and is there when a tick is due.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context, Result};
use cotask::sync::mpsc;
use cotask::time::{Instant, Interval, interval_at};
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
/// When a photo cannot be imported, or the thread not be started.
pub(crate) fn import(album: &Album, done: &ProgressBar) -> Result<(Vec<Thumbnail>, Ticks)> {
    let ticks = Rc::new(RefCell::new(Ticks::start()));
    let files = album.files.clone();
    let (imported, mut arriving) = mpsc::unbounded_channel();
    let work = move || {
        for file in files {
            if imported.send(photo::import(&file)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().spawn(work).context("cannot start a thread")?;
    let thumbnails = block_on(async {
        cotask::spawn(tick(interval_at(Instant::now() + PERIOD, PERIOD), ticks.clone()));
        let mut thumbnails = Vec::new();
        while let Some(thumbnail) = arriving.recv().await {
            thumbnails.push(thumbnail?);
            done.inc(1);
        }
        anyhow::Ok(thumbnails)
    })?;
    Ok((thumbnails, ticks.replace(Ticks::start()).end()))
}
