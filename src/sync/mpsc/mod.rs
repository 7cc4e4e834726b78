//! A queue from many senders to one receiver.
//!
//! [`channel`] has a bound: a sender whose value has no room waits, and so a quick producer is slowed down
//! to the pace of the consumer (*back pressure*). [`unbounded_channel`] never waits, and grows as long as
//! the memory lasts.
//!
//! ```
//! use cotask::sync::mpsc;
//!
//! let (sender, mut receiver) = mpsc::channel(4);
//! let producer = std::thread::spawn(move || {
//!     for i in 0..100 {
//!         sender.blocking_send(i).unwrap();
//!     }
//! });
//! let sum = cotask::block_on(async {
//!     let mut sum = 0;
//!     while let Some(i) = receiver.recv().await {
//!         sum += i;
//!     }
//!     sum
//! });
//! assert_eq!(sum, 4950);
//! producer.join().unwrap();
//! ```
//!
//! # The end of a channel
//!
//! When the last sender is dropped, the receiver gets what is left and then `None`. When the receiver is
//! dropped, what is left is dropped with it, and each value that could not be sent comes back in the
//! sender's error. Between the two stands [`Receiver::close`]: nothing new is accepted, and what was sent,
//! or has a [`Permit`], still arrives.

pub mod error;
mod receiver;
mod sender;
mod shared;

pub use receiver::{Receiver, UnboundedReceiver};
pub use sender::{Permit, Sender, UnboundedSender};
pub use shared::{Bounded, Unbounded};

use super::permits::MAX_PERMITS;

/// Makes a channel that holds up to `capacity` values.
///
/// # Panics
///
/// If `capacity` is 0 or greater than `usize::MAX >> 3`.
///
/// ```
/// let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
/// sender.try_send('a').unwrap();
/// assert!(sender.try_send('b').is_err());
/// assert_eq!(receiver.try_recv(), Ok('a'));
/// ```
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "mpsc::channel(0): a channel needs room for at least one value");
    assert!(capacity <= MAX_PERMITS, "mpsc::channel({capacity}): more than {MAX_PERMITS} slots");
    let shared = shared::new(capacity);
    (Sender::new(shared.clone()), Receiver::new(shared))
}

/// Makes a channel that holds as many values as there is memory for.
///
/// A producer that is quicker than its consumer fills the memory: where that can happen, use
/// [`channel`].
///
/// ```
/// let (sender, mut receiver) = cotask::sync::mpsc::unbounded_channel();
/// sender.send('a').unwrap();
/// sender.send('b').unwrap();
/// assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok('a'), Ok('b')));
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let shared = shared::new(MAX_PERMITS);
    (Sender::new(shared.clone()), Receiver::new(shared))
}
