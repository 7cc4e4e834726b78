//! The event recorder: what the executor did, as it did it.
//!
//! Switched on by [`Builder::trace`](crate::Builder::trace), taken out with
//! [`Runtime::take_trace`](crate::Runtime::take_trace), or from another thread with
//! [`Handle::take_trace`](crate::Handle::take_trace), which also works while the runtime hangs, and written as [lines of JSON](Trace::write_json_lines)
//! or [for Perfetto](Trace::write_chrome). Events go into a ring of a fixed size; when it is full the oldest
//! goes, and is counted. Switched off, an event costs one comparison; without the crate's feature `trace`,
//! nothing. With the feature `tracing`, each event that is recorded is also emitted through the crate of that
//! name, at level trace with the target `cotask`.
//!
//! What happens on the runtime's thread is recorded, and what its blocking pool does; of other threads only
//! that they woke a task.
//!
//! The tests check the runtime's contract on these events: no poll without a schedule, no schedule of a queued
//! task, silence after the end.

mod chrome;
mod events;
mod json;
mod recorder;

pub use events::{Actor, Event, Outcome, Record, Resource, Want};
pub(crate) use recorder::{Observer, QueuedJob, Recorder, Tape, here, is_on, number, switch};

/// Keeps what is only done for a recorder out of the code around it.
#[cold]
#[inline(never)]
pub(crate) fn out_of_line(tell: impl FnOnce()) {
    tell();
}

/// What was recorded.
///
/// # Examples
/// ```
/// use cotask::Builder;
/// use cotask::trace::{Event, Outcome};
///
/// let runtime = Builder::new().trace(1_000).build().unwrap();
/// runtime.block_on(async {
///     cotask::spawn(cotask::yield_now()).await.unwrap();
/// });
/// let trace = runtime.take_trace();
/// let polls = trace.records.iter().filter(|r| matches!(r.event, Event::PollBegan { .. })).count();
/// assert_eq!(polls, 4, "two of the task, two of the future of `block_on`: {trace:#?}");
/// assert_eq!(trace.dropped, 0);
/// ```
#[derive(Clone, Default, Debug)]
pub struct Trace {
    /// What [`Builder::name`](crate::Builder::name) called the runtime.
    pub name: Option<Box<str>>,
    /// The last events, oldest first.
    pub records: Vec<Record>,
    /// How many older ones found no room in the ring.
    pub dropped: u64,
}

/// What has an identity in a trace, and so can be given a [name]: sockets, channels, tasks.
pub trait Traced {
    /// Its identity. A channel has one from the moment at which a recorder meets it.
    fn resource(&self) -> Resource;
}

/// Names something for the reader of the trace. Does nothing where nothing is recorded.
///
/// # Examples
/// ```
/// use cotask::trace::{self, Event};
///
/// let runtime = cotask::Builder::new().trace(1_000).build()?;
/// runtime.block_on(async {
///     let (orders, _desk) = cotask::sync::mpsc::channel::<u32>(8);
///     trace::name(&orders, "orders");
/// });
/// let named = |event: &Event| matches!(event, Event::Named { name, .. } if &**name == "orders");
/// assert!(runtime.take_trace().records.iter().any(|record| named(&record.event)));
/// # std::io::Result::Ok(())
/// ```
pub fn name(what: &impl Traced, name: &str) {
    if is_on() {
        let (resource, name) = (what.resource(), Box::from(name));
        here(|recorder| recorder.push(Event::Named { resource, name }));
    }
}
