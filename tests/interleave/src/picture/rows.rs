//! From steps to rows: names, and who wrote what was read.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::fold::fold;
use super::names::{lane_names, object_names};
use super::{Picture, Row, RowKind};
use crate::failure::Kind;
use crate::recorder::{Op, Recording, Step, Value};
use crate::source::{Sources, short};

/// So many steps before the failure stand out, but never more than half.
const LAST: usize = 6;

/// A value that an atomic has had, and the row that wrote it, if it was not made with it.
#[derive(Clone)]
struct Write {
    value: Value,
    row: Option<usize>,
    lane: u8,
    /// What the writer had seen, if it wrote with Release: a thread that reads this with Acquire has it too.
    releases: Option<Seen>,
}

/// For each atomic, the oldest write that can still be read.
pub(super) type Seen = HashMap<u32, usize>;

fn join(seen: &mut Seen, other: &Seen) {
    for (&object, &write) in other {
        let oldest = seen.entry(object).or_default();
        *oldest = write.max(*oldest);
    }
}

pub(super) struct Rows<'a> {
    pub(super) recording: &'a Recording,
    pub(super) kind: Kind,
    pub(super) names: Vec<String>,
    pub(super) lanes: Vec<String>,
    pub(super) sources: Sources,
    pub(super) rows: Vec<Row>,
    writes: HashMap<u32, Vec<Write>>,
    seen: Vec<Seen>,
    /// For each lock, notification and thread: what the thread that left it had seen, and the row.
    pub(super) left: HashMap<(u8, u32), (Seen, usize, u8)>,
}

// What `left` is keyed by, beside a number.
const LOCK: u8 = 0;
const NOTIFY: u8 = 1;
const WAKE: u8 = 2;
const SPAWN: u8 = 3;
const END: u8 = 4;
pub(super) const CELL: u8 = 5;
const PARK: u8 = 6;

impl Picture {
    pub(crate) fn new(recording: &Recording, kind: Kind, message: &str, title: String) -> Picture {
        let sources = Sources::default();
        let mut rows = Rows {
            recording,
            kind,
            names: object_names(recording, &sources),
            lanes: lane_names(recording, &sources),
            sources,
            rows: Vec::new(),
            writes: HashMap::new(),
            seen: vec![Seen::new(); recording.lanes.len()],
            left: HashMap::new(),
        };
        for step in &recording.steps {
            rows.step(step);
        }
        rows.failure(message);
        let mut folded = fold(rows.rows);
        let steps = folded.iter().filter(|row| row.kind == RowKind::Step).count();
        for row in &mut folded[steps - LAST.min(steps / 2)..steps] {
            row.kind = RowKind::Last;
        }
        Picture { title, lanes: rows.lanes, rows: folded }
    }
}

