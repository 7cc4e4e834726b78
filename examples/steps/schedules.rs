//! Tries every schedule of a few small threads: what loom does, as small as it can be.
//! Used by step 12.

// ANCHOR: step
/// What a thread of a model does in one go.
#[derive(Clone, Copy)]
pub enum Step<World> {
    /// All see it at once: a load, or all that is done under one lock.
    Do(fn(&mut World)),
    /// A store that the other threads may see later, when this thread has already gone
    /// on: a processor keeps stores back in a buffer unless a fence forbids it.
    Store(fn(&mut World)),
}

/// A thread of a model: its remaining steps, and a store that no other thread sees yet.
#[derive(Clone, Copy)]
pub struct Thread<'a, World> {
    pub steps: &'a [Step<World>],
    pub kept_back: Option<fn(&mut World)>,
}

/// In how many schedules things went wrong.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tried {
    pub schedules: u32,
    pub wrong: u32,
}
// ANCHOR_END: step

// ANCHOR: explore
/// At each moment any thread that can go on may be the next. This tries all of them,
/// one after the other, each from the same state of the world; and looks, where a
/// schedule ends, whether it is `wrong`.
pub fn explore<World: Copy>(
    world: World,
    threads: [Thread<'_, World>; 2],
    wrong: fn(&World) -> bool,
) -> Tried {
    let mut tried = Tried::default();
    for at in 0..2 {
        let mut go_on = |act: Option<fn(&mut World)>, thread: Thread<'_, World>| {
            let (mut world, mut threads) = (world, threads);
            if let Some(act) = act {
                act(&mut world);
            }
            threads[at] = thread;
            let Tried { schedules, wrong } = explore(world, threads, wrong);
            tried.schedules += schedules;
            tried.wrong += wrong;
        };
        let Thread { steps, kept_back } = threads[at];
        if let Some(store) = kept_back {
            go_on(Some(store), Thread { steps, kept_back: None });
        }
        match (steps, kept_back) {
            ([Step::Do(act), steps @ ..], _) => {
                go_on(Some(*act), Thread { steps, kept_back })
            }
            ([Step::Store(act), steps @ ..], None) => {
                go_on(None, Thread { steps, kept_back: Some(*act) })
            }
            // A second store waits until the first is out: the buffer is a queue, here
            // of one place.
            ([Step::Store(_), ..], Some(_)) | ([], _) => {}
        }
    }
    if tried.schedules == 0 {
        // No thread can go on: this schedule has ended.
        return Tried { schedules: 1, wrong: u32::from(wrong(&world)) };
    }
    tried
}
// ANCHOR_END: explore
