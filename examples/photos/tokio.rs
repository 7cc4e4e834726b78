//! `blocking.rs` on tokio's runtime of one thread, with tokio's blocking pool.

use std::cell::RefCell;
use std::rc::Rc;

use ::tokio::runtime::Builder;
use ::tokio::task::{LocalSet, spawn_blocking, spawn_local};
use ::tokio::time::{Instant, Interval, interval_at};
use anyhow::{Context, Result};
use futures::stream::{self, StreamExt};
use indicatif::ProgressBar;

use super::Album;
use super::photo::{self, Thumbnail};
use super::ticks::{PERIOD, Ticks};

async fn tick(mut interval: Interval, ticks: Rc<RefCell<Ticks>>) {
    loop {
        interval.tick().await;
        ticks.borrow_mut().tick();
    }
}

/// # Errors
///
/// When the runtime cannot be made, or a photo not be imported.
pub(crate) fn import(album: &Album, done: &ProgressBar) -> Result<(Vec<Thumbnail>, Ticks)> {
    let runtime = Builder::new_current_thread().enable_time().build().context("tokio's runtime")?;
    let ticks = Rc::new(RefCell::new(Ticks::start()));
    let thumbnails = LocalSet::new().block_on(&runtime, async {
        spawn_local(tick(interval_at(Instant::now() + PERIOD, PERIOD), ticks.clone()));
        let jobs = stream::iter(album.files.clone()).map(|file| spawn_blocking(move || photo::import(&file)));
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