impl Rows<'_> {
    pub(super) fn name(&self, object: u32) -> &str {
        self.names.get(object as usize).map_or("?", String::as_str)
    }

    pub(super) fn lane(&self, lane: u8) -> &str {
        self.lanes.get(usize::from(lane)).map_or("?", String::as_str)
    }

    fn add(&mut self, step: &Step, what: String, why: String, from: Option<usize>) {
        let from = from.filter(|&row| self.rows[row].lane != usize::from(step.lane));
        let at = Some((step.at.file(), step.at.line()));
        self.push(usize::from(step.lane), what, why, at, from, RowKind::Step);
    }

    /// Appends a row of any kind. A row without `at` names no line of the source.
    pub(super) fn push(
        &mut self,
        lane: usize,
        what: String,
        why: String,
        at: Option<(&str, u32)>,
        from: Option<usize>,
        kind: RowKind,
    ) {
        let (place, source) = match at {
            Some((file, line)) => (short(file, line), self.sources.line(file, line)),
            None => Default::default(),
        };
        let number = self.rows.len() + 1;
        self.rows.push(Row { number, last: number, lane, what, why, place, source, from, kind });
    }

    /// Leaves what this lane has seen at this row, for the lane that takes it.
    fn leave(&mut self, key: (u8, u32), lane: u8) {
        let seen = self.seen[usize::from(lane)].clone();
        self.left.insert(key, (seen, self.rows.len(), lane));
    }

    /// Adds what was left to what this lane has seen. Returns the row where it was left.
    fn take(&mut self, key: (u8, u32), lane: u8) -> Option<usize> {
        let (seen, row, _) = self.left.get(&key)?.clone();
        join(&mut self.seen[usize::from(lane)], &seen);
        Some(row)
    }

    fn step(&mut self, step: &Step) {
        let lane = step.lane;
        let name = self.name(step.object).to_owned();
        let on = |rest: String| format!("{name}.{rest}");
        match &step.op {
            Op::New(value) => {
                let first = Write { value: *value, row: None, lane, releases: None };
                self.writes.insert(step.object, vec![first]);
            }
            Op::Load { order, value } => {
                let (why, from) = self.read(step, *value, *order);
                self.add(step, on(format!("load({order:?}) -> {value}")), why, from);
            }
            Op::Store { order, value } => {
                self.write(step, *value, *order);
                self.add(step, on(format!("store({value}, {order:?})")), String::new(), None);
            }
            Op::Update { method, operand, order, old, new } => {
                let (why, from) = self.read_newest(step, *order);
                self.write(step, *new, *order);
                let operand = operand.map_or(String::new(), |operand| format!("{operand}, "));
                self.add(step, on(format!("{method}({operand}{order:?}): {old} -> {new}")), why, from);
            }
            Op::Exchange { method, expected, new, order, found } => {
                let (mut why, from) = self.read_newest(step, *order);
                let mut what = format!("{method}({expected} -> {new}, {order:?})");
                if expected == found {
                    self.write(step, *new, *order);
                } else {
                    what += &format!(": no, {found} is there");
                    why = format!("{why}; nothing written");
                }
                self.add(step, on(what), why, from);
            }
            Op::Fence(order) => self.add(step, format!("fence({order:?})"), String::new(), None),
            Op::Lock { method } => {
                let from = self.take((LOCK, step.object), lane);
                self.add(step, on(format!("{method}()")), String::new(), from);
            }
            Op::Refused { method } => {
                self.add(step, on(format!("{method}() -> it is held")), String::new(), None)
            }
            Op::Unlock => {
                self.leave((LOCK, step.object), lane);
                self.add(step, format!("unlock {name}"), String::new(), None);
            }
            Op::WaitFrom(mutex) => {
                self.leave((LOCK, *mutex), lane);
                let why = format!("unlocks {} and sleeps", self.name(*mutex));
                self.add(step, on("wait()".into()), why, None);
            }
            Op::WaitOver(mutex) => {
                let notified = self.take((NOTIFY, step.object), lane);
                self.take((LOCK, *mutex), lane);
                let why = format!("has locked {} again", self.name(*mutex));
                self.add(step, on("wait() returns".into()), why, notified);
            }
            Op::Notify { method, woke } => {
                self.leave((NOTIFY, step.object), lane);
                let woken: Vec<&str> = woke.iter().map(|&lane| self.lane(lane)).collect();
                let why = match woken[..] {
                    [] => "no thread is waiting".into(),
                    _ => format!("wakes {}", woken.join(", ")),
                };
                self.add(step, on(format!("{method}()")), why, None);
            }
            Op::Permit => {
                self.leave((NOTIFY, step.object), lane);
                self.add(step, on("notify()".into()), String::new(), None);
            }
            Op::Sleeps => self.add(step, on("wait() sleeps".into()), String::new(), None),
            Op::Notified { spurious: true } => {
                self.add(step, on("wait() returns".into()), "for no reason, which may happen".into(), None);
            }
            Op::Notified { spurious: false } => {
                let from = self.take((NOTIFY, step.object), lane);
                self.add(step, on("wait() returns".into()), String::new(), from);
            }
            Op::Sends { accepted } => {
                let why = if *accepted { "" } else { "refused: the receiver was dropped" };
                self.add(step, on("send()".into()), why.into(), None);
            }
            Op::Receives { method, found } => {
                let why = if *found { "" } else { "nothing is there" };
                self.add(step, on(format!("{method}()")), why.into(), None);
            }
            Op::Spawn(child) => {
                self.leave((SPAWN, u32::from(*child)), lane);
                let mine = self.seen[usize::from(lane)].clone();
                if let Some(child) = self.seen.get_mut(usize::from(*child)) {
                    join(child, &mine);
                }
                self.add(step, format!("spawn {}", self.lane(*child)), String::new(), None);
            }
            Op::Join(child) => {
                let from = self.take((END, u32::from(*child)), lane);
                self.add(step, format!("join {}", self.lane(*child)), String::new(), from);
            }
            Op::Ends => {
                self.leave((END, u32::from(lane)), lane);
                self.add(step, "ends".into(), String::new(), None);
            }
            Op::Parks => self.add(step, "park() sleeps".into(), String::new(), None),
            Op::Parked => {
                let from = self.take((PARK, u32::from(lane)), lane);
                self.add(step, "park() returns".into(), String::new(), from);
            }
            Op::Unpark { thread, found } => {
                let whom = self.recording.lanes.iter().position(|lane| lane.id == Some(*thread));
                if let Some(whom) = whom {
                    self.leave((PARK, whom as u32), lane);
                }
                let whom = whom.map_or("?", |lane| &self.lanes[lane]);
                let why = if *found { "it has a token already: two are as one" } else { "" };
                self.add(step, format!("unpark {whom}"), why.into(), None);
            }
            Op::Yield => self.add(step, "yield_now()".into(), String::new(), None),
            Op::Poll => self.add(step, "block_on polls".into(), String::new(), None),
            Op::Pending { woken: false } => {
                self.add(step, "pending: block_on sleeps".into(), String::new(), None)
            }
            Op::Pending { woken: true } => {
                let why = "its waker has been called: no sleep";
                self.add(step, "pending".into(), why.into(), None);
            }
            Op::Ready => self.add(step, "ready".into(), String::new(), None),
            Op::Wake(whom) => {
                self.leave((WAKE, u32::from(*whom)), lane);
                self.add(step, format!("wake {}", self.lane(*whom)), String::new(), None);
            }
            Op::Awake { spurious: true } => {
                self.add(step, "block_on polls again".into(), "for no reason, which may happen".into(), None);
            }
            Op::Awake { spurious: false } => {
                let from = self.take((WAKE, u32::from(lane)), lane);
                self.add(step, "woken: block_on polls again".into(), String::new(), from);
            }
            Op::Cell { method, value } => {
                self.leave((CELL, step.object), lane);
                let what = match *method {
                    "get" | "take" => format!("{method}() -> {value}"),
                    _ => format!("{method}({value})"),
                };
                self.add(step, on(what), String::new(), None);
            }
            Op::StrongCount(count) => {
                self.add(step, on(format!("strong_count() -> {count}")), String::new(), None)
            }
            Op::Only { method } => self.add(step, on(format!("{method}()")), String::new(), None),
            Op::Shared { method } => {
                self.add(step, on(format!("{method}()")), "there are other handles".into(), None)
            }
            // Of other handles only leaks are of interest.
            Op::Handle(_) | Op::Clone(_) | Op::Drop(_) => {}
            Op::Note(remark) => self.add(step, remark.clone(), String::new(), None),
            Op::Caught(message) => self.add(step, "a panic was caught".into(), message.clone(), None),
        }
    }

    /// A load: which write it saw. Loom tells the value only; the write is one with that value, and none that this
    /// thread must know to be older than another.
    fn read(&mut self, step: &Step, value: Value, order: Ordering) -> (String, Option<usize>) {
        let Some(writes) = self.writes.get(&step.object) else { return Default::default() };
        let oldest = self.seen[usize::from(step.lane)].get(&step.object).copied().unwrap_or_default();
        let candidates: Vec<usize> = (oldest..writes.len()).filter(|&i| writes[i].value == value).collect();
        let [only] = candidates[..] else {
            let whose: Vec<String> = candidates.iter().map(|&i| self.whose(&writes[i], step.lane)).collect();
            return (format!("one of: {}", whose.join("; ")), None);
        };
        let newest = writes.len() - 1;
        let mut why = self.whose(&writes[only], step.lane);
        if only < newest {
            let new = &writes[newest];
            why += &format!(" (stale: {} is there, {})", new.value, self.whose(new, step.lane));
        }
        let row = writes[only].row;
        self.saw(step, only, order);
        (why, row)
    }

    /// A read-modify-write reads the newest.
    fn read_newest(&mut self, step: &Step, order: Ordering) -> (String, Option<usize>) {
        let Some(newest) = self.writes.get(&step.object).map(|writes| writes.len() - 1) else {
            return Default::default();
        };
        let write = &self.writes[&step.object][newest];
        let found = (self.whose(write, step.lane), write.row);
        self.saw(step, newest, order);
        found
    }

    fn saw(&mut self, step: &Step, write: usize, order: Ordering) {
        let seen = &mut self.seen[usize::from(step.lane)];
        let oldest = seen.entry(step.object).or_default();
        *oldest = write.max(*oldest);
        let acquires = matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst);
        if let Some(released) = self.writes[&step.object][write].releases.as_ref().filter(|_| acquires) {
            join(seen, released);
        }
    }

    fn write(&mut self, step: &Step, value: Value, order: Ordering) {
        let seen = &mut self.seen[usize::from(step.lane)];
        let writes = self.writes.entry(step.object).or_default();
        seen.insert(step.object, writes.len());
        let releases =
            matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst).then(|| seen.clone());
        writes.push(Write { value, row: Some(self.rows.len()), lane: step.lane, releases });
    }

    fn whose(&self, write: &Write, reader: u8) -> String {
        match write.row {
            None => "as it was made".into(),
            Some(row) if write.lane == reader => format!("its own, step {}", row + 1),
            Some(row) => format!("by {}, step {}", self.lane(write.lane), row + 1),
        }
    }
}
