//! The answers to `barrier`: the version that you began with, one that keeps the promise, and a model that tells them apart.
//!
//! "The count is zero" holds only until the next thread arrives. A waiter must wait until *its* meeting has ended,
//! so meetings need numbers.

use crate::exercises::barrier::{Barrier, Mine, model};
use crate::model::{Exercise, Model, Mutant};
use crate::museum::shim::atomic::{AtomicU32, Ordering::Relaxed};
use crate::museum::shim::{Arc, thread};
use crate::museum::shim::{Condvar, Mutex};

// ANCHOR: starter
pub struct Starter {
    here: Mutex<u32>,
    changed: Condvar,
}

impl Barrier for Starter {
    fn new() -> Self {
        Starter { here: Mutex::new(0), changed: Condvar::new() }
    }

    fn wait(&self) {
        let mut here = self.here.lock().unwrap();
        *here += 1;
        if *here == 2 {
            *here = 0;
            self.changed.notify_all();
            return;
        }
        while *here != 0 {
            here = self.changed.wait(here).unwrap();
        }
    }
}
// ANCHOR_END: starter

// ANCHOR: solution
pub struct Solution {
    /// How many threads are here, and the number of the meeting.
    state: Mutex<(u32, u32)>,
    changed: Condvar,
}

impl Barrier for Solution {
    fn new() -> Self {
        Solution { state: Mutex::new((0, 0)), changed: Condvar::new() }
    }

    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        if state.0 == 2 {
            *state = (0, state.1 + 1);
            self.changed.notify_all();
            return;
        }
        let meeting = state.1;
        while state.1 == meeting {
            state = self.changed.wait(state).unwrap();
        }
    }
}
// ANCHOR_END: solution

// ANCHOR: model
pub fn check<B: Barrier>() {
    let shared = Arc::new((B::new(), [AtomicU32::new(0), AtomicU32::new(0)]));
    let meet = |shared: &(B, [AtomicU32; 2]), me: usize| {
        for meeting in 1..=2 {
            shared.1[me].store(meeting, Relaxed);
            shared.0.wait();
            let other = shared.1[1 - me].load(Relaxed);
            assert!(other >= meeting, "the other had not come to meeting {meeting}");
        }
    };
    let theirs = shared.clone();
    let other = thread::spawn(move || meet(&theirs, 1));
    meet(&shared, 0);
    other.join().unwrap();
}
// ANCHOR_END: model

pub static EXERCISE: Exercise = Exercise {
    check: Model {
        name: "exercise_barrier",
        about: "a barrier that is used again",
        invariants: &[],
        bound: None,
        body: check::<Solution>,
        mutants: &[Mutant::Body { name: "starter", body: check::<Starter> }],
    },
    hint: "One meeting works. What if the faster of the two is back before the slower has left?",
    stages: [model::<Starter>, model::<Solution>, model::<Mine>, check::<Mine>],
};
