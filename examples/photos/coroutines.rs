//! The work on the loop, as a task beside the one that ticks. It gives way after each photo, and not within one: to be
//! `async` does not make a computation interruptible.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;
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
/// When a photo cannot be imported.
pub(crate) fn import(album: &Album, done: &ProgressBar) -> Result<(Vec<Thumbnail>, Ticks)> {
    let ticks = Rc::new(RefCell::new(Ticks::start()));
    let thumbnails = block_on(async {
        cotask::spawn(tick(interval_at(Instant::now() + PERIOD, PERIOD), ticks.clone()));
        let mut thumbnails = Vec::new();
        for file in &album.files {
            thumbnails.push(photo::import(file)?);
            done.inc(1);
            cotask::yield_now().await;
        }
        anyhow::Ok(thumbnails)
    })?;
    Ok((thumbnails, ticks.replace(Ticks::start()).end()))
}
