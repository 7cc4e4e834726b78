//! The processes that do the work, and what they have together: memory and threads.
//!
//! Memory is the same measure for every style: the proportional set size (Pss), from the kernel's `smaps_rollup`. Of a page
//! that several processes map, each is charged an equal share, so that the sum over processes counts no page twice. (A sum
//! of what is resident in each would count the program's code once per worker.) The kernel keeps no maximum of it, so it is
//! sampled: whenever the cheaper count of resident pages rises, and once more before a process ends.

use std::sync::Mutex;

/// A process measures one piece of work at a time.
static GROUP: Mutex<Group> =
    Mutex::new(Group { own: true, others: Vec::new(), most: Most::NONE, risen_to: 0 });

struct Group {
    /// Whether this process does some of the work itself.
    own: bool,
    /// The other processes that do.
    others: Vec<u32>,
    most: Most,
    /// The most resident memory so far, in KiB and counted once per process: where it rises, the share has to be read again.
    risen_to: u64,
}

/// The most that was seen at once. A figure that this system does not tell is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) pss_kib: Option<u64>,
    pub(crate) threads: Option<u64>,
}

impl Most {
    const NONE: Most = Most { pss_kib: None, threads: None };
}

/// When a look reads the proportional share, which costs the kernel a walk over all pages.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// Resident memory has risen by a fiftieth.
    Risen,
    /// Resident memory has not fallen: the group is about to lose a process.
    NotFallen,
    Always,
}

/// Forgets what was seen: this process alone is the group.
pub(crate) fn begin() {
    *lock() = Group { own: true, others: Vec::new(), most: Most::NONE, risen_to: 0 };
}

/// A worker process takes part in the work.
pub(crate) fn join(pid: u32) {
    lock().others.push(pid);
}

/// All the work is done by another process instead of this one.
pub(crate) fn stand_in(pid: u32) {
    *lock() = Group { own: false, others: vec![pid], most: Most::NONE, risen_to: 0 };
}

/// Looks once more, and takes a process out: it is about to end.
pub(crate) fn leave(pid: u32) {
    look(When::NotFallen);
    lock().others.retain(|other| *other != pid);
}

/// Looks at all processes of the group.
pub(crate) fn look(when: When) {
    let mut group = lock();
    let own = group.own.then(std::process::id);
    let pids: Vec<u32> = own.into_iter().chain(group.others.iter().copied()).collect();
    // A process that has just died has nothing any more.
    let counts: Vec<Count> = pids.iter().filter_map(|pid| count(*pid)).collect();
    if counts.is_empty() {
        return;
    }
    let threads = counts.iter().map(|count| count.threads).sum();
    group.most.threads = group.most.threads.max(Some(threads));
    let resident = counts.iter().map(|count| count.resident_kib).sum::<u64>();
    let due = match when {
        When::Risen => resident > group.risen_to + group.risen_to / 50,
        When::NotFallen => resident >= group.risen_to,
        When::Always => true,
    };
    if due {
        group.risen_to = group.risen_to.max(resident);
        let shares: Vec<u64> = pids.iter().filter_map(|pid| pss_kib(*pid)).collect();
        if !shares.is_empty() {
            group.most.pss_kib = group.most.pss_kib.max(Some(shares.iter().sum()));
        }
    }
}

/// The most that the group has had since [`begin`].
pub(crate) fn most() -> Most {
    lock().most
}

fn lock() -> std::sync::MutexGuard<'static, Group> {
    GROUP.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What a process's `status` says.
struct Count {
    threads: u64,
    resident_kib: u64,
}

#[cfg(target_os = "linux")]
fn count(pid: u32) -> Option<Count> {
    let status = procfs::process::Process::new(pid.try_into().ok()?).ok()?.status().ok()?;
    Some(Count { threads: status.threads, resident_kib: status.vmrss? })
}

#[cfg(not(target_os = "linux"))]
fn count(_: u32) -> Option<Count> {
    None
}

/// The proportional share of a process; `None` where the kernel was built without it, and of a process that has ended.
fn pss_kib(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
