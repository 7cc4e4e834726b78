//! What a piece of work costs this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::group::{self, Most, When};

#[cfg(unix)]
use nix::sys::resource::{Resource, Usage as Rusage, UsageWho, getrlimit, getrusage, setrlimit};

/// The cost of a piece of work. A figure that this system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time of all threads, and of the child processes that were started and waited for meanwhile.
    pub(crate) cpu: Option<Duration>,
    /// The most memory that the processes which do the work had at once, in KiB: see [`group`](super::group).
    pub(crate) peak_pss_kib: Option<u64>,
    /// The most threads that they had at once, seen by looking every few milliseconds.
    pub(crate) threads: Option<u64>,
    /// Context switches, voluntary and not, of all threads.
    pub(crate) switches: Option<u64>,
}

/// Measures the process and its workers from [`start`](Meter::start) to [`stop`](Meter::stop).
///
/// A thread of its own looks at memory and threads; its time, its switches and itself are taken out of the figures,
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

/// What the watching thread has cost itself.
#[derive(Default)]
struct Watch {
    cpu_us: AtomicU64,
    switches: AtomicU64,
    /// Held while it looks: a cost that is read meanwhile would hold a part of that look.
    looking: Mutex<()>,
}

/// How often memory and threads are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Meter {
    pub(crate) fn start() -> Meter {
        // The watcher comes in the place of the thread that measures, which is to be counted.
        group::begin();
        group::look(When::Always);
        let apart = group::most().threads.unwrap_or(1);
        let watch = Arc::new(Watch::default());
        let (stop, stopped) = channel::<()>();
        let watching = watch.clone();
        let watcher = std::thread::spawn(move || {
            loop {
                watching.look();
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
        group::look(When::Always);
        drop(self.stop);
        self.watcher.join().expect("the watcher only reads /proc");
        let Most { pss_kib, threads } = group::most();
        Usage {
            wall,
            cpu: cost.map(|cost| cost.cpu),
            peak_pss_kib: pss_kib,
            threads: threads.map(|most| most.saturating_sub(self.apart).max(1)),
            switches: cost.map(|cost| cost.switches),
        }
    }

    /// What the process has cost so far, without the watcher.
    fn cost(&self) -> Option<Cost> {
        let _none_under_way = self.watch.looking.lock().expect("the watcher only reads /proc");
        let all = Cost::of_this_process()?;
        let watching = Duration::from_micros(self.watch.cpu_us.load(Ordering::Relaxed));
        Some(Cost {
            cpu: all.cpu.saturating_sub(watching),
            switches: all.switches.saturating_sub(self.watch.switches.load(Ordering::Relaxed)),
        })
    }
}

impl Watch {
    /// On the watching thread: looks, and says what that has cost so far.
    fn look(&self) {
        let _under_way = self.looking.lock().expect("the meter only reads costs");
        group::look(When::Risen);
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

/// Lets this process and its helpers open as many descriptors as the system allows; many systems start with 256 or 1,024.
pub(crate) fn raise_descriptor_limit() {
    #[cfg(unix)]
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that is refused, opening a socket too many tells it better than we could.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
