//! The rows in which an execution fails.

use super::RowKind;
use super::rows::{CELL, Rows};
use crate::failure::Kind;
use crate::recorder::{Op, Step, UNNUMBERED};
use crate::source::short;

/// A loop that yields does so within its last so many steps.
const ROUND: usize = 12;

impl Rows<'_> {
    /// The rows in which it failed.
    pub(super) fn failure(&mut self, message: &str) {
        let panic = self.recording.panic.clone();
        let place = panic.as_ref().and_then(|panic| panic.at.clone());
        let lane = panic.and_then(|panic| panic.lane);
        match self.kind {
            Kind::Deadlock => {
                for lane in 0..self.recording.lanes.len() {
                    self.stuck(lane);
                }
            }
            Kind::Leak => self.leaked(),
            Kind::Race | Kind::Endless => {
                let lane = usize::from(lane.unwrap_or_default());
                let doing = self.recording.lanes.get(lane).and_then(|lane| lane.doing);
                let what =
                    doing.map_or_else(|| message.into(), |doing| self.call(doing.object, doing.method));
                let mut why = message.to_owned();
                if self.kind == Kind::Endless {
                    why += self.advice(lane);
                }
                let mut from = None;
                if let Some((_, row, other)) = doing.and_then(|doing| self.left.get(&(CELL, doing.object))) {
                    why = format!(
                        "data race with step {} of {}: nothing orders the two",
                        row + 1,
                        self.lane(*other)
                    );
                    from = Some(*row);
                }
                let at = doing.map(|doing| (doing.at.file().to_owned(), doing.at.line()));
                self.fails(lane, what, why, at, from);
            }
            Kind::Panic | Kind::Limit | Kind::Outlives => {
                let lane = usize::from(lane.unwrap_or_default());
                let what = if self.kind == Kind::Panic { "panics" } else { "the exploration stops" };
                self.fails(lane, what.into(), message.into(), place, None);
            }
        }
    }

    /// What helps a loop that does not end on this lane.
    fn advice(&self, lane: usize) -> &'static str {
        let mine = self.recording.steps.iter().rev().filter(|step| usize::from(step.lane) == lane);
        match mine.take(ROUND).any(|step| matches!(step.op, Op::Yield)) {
            false => {
                ". If the loop waits for another thread, it must call thread::yield_now: loom may otherwise let this \
                 thread run alone"
            }
            true => ". If it is a loop, it does yield: what it waits for does not come",
        }
    }

    fn call(&self, object: u32, method: &str) -> String {
        if object == UNNUMBERED { method.into() } else { format!("{}.{method}()", self.name(object)) }
    }

    /// Where this lane stands in a deadlock.
    fn stuck(&mut self, lane: usize) {
        let Some(doing) = self.recording.lanes[lane].doing else { return };
        let holder = self.holder(doing.object);
        let what = format!("{}: never returns", self.call(doing.object, doing.method));
        let why = match (doing.method, holder) {
            ("lock" | "read" | "write", Some((row, holder))) => {
                format!("held by {}, step {}", self.lane(holder), row + 1)
            }
            ("sleep until woken", _) => "no thread will call its waker".into(),
            ("wait", _) => "no thread will notify it".into(),
            ("park", _) => "no thread will unpark it".into(),
            ("join", _) => "that thread does not end".into(),
            _ => "no thread is left to end it".into(),
        };
        let at = Some((doing.at.file().to_owned(), doing.at.line()));
        let from = holder.map(|(row, _)| row);
        self.fails(lane, what, why, at, from);
    }

    /// The row and the lane of the last lock of this object that was not unlocked.
    fn holder(&self, object: u32) -> Option<(usize, u8)> {
        let name = self.names.get(object as usize)?;
        let last = self.rows.iter().enumerate().rev().find(|(_, row)| {
            let of_it = row
                .what
                .strip_prefix(name.as_str())
                .is_some_and(|rest| [".lock()", ".try_lock()", ".read()", ".write()"].contains(&rest));
            of_it || row.what == format!("unlock {name}") || row.why.starts_with(&format!("unlocks {name} "))
        })?;
        let held = !last.1.what.starts_with("unlock") && !last.1.why.starts_with("unlocks");
        held.then_some((last.0, last.1.lane as u8))
    }

    /// A row for each handle of an `Arc` that is left.
    fn leaked(&mut self) {
        let mut handles: Vec<(&Step, u32)> = Vec::new();
        for step in &self.recording.steps {
            match step.op {
                Op::Handle(handle) | Op::Clone(handle) => handles.push((step, handle)),
                Op::Drop(handle) => handles.retain(|(_, other)| *other != handle),
                _ => {}
            }
        }
        let left: Vec<(usize, String, String, (String, u32))> = handles
            .iter()
            .map(|(step, _)| {
                let made = self.recording.objects[step.object as usize].made;
                let how = if matches!(step.op, Op::Clone(_)) { "cloned" } else { "made" };
                let what = format!("never dropped: a handle of {}, {how} here", self.name(step.object));
                let why = format!("the Arc of {}", short(made.file(), made.line()));
                (usize::from(step.lane), what, why, (step.at.file().to_owned(), step.at.line()))
            })
            .collect();
        if left.is_empty() {
            let why =
                "a waker that block_on gave, or an Arc that was not made through here, is never dropped";
            self.fails(0, "leak".into(), why.into(), None, None);
        }
        for (lane, what, why, at) in left {
            self.fails(lane, what, why, Some(at), None);
        }
    }

    fn fails(
        &mut self,
        lane: usize,
        what: String,
        why: String,
        at: Option<(String, u32)>,
        from: Option<usize>,
    ) {
        let at = at.as_ref().map(|(file, line)| (file.as_str(), *line));
        self.push(lane, what, why, at, from, RowKind::Failure);
    }
}
