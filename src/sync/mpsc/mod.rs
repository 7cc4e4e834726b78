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

mod bounded;
pub mod error;
mod shared;
mod unbounded;

pub use bounded::{Permit, Receiver, Sender, channel};
pub use unbounded::{UnboundedReceiver, UnboundedSender, unbounded_channel};
