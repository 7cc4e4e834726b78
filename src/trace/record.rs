//! What was recorded, as it is taken out.

use crate::base::clock::Instant;

use super::events::Event;

/// Something that happened, and when.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Record {
    /// On the runtime's clock. Never before the record that precedes it.
    pub at: Instant,
    /// What happened.
    pub event: Event,
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
