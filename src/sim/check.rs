//! The search as a test.

use std::fmt::Write as _;
use std::fs::File;
use std::future::Future;
use std::io::{BufWriter, Write as _};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use super::{Builder, Search, Simulation, shrink};

/// The seed to run instead of all, for [`check`].
const VARIABLE: &str = "COTASK_SEED";

/// How many events a saved timeline has at most, the last ones.
const EVENTS: usize = 1_000_000;

/// Runs `program` in a simulation of each seed, and panics when one fails: for tests. The program itself makes the
/// hosts and says what goes wrong; where plans are to be drawn from the seed, see [`check_with`].
///
/// With the environment variable `COTASK_SEED` that seed alone is run.
///
/// # Panics
/// At the first seed that fails, with the failure, the command that runs that seed again, the least of its planned faults that
/// it takes, and the file of its timeline. Also when `COTASK_SEED` is no number.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use cotask::net::{TcpListener, TcpStream};
/// use cotask::sim;
///
/// sim::check(0..50, || async {
///     let server = sim::host("server", || async {
///         TcpListener::bind("0.0.0.0:80").await?.accept().await
///     });
///     let client = sim::host("client", || TcpStream::connect("server:80"));
///     client.done().await.unwrap();
///     server.done().await.unwrap();
/// });
/// ```
pub fn check<F: Future<Output = ()>>(seeds: Range<u64>, program: impl Fn() -> F + Sync) {
    check_with(seeds, |seed| Simulation::builder().seed(seed), program);
}

/// As [`check`], with a simulation as `prepare` makes it for a seed.
///
/// # Panics
/// As [`check`].
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use cotask::sim::{self, Kind, Plan, Simulation};
/// use cotask::time::sleep;
///
/// let prepare = |seed| {
///     let plan = Plan::draw(seed, &["idler"], Duration::from_secs(1), &[Kind::Crash]);
///     Simulation::builder().seed(seed).plan(plan)
/// };
/// sim::check_with(0..50, prepare, || async {
///     sim::host("idler", || sleep(Duration::from_secs(2))).done().await;
/// });
/// ```
pub fn check_with<F: Future<Output = ()>>(
    seeds: Range<u64>,
    prepare: impl Fn(u64) -> Builder + Sync,
    program: impl Fn() -> F + Sync,
) {
    let seeds = match std::env::var(VARIABLE) {
        Err(_) => seeds,
        Ok(text) => match text.parse() {
            Ok(seed) => seed..seed + 1,
            Err(_) => panic!("{VARIABLE} must be a seed, a number, and is '{text}'"),
        },
    };
    let searched = Search::new(seeds.clone()).run(&prepare, &program, |_| ControlFlow::Continue(()));
    let Some((&seed, found)) = searched.failed.first_key_value() else { return };
    let mut told = format!("seed {seed} of {seeds:?} fails after {:?}: {}", found.at, found.failure);
    let test = std::thread::current().name().unwrap_or("main").to_string();
    let _ = write!(told, "\nagain: {VARIABLE}={seed} cargo test {test}");
    if !found.plan.faults.is_empty()
        && let Some(shrunk) = shrink(&prepare(seed), &found.plan, &program)
    {
        let _ = write!(
            told,
            "\nof {} planned faults it takes {}:\n{}",
            found.plan.faults.len(),
            shrunk.plan.faults.len(),
            shrunk.plan.in_words()
        );
        if shrunk.failure != found.failure {
            let _ = write!(told, "with these it fails with another message: {}", shrunk.failure);
        }
    }
    let file = std::env::temp_dir().join(format!("{}-{seed}.jsonl", test.replace("::", "-")));
    let trace = prepare(seed).trace(EVENTS).build().run(program()).trace;
    match save(&trace, &file) {
        Ok(()) => drop(write!(told, "\ntimeline: {}", file.display())),
        Err(error) => drop(write!(told, "\nno timeline: {}: {error}", file.display())),
    }
    panic!("{told}");
}

fn save(trace: &crate::trace::Trace, file: &PathBuf) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    trace.write_json_lines(&mut out)?;
    out.flush()
}
