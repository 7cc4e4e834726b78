//! What a piece of work costs this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

#[cfg(unix)]
use nix::sys::resource::{Resource, Usage as Rusage, UsageWho, getrlimit, getrusage, setrlimit};

/// The cost of a piece of work. A figure that this system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time of all threads, and of the child processes that were started and waited for meanwhile.
    pub(crate) cpu: Option<Duration>,
    /// The most memory that the process had resident since it started (`VmHWM`), in KiB.
    pub(crate) peak_rss_kib: Option<u64>,
    /// The most threads seen at once, by looking every few milliseconds.
    pub(crate) threads: Option<u64>,
    /// Context switches, voluntary and not, of all threads.
    pub(crate) switches: Option<u64>,
}

impl Usage {
    /// Adds the memory and the threads of a worker process, as it measured them itself. Its CPU time is in already, if it
    /// was waited for before [`Meter::stop`].
    pub(crate) fn add_worker(&mut self, peak_rss_kib: Option<u64>, threads: Option<u64>) {
        self.peak_rss_kib = self.peak_rss_kib.zip(peak_rss_kib).map(|(mine, its)| mine + its);
        self.threads = self.threads.zip(threads).map(|(mine, its)| mine + its);
    }
}

/// Measures the process from [`start`](Meter::start) to [`stop`](Meter::stop).
///
/// A thread of its own looks at the number of threads; its time, its switches and itself are taken out of the figures,
/// and so are the threads that were there before (of helpers such as [`Peer`](super::Peer)), except the one that starts the meter.
pub(crate) struct Meter {
    started: Instant,
    before: Option<Cost>,
    /// Threads that are not to be counted.
    apart: u64,
    watch: Arc<Watch>,
    stop: Sender<()>,
    watcher: JoinHandle<()>,
}

/// What the watching thread has seen, and what it cost itself.
#[derive(Default)]
struct Watch {
    most: AtomicU64,
    cpu_us: AtomicU64,
    switches: AtomicU64,
}

/// How often the threads are counted.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Meter {
    pub(crate) fn start() -> Meter {
        // The watcher comes in the place of the thread that measures, which is to be counted.
        let apart = threads_now().unwrap_or(1);
        let watch = Arc::new(Watch::default());
        let (stop, stopped) = channel::<()>();
        let watching = watch.clone();
        let watcher = std::thread::spawn(move || {
            loop {
                watching.look();
                watching.tell_cost();
                // Nothing is ever sent: the channel closes when the meter stops.
                if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        let before = Cost::of_this_process();
        Meter { before, apart, watch, stop, watcher, started: Instant::now() }
    }

    /// As [`start`](Meter::start), from a thread that does none of the work and is not to be counted.
    pub(crate) fn start_aside() -> Meter {
        let mut meter = Meter::start();
        meter.apart += 1;
        meter
    }

    /// Forgets the time, the CPU time and the switches so far: what was done was only preparation. The threads that were
    /// started for it count.
    pub(crate) fn restart(&mut self) {
        self.before = self.cost();
        self.started = Instant::now();
    }

    pub(crate) fn stop(self) -> Usage {
        let wall = self.started.elapsed();
        let cost = self.before.zip(self.cost()).map(|(before, after)| Cost {
            cpu: after.cpu.saturating_sub(before.cpu),
            switches: after.switches.saturating_sub(before.switches),
        });
        self.watch.look();
        drop(self.stop);
        self.watcher.join().expect("the watcher only reads /proc");
        let most = self.watch.most.load(Ordering::Relaxed);
        Usage {
            wall,
            cpu: cost.map(|cost| cost.cpu),
            peak_rss_kib: peak_rss_kib(),
            threads: (most > 0).then(|| most.saturating_sub(self.apart).max(1)),
            switches: cost.map(|cost| cost.switches),
        }
    }

    /// What the process has cost so far, without the watcher.
    fn cost(&self) -> Option<Cost> {
        let all = Cost::of_this_process()?;
        let watching = Duration::from_micros(self.watch.cpu_us.load(Ordering::Relaxed));
        Some(Cost {
            cpu: all.cpu.saturating_sub(watching),
            switches: all.switches.saturating_sub(self.watch.switches.load(Ordering::Relaxed)),
        })
    }
}

impl Watch {
    fn look(&self) {
        self.most.fetch_max(threads_now().unwrap_or(0), Ordering::Relaxed);
    }

    /// On the watching thread: what it cost so far.
    fn tell_cost(&self) {
        let cost = Cost::of_this_thread().unwrap_or_default();
        self.cpu_us.store(cost.cpu.as_micros() as u64, Ordering::Relaxed);
        self.switches.store(cost.switches, Ordering::Relaxed);
    }
}

/// What `getrusage` tells.
#[derive(Clone, Copy, Default)]
struct Cost {
    cpu: Duration,
    switches: u64,
}

impl Cost {
    /// This process, and its children that have been waited for.
    #[cfg(unix)]
    fn of_this_process() -> Option<Cost> {
        let own = Cost::of(UsageWho::RUSAGE_SELF)?;
        let children = Cost::of(UsageWho::RUSAGE_CHILDREN)?;
        Some(Cost { cpu: own.cpu + children.cpu, switches: own.switches + children.switches })
    }

    #[cfg(target_os = "linux")]
    fn of_this_thread() -> Option<Cost> {
        Cost::of(UsageWho::RUSAGE_THREAD)
    }

    #[cfg(not(target_os = "linux"))]
    fn of_this_thread() -> Option<Cost> {
        None
    }

    #[cfg(not(unix))]
    fn of_this_process() -> Option<Cost> {
        None
    }

    #[cfg(unix)]
    fn of(who: UsageWho) -> Option<Cost> {
        let usage: Rusage = getrusage(who).ok()?;
        let (user, system) = (usage.user_time(), usage.system_time());
        let us = (user.tv_sec() + system.tv_sec()) * 1_000_000 + user.tv_usec() + system.tv_usec();
        let switches = usage.voluntary_context_switches() + usage.involuntary_context_switches();
        Some(Cost {
            cpu: Duration::from_micros(u64::try_from(us).ok()?),
            switches: u64::try_from(switches).ok()?,
        })
    }
}

#[cfg(target_os = "linux")]
fn threads_now() -> Option<u64> {
    procfs::process::Process::myself().ok()?.status().ok().map(|status| status.threads)
}

/// `VmHWM` rather than `ru_maxrss`, which a new program inherits from the one that started it.
#[cfg(target_os = "linux")]
pub(crate) fn peak_rss_kib() -> Option<u64> {
    procfs::process::Process::myself().ok()?.status().ok()?.vmhwm
}

#[cfg(not(target_os = "linux"))]
fn threads_now() -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn peak_rss_kib() -> Option<u64> {
    None
}

/// Lets this process and its helpers open as many descriptors as the system allows; many systems start with 256 or 1,024.
pub(crate) fn raise_descriptor_limit() {
    #[cfg(unix)]
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that is refused, opening a socket too many tells it better than we could.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
