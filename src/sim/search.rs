//! The search: a program under many seeds, until one of them fails.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Builder, Failure, Kind, Plan, Report};

/// How to search. [`check`](super::check) is the short way, for tests.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use std::time::Duration;
///
/// use cotask::sim::{Search, Simulation};
/// use cotask::time::sleep;
///
/// let searched = Search::new(0..100).run(
///     |seed| Simulation::builder().seed(seed),
///     || async {
///         let hare = cotask::spawn(sleep(Duration::from_millis(1)));
///         cotask::yield_now().await;
///         sleep(Duration::from_millis(2)).await;
///         hare.await.unwrap();
///     },
///     |_| ControlFlow::Continue(()),
/// );
/// assert_eq!((searched.seeds, searched.failed.len()), (100, 0));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until `run` is called"]
pub struct Search {
    seeds: Range<u64>,
    threads: usize,
    twice: bool,
    all: bool,
}

/// What a search has found.
#[derive(Clone, Default, Debug)]
pub struct Searched {
    /// How many seeds were run.
    pub seeds: u64,
    /// Those that failed, by seed: at most one, unless [all](Search::all) were asked for.
    pub failed: BTreeMap<u64, Found>,
    /// The seeds whose second run was not the same as the first.
    pub differing: BTreeSet<u64>,
    /// How often each kind of fault really happened.
    pub faults: BTreeMap<Kind, u64>,
    /// On the clocks of all simulations together.
    pub virtual_time: Duration,
    /// The sum of the hashes of all seeds.
    pub hash: u64,
}

/// A seed that fails.
#[derive(Clone, Debug)]
pub struct Found {
    /// Why.
    pub failure: Failure,
    /// The faults that were planned.
    pub plan: Plan,
    /// When it failed, on the simulation's clock.
    pub at: Duration,
}

impl Search {
    /// A search over `seeds`, in as many threads as the machine has for this process, until one fails.
    pub fn new(seeds: Range<u64>) -> Search {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Search { seeds, threads, twice: false, all: false }
    }

    /// How many threads search.
    ///
    /// # Panics
    /// When that is none.
    pub fn threads(self, threads: usize) -> Search {
        assert!(threads > 0, "a search needs at least one thread");
        Search { threads, ..self }
    }

    /// Runs each seed twice, and reports those that differ.
    pub fn twice(self, twice: bool) -> Search {
        Search { twice, ..self }
    }

    /// Goes on after a failure.
    pub fn all(self, all: bool) -> Search {
        Search { all, ..self }
    }

    /// Runs the program under each seed. `prepare` returns the configuration of its simulation. `progress` gets all
    /// results so far after each seed, and may end the search.
    ///
    /// The result does not depend on how many threads there are and how they run: the search ends with the lowest
    /// seed that fails, and the results of higher ones are discarded.
    ///
    /// # Panics
    /// When `prepare` or `progress` does.
    pub fn run<F: Future<Output = ()>>(
        &self,
        prepare: impl Fn(u64) -> Builder + Sync,
        program: impl Fn() -> F + Sync,
        progress: impl Fn(&Searched) -> ControlFlow<()> + Sync,
    ) -> Searched {
        let next = AtomicU64::new(self.seeds.start);
        let stop = AtomicBool::new(false);
        let in_order = Mutex::new(InOrder::default());
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !self.seeds.contains(&seed) {
                    return;
                }
                let builder = prepare(seed);
                let plan = builder.plan.clone();
                // In one place: the line that runs it is a part of what is recorded.
                let run = |builder: Builder| builder.build().run(program());
                let report = run(builder);
                let differs = self.twice && run(prepare(seed)).hash != report.hash;
                let mut in_order = in_order.lock().unwrap_or_else(PoisonError::into_inner);
                in_order.ahead.insert(seed, Ran { plan, report, differs });
                while let Some((seed, ran)) = in_order.pop(self.seeds.start) {
                    let ends = (ran.report.result.is_err() || ran.differs) && !self.all;
                    in_order.searched.add(seed, ran);
                    if progress(&in_order.searched).is_break() || ends {
                        in_order.ended = true;
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.threads {
                scope.spawn(work);
            }
            work();
        });
        in_order.into_inner().unwrap_or_else(PoisonError::into_inner).searched
    }
}

/// A seed that was run.
struct Ran {
    plan: Plan,
    report: Report<()>,
    differs: bool,
}

/// The runs, back in the order of their seeds. Else chance would say how many seeds above one that fails are counted.
#[derive(Default)]
struct InOrder {
    searched: Searched,
    /// Those that are done before one of a lower seed is.
    ahead: BTreeMap<u64, Ran>,
    /// What is still ahead does not count.
    ended: bool,
}

impl InOrder {
    /// The next seed in order, if it is done.
    fn pop(&mut self, first: u64) -> Option<(u64, Ran)> {
        let next = first + self.searched.seeds;
        if self.ended { None } else { self.ahead.remove_entry(&next) }
    }
}

impl Searched {
    fn add(&mut self, seed: u64, Ran { plan, report, differs }: Ran) {
        self.seeds += 1;
        self.virtual_time += report.virtual_time;
        self.hash = self.hash.wrapping_add(report.hash);
        for (kind, count) in report.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        if differs {
            self.differing.insert(seed);
        }
        if let Err(failure) = report.result {
            self.failed.insert(seed, Found { failure, plan, at: report.virtual_time });
        }
    }
}
