//! The event recorder: what the executor did, as it did it.
//!
//! Switched on by [`Builder::trace`](crate::Builder::trace), taken out with
//! [`Runtime::take_trace`](crate::Runtime::take_trace), or from another thread with
//! [`Handle::take_trace`](crate::Handle::take_trace), which also works while the runtime hangs, and written as
//! [lines of JSON](Trace::write_json_lines), from which `examples/common/perfetto.rs` makes a file for Perfetto. Events go
//! into a ring of a fixed size; when it is full the oldest goes, and is counted. Switched off, an event costs one
//! comparison; without the crate's feature `trace`, nothing. With the feature `tracing`, each event that is recorded is also emitted through the crate of that
//! name, at level trace with the target `cotask`.
//!
//! What happens on the runtime's thread is recorded, and what its blocking pool does; of other threads only
//! that they woke a task.
//!
//! The tests check the runtime's contract on these events: no poll without a schedule, no schedule of a queued
//! task, silence after the end.

mod events;
mod json;
mod name;
mod record;
mod recorder;

pub use events::{Actor, Event, Outcome, Resource, Want};
pub use name::{Traced, name};
pub use record::{Record, Trace};
pub(crate) use recorder::{Observer, QueuedJob, Recorder, Tape, here, is_on, number, out_of_line, switch};
