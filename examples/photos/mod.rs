//! An import of photos: each is read, blurred and made small, which takes longer than the 16 ms in which an event loop has
//! to draw the next frame, or answer the next request.
//!
//! The loop ticks every 16 ms and notes how late each tick is. A tick that comes when the next one is already due is missed.
//! The styles differ in where the work runs: on the loop, on a thread, on the blocking pool.

mod blocking;
mod coroutines;
mod photo;
mod sequential;
mod threads;
mod ticks;
mod tokio;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::common::{Common, Figure, Hash, Meter, Outcome, Scratch, Size, Style, Workload, progress, source};

/// Import photos while an event loop must tick every 16 ms, and count the ticks that it misses
#[derive(clap::Parser)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// How many photos; they are made up in a temporary directory, always the same ones
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    photos: u64,
    /// Width and height of a photo in pixels
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u64).range(64..=8_000))]
    side: u64,
    /// How many photos may be in work at once, in the styles blocking and tokio; one less than there are cores if not given
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=256))]
    workers: Option<u64>,
}

/// What there is to import.
pub(crate) struct Album {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) workers: usize,
}

/// The bytes of all photos together.
const MOST_BYTES: u64 = 4 << 30;

pub(crate) static WORKLOAD: Workload = Workload {
    name: "photos",
    question: "An event loop must answer every 16 ms: where does long work belong?",
    counts: "photos",
    decides: Figure::P99,
    because: "the loop has to be on time. p99 is how late its ticks are; how soon the photos are done is wall time.",
    plots: &[Figure::P99, Figure::Wall],
    styles: &[
        source(Style::Sequential, "sequential.rs", include_str!("sequential.rs")),
        source(Style::Threads, "threads.rs", include_str!("threads.rs")).beside_cotask(),
        source(Style::Coroutines, "coroutines.rs", include_str!("coroutines.rs")),
        source(Style::Blocking, "blocking.rs", include_str!("blocking.rs")),
        source(Style::Tokio, "tokio.rs", include_str!("tokio.rs")),
    ],
    cases: |size| match size {
        Size::Quick => vec![10],
        Size::Normal => vec![5, 10, 20],
        Size::Full => vec![5, 20, 80, 200],
    },
    args: |_size, _style, photos| Some(vec!["--photos".into(), photos.to_string()]),
    command: <Args as clap::CommandFactory>::command,
    run: |matches| run(&<Args as clap::FromArgMatches>::from_arg_matches(matches)?),
};

fn run(args: &Args) -> anyhow::Result<Option<Outcome>> {
    let bytes = args.photos * args.side * args.side * photo::CHANNELS as u64;
    anyhow::ensure!(
        bytes <= MOST_BYTES,
        "--photos {} of --side {} take {bytes} bytes, and {MOST_BYTES} are allowed",
        args.photos,
        args.side
    );
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = args.workers.map_or(Ok(cores.saturating_sub(1).max(1)), usize::try_from)?;
    let scratch = Scratch::new("photos")?;
    let files = photo::make(scratch.path(), args.photos, usize::try_from(args.side)?)?;
    let album = Album { files, workers };
    let bar = progress(args.photos, "importing");

    let meter = Meter::start();
    let (thumbnails, ticks) = match args.common.style {
        Style::Sequential => sequential::import(&album, &bar)?,
        Style::Threads => threads::import(&album, &bar)?,
        Style::Coroutines => coroutines::import(&album, &bar)?,
        Style::Blocking => blocking::import(&album, &bar)?,
        Style::Tokio => tokio::import(&album, &bar)?,
        other => return Err(WORKLOAD.no_style(other)),
    };
    let usage = meter.stop();
    bar.finish_and_clear();

    let hash = thumbnails.iter().fold(Hash::new(), |hash, thumbnail| hash.and(&thumbnail.0));
    let small = photo::THUMBNAIL;
    let words = format!("{} photos of {1} x {1}, made {small} x {small}", thumbnails.len(), args.side);
    Ok(Some(
        Outcome::new(args.photos, usage)
            .answer_hash(words, hash)
            .latencies(&ticks.lateness)
            .also("ticks", ticks.lateness.count() as f64)
            .also("missed ticks", ticks.missed as f64),
    ))
}
