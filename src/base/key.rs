//! Keys: integers that stand for tasks.
//!
//! ```text
//!  63          52 51                        26 25                         0
//! +--------------+----------------------------+----------------------------+
//! |  runtime 12  |       generation 26        |          slot 26           |
//! +--------------+----------------------------+----------------------------+
//!   which thread's  which of the tasks that     where in the slab of
//!   executor        lived in that slot so far   that executor
//! ```

// ANCHOR: layout
use std::fmt;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("cotask keeps a task's key in one word of 64 bits: it needs a 64-bit target");

const SLOT_BITS: u32 = 26;
const GENERATION_BITS: u32 = 26;

/// Slots of one slab, and so tasks of one runtime that may be alive at once.
pub(crate) const MAX_SLOTS: u32 = 1 << SLOT_BITS;
/// Runtimes of one process that may be alive at once.
pub(crate) const MAX_RUNTIMES: u16 = (1 << (64 - SLOT_BITS - GENERATION_BITS)) - 1;
/// The number of every simulation. None is ever woken from another thread, so they can share one, and what
/// one records does not depend on how many others there are.
pub(crate) const SIMULATED: u16 = MAX_RUNTIMES;
/// Generations are counted modulo this.
pub(crate) const GENERATIONS: u32 = 1 << GENERATION_BITS;
// ANCHOR_END: layout

// ANCHOR: key
/// What a waker says: which runtime, which slot, and which of the tasks that lived in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TaskKey(u64);

impl TaskKey {
    /// Packs the three parts, which must be within their bounds.
    pub fn new(runtime: u16, generation: u32, slot: u32) -> TaskKey {
        debug_assert!(runtime <= MAX_RUNTIMES && generation < GENERATIONS && slot < MAX_SLOTS);
        TaskKey(
            u64::from(runtime) << (SLOT_BITS + GENERATION_BITS)
                | u64::from(generation) << SLOT_BITS
                | u64::from(slot),
        )
    }

    pub(crate) fn runtime(self) -> u16 {
        (self.0 >> (SLOT_BITS + GENERATION_BITS)) as u16
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> SLOT_BITS) as u32 % GENERATIONS
    }

    /// Where in the slab.
    pub fn slot(self) -> u32 {
        self.0 as u32 % MAX_SLOTS
    }

    /// The key as a waker carries it.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> TaskKey {
        TaskKey(bits)
    }
}
// ANCHOR_END: key

// ANCHOR: show
/// `3.17.2`: runtime 3, slot 17, the third task (counted from 0) that lives there.
impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.runtime(), self.slot(), self.generation())
    }
}

impl fmt::Debug for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskKey({self})")
    }
}
// ANCHOR_END: show

/// Which task: unique among those alive, and used again for another only after a very long time.
///
/// # Examples
/// ```
/// cotask::block_on(async {
///     let (a, b) = (cotask::spawn(async {}), cotask::spawn(async {}));
///     assert_ne!(a.id(), b.id());
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(crate) TaskKey);

/// `3.17.2`: runtime 3, slot 17, and how many tasks lived in that slot before.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_returns_its_parts() {
        for (runtime, generation, slot) in
            [(0, 0, 0), (MAX_RUNTIMES - 1, GENERATIONS - 1, MAX_SLOTS - 1), (3, 5, 7)]
        {
            let key = TaskKey::new(runtime, generation, slot);
            assert_eq!((key.runtime(), key.generation(), key.slot()), (runtime, generation, slot));
        }
    }
}
