//! What a piece of work costs this process.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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
    already: u64,
    stop: Sender<()>,
    watcher: JoinHandle<(u64, Option<Cost>)>,
}

/// How often the threads are counted.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Meter {
    pub(crate) fn start() -> Meter {
        let already = threads_now().unwrap_or(1);
        let (stop, stopped) = channel::<()>();
        let watcher = std::thread::spawn(move || {
            let mut most = 0;
            loop {
                most = most.max(threads_now().unwrap_or(0));
                match stopped.recv_timeout(LOOK_EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return (most, Cost::of_this_thread()),
                }
            }
        });
        Meter { before: Cost::of_this_process(), already, stop, watcher, started: Instant::now() }
    }

    pub(crate) fn stop(self) -> Usage {
        let wall = self.started.elapsed();
        let now = threads_now();
        let after = Cost::of_this_process();
        drop(self.stop);
        let (most, watcher) = self.watcher.join().expect("the watcher only reads /proc");
        let of_watcher = watcher.unwrap_or_default();
        let cost = self.before.zip(after).map(|(before, after)| Cost {
            cpu: after.cpu.saturating_sub(before.cpu).saturating_sub(of_watcher.cpu),
            switches: after.switches.saturating_sub(before.switches).saturating_sub(of_watcher.switches),
        });
        Usage {
            wall,
            cpu: cost.map(|cost| cost.cpu),
            peak_rss_kib: peak_rss_kib(),
            // Without the watcher and the earlier ones, but with the thread that measures.
            threads: now.map(|now| now.max(most).saturating_sub(self.already).max(1)),
            switches: cost.map(|cost| cost.switches),
        }
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
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that is refused, opening a socket too many tells it better than we could.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
