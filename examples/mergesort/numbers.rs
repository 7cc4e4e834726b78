//! The integers, the sort, and the merge.

use std::time::Duration;

/// `count` integers, always the same ones.
pub(crate) fn make(count: usize) -> Vec<i64> {
    let mut state = 0_u64;
    // splitmix64 (Steele, Lea and Flood, 2014).
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).cast_signed()
    };
    (0..count).map(|_| next()).collect()
}

/// Merge sort by the book: two halves, each sorted, then merged (John von Neumann, 1945).
pub(crate) fn merge_sort(numbers: &[i64]) -> Vec<i64> {
    match numbers {
        [] | [_] => numbers.to_vec(),
        _ => {
            let (left, right) = numbers.split_at(numbers.len() / 2);
            merge(&merge_sort(left), &merge_sort(right))
        }
    }
}

/// Two sorted runs as one.
fn merge(mut left: &[i64], mut right: &[i64]) -> Vec<i64> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let ([first, ..], [second, ..]) = (left, right) {
        if first <= second {
            merged.push(*first);
            left = &left[1..];
        } else {
            merged.push(*second);
            right = &right[1..];
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    merged
}

/// Sorted runs, merged as they arrive. As with the digits of a binary counter, a run is merged with one of its own size,
/// so that each integer is moved about log2(runs) times in whatever order they come.
#[derive(Default)]
pub(crate) struct Runs(Vec<Vec<i64>>);

impl Runs {
    pub(crate) fn add(&mut self, mut run: Vec<i64>) {
        while let Some(last) = self.0.pop_if(|last| last.len() <= run.len()) {
            run = merge(&last, &run);
        }
        self.0.push(run);
    }

    pub(crate) fn finish(mut self) -> Vec<i64> {
        let mut all = self.0.pop().unwrap_or_default();
        while let Some(run) = self.0.pop() {
            all = merge(&run, &all);
        }
        all
    }
}

/// Does some work, and tells how much processor time this thread spent on it. Time on the wall would also count the
/// turns of others on the same core.
#[cfg(target_os = "linux")]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    use nix::time::{ClockId, clock_gettime};

    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default();
    let before = now();
    let value = work();
    (value, now().saturating_sub(before))
}

/// Where there is no clock of the thread, the wall's has to do.
#[cfg(not(target_os = "linux"))]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = std::time::Instant::now();
    let value = work();
    (value, before.elapsed())
}
