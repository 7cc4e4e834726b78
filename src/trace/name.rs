//! Names for what a trace speaks of.

use super::events::{Event, Resource};
use super::recorder::{here, is_on};

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
