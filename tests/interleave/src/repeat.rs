//! Whether a model does the same each time, as it must: to try another choice, loom runs it from its start again and lets
//! it make all the choices before that one as it did.
//!
//! So each execution begins like the one before it. As long as the same threads took the same steps, and got the same
//! from them, each thread must begin what it began then. A thread that does not has seen something that loom did not
//! choose.

use crate::step::{At, Op, Step};

/// What a thread begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beginning {
    pub lane: u8,
    pub method: &'static str,
    pub object: u32,
    pub at: At,
}

/// The execution before this one, and how far this one is the same.
#[derive(Default)]
pub(crate) struct Repeat {
    begun_before: Vec<Beginning>,
    steps_before: Vec<Step>,
    begun: Vec<Beginning>,
    /// What was begun in the first execution of all.
    first: Vec<Beginning>,
    /// Loom has chosen nothing else yet.
    follows: bool,
    /// This is the first execution once more: loom chooses nothing else at all.
    whole: bool,
}

impl Repeat {
    /// The execution with these steps has ended, and another begins.
    pub(crate) fn execution(&mut self, steps: &mut Vec<Step>) {
        if self.first.is_empty() {
            self.first.clone_from(&self.begun);
        }
        self.steps_before.clear();
        std::mem::swap(&mut self.steps_before, steps);
        self.begun_before.clear();
        std::mem::swap(&mut self.begun_before, &mut self.begun);
        self.follows = !self.begun_before.is_empty() || self.whole;
    }

    /// The next execution is the first once more.
    pub(crate) fn start_over(&mut self) {
        self.whole = true;
        if !self.first.is_empty() {
            self.begun.clone_from(&self.first);
        }
    }

    /// A thread begins something. Says what it began in the execution before, if it cannot begin this now.
    pub(crate) fn begins(&mut self, now: Beginning, steps: usize) -> Result<(), String> {
        let before = self.begun_before.get(self.begun.len()).copied();
        self.begun.push(now);
        if !self.follows || before == Some(now) {
            return Ok(());
        }
        let differs = match before {
            Some(before) => before.lane == now.lane,
            // The model's own thread had come to its end.
            None => now.lane == 0 && steps == self.steps_before.len(),
        };
        self.follows = false;
        if !differs && !self.whole {
            return Ok(());
        }
        Err(format!(
            "{}, and the time before {}",
            place(&now),
            before.map_or("nothing".into(), |it| place(&it))
        ))
    }

    /// A thread has taken a step, the one with this index.
    pub(crate) fn steps(&mut self, index: usize, now: &Step) {
        if self.follows && !self.whole {
            let before = self.steps_before.get(index);
            self.follows = before.is_some_and(|before| before.lane == now.lane && same(&before.op, &now.op));
        }
    }

    /// The model's own thread has come to its end. Says what it began in the execution before, if it must have now.
    pub(crate) fn ends(&mut self) -> Result<(), String> {
        let before = self.begun_before.get(self.begun.len());
        let before = before.filter(|before| self.follows && (self.whole || before.lane == 0));
        before.map_or(Ok(()), |before| Err(format!("the end, and the time before {}", place(before))))
    }

    /// A panic was caught: while a thread unwinds, its steps are not noted.
    pub(crate) fn loses_track(&mut self) {
        self.follows = false;
    }

    pub(crate) fn has_started_over(&self) -> bool {
        self.whole
    }

    /// Whether all that has happened so far is what happened in the execution before.
    pub(crate) fn is_the_same(&self) -> bool {
        self.follows
    }
}

fn place(begun: &Beginning) -> String {
    let what = if begun.method.is_empty() { "a step" } else { begun.method };
    format!("{what} at {}:{}", begun.at.file(), begun.at.line())
}

/// Whether two steps of one thread are the same, as far as it can tell. A value that it writes may be another, such as an
/// address.
fn same(before: &Op, now: &Op) -> bool {
    match (before, now) {
        (Op::Store { .. }, Op::Store { .. }) | (Op::New(_), Op::New(_)) => true,
        (Op::Cell { method: before, .. }, Op::Cell { method: now, .. }) => before == now,
        (Op::Note(_), Op::Note(_)) | (Op::Unpark { .. }, Op::Unpark { .. }) => true,
        _ => before == now,
    }
}
