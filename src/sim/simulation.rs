//! One run of a program in a world of its own.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use crate::base::clock::{Clock, Instant};
use crate::base::error::panic_message;
use crate::base::rng::Rng;
use crate::blocking;
use crate::executor::Executor;
use crate::executor::current::Entered;
use crate::executor::driver::{Driver, Simulator};
use crate::executor::root;
use crate::executor::run_queue::Order;
use crate::trace::Recorder;

use super::plan::Plan;
use super::report::{Failure, Report};
use super::state::{Occurrence, World};

/// A world with one seed, to run one program in.
///
/// # Examples
/// ```
/// use cotask::sim::Simulation;
/// use std::time::Duration;
///
/// let report = Simulation::builder().seed(1).limit(Duration::from_secs(90_000)).build().run(async {
///     cotask::time::sleep(Duration::from_secs(86_400)).await;
/// });
/// assert_eq!(report.virtual_time, Duration::from_secs(86_400));
/// ```
pub struct Simulation {
    executor: Rc<Executor>,
    world: Rc<World>,
}

/// Configuration of a [`Simulation`], from [`Simulation::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    seed: u64,
    fifo: bool,
    trace: usize,
    pub(super) plan: Plan,
    limit: Duration,
    panics: bool,
}

impl Simulation {
    /// Seed 0, tasks in drawn order, an hour at most, no trace kept, no faults.
    pub fn builder() -> Builder {
        let (plan, limit) = (Plan::default(), Duration::from_secs(3_600));
        Builder { seed: 0, fifo: false, trace: 0, plan, limit, panics: true }
    }

    /// Runs `main` to its end, on a host of that name, with the hosts that it makes. What they have left by then is
    /// dropped.
    ///
    /// # Panics
    /// When called inside a runtime.
    #[track_caller]
    pub fn run<F: Future>(self, main: F) -> Report<F::Output> {
        let source = Location::caller();
        let Simulation { executor, world } = &self;
        let ended = catch_unwind(AssertUnwindSafe(|| root::block_on(executor, main, source)));
        let _entered = Entered::within(executor);
        let panicked = |payload: Box<dyn Any + Send>| Failure::Panic {
            host: "main".into(),
            task: "main".into(),
            message: panic_message(payload.as_ref()).into(),
        };
        let failure = world.state.borrow_mut().failure.take();
        let watch = world.state.borrow().watch.clone();
        let broken = watch.look(|watch| watch.broken());
        let result = match (broken, failure, ended) {
            // Whatever else is wrong may come of that.
            (Some(broken), ..) => Err(Failure::Contract(broken)),
            (None, Some(failure), _) => Err(failure),
            (None, None, Ok(output)) => Ok(output),
            (None, None, Err(payload)) => Err(panicked(payload)),
        };
        if result.is_ok() {
            world.find_leaks(0);
        }
        let mut state = world.state.borrow_mut();
        let hash = executor.recorder().map(|_| watch.look(|watch| watch.hash()));
        Report {
            result,
            virtual_time: world.now() - Instant::from_nanos(0),
            trace: executor.recorder().map(|recorder| recorder.tape().take()).unwrap_or_default(),
            hash: hash.unwrap_or_default(),
            faults: std::mem::take(&mut state.counts),
            leaks: std::mem::take(&mut state.leaks),
        }
    }
}

/// Drops what is left, while the world is still there.
impl Drop for Simulation {
    fn drop(&mut self) {
        root::shutdown(&self.executor, None);
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").finish_non_exhaustive()
    }
}

impl Builder {
    /// The root of all that is drawn.
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = seed;
        self
    }

    /// Runs tasks first come first served, as a real run does, instead of in drawn order.
    pub fn fifo(mut self, fifo: bool) -> Builder {
        self.fifo = fifo;
        self
    }

    /// Keeps the last `events` of the trace. The [hash](Report::hash) is over all of them in any case.
    pub fn trace(mut self, events: usize) -> Builder {
        self.trace = events;
        self
    }

    /// What goes wrong by plan.
    pub fn plan(mut self, plan: Plan) -> Builder {
        self.plan = plan;
        self
    }

    /// How long it may take, in virtual time: then it ends with [`Failure::TimeLimit`].
    pub fn limit(mut self, limit: Duration) -> Builder {
        self.limit = limit;
        self
    }

    /// Whether a panic of any task is a failure of the simulation, as it is by default. If not, only those of `main`
    /// and of the hosts' own futures are; the others are the business of who joins the task.
    pub fn task_panics_fail(mut self, fail: bool) -> Builder {
        self.panics = fail;
        self
    }

    /// Makes it. It takes no descriptor and no thread of the machine.
    pub fn build(self) -> Simulation {
        let clock = Clock::new_virtual();
        let Clock::Virtual(now) = &clock else { unreachable!("it was made virtual") };
        let world = Rc::new(World::new(Rc::clone(now), self.seed, self.limit, self.panics));
        world.add_host("main", None, Location::caller());
        for (at, fault) in self.plan.faults {
            let at = now.get() + at;
            world.state.borrow_mut().at(at, Occurrence::Fault(fault));
        }
        let order = if self.fifo { Order::Fifo } else { Order::Seeded(Rng::stream(self.seed, "order")) };
        let watch = world.state.borrow().watch.clone();
        let recorder = Recorder::observed(&clock, self.trace, Box::new(watch));
        let driver = Driver::Sim(Rc::clone(&world) as Rc<dyn Simulator>);
        let executor = Executor::new(driver, order, clock, Some(recorder), blocking::Config::default());
        Simulation { executor: executor.expect("a simulation needs nothing of the system"), world }
    }
}
