//! Channels.

use std::fmt;
use std::panic::Location;
use std::sync::mpsc::{RecvError, SendError, TryRecvError};

use crate::recorder::{self, Id, Op};

/// `std::sync::mpsc::channel` under loom, recorded.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let object = recorder::object_with::<T>("channel", Location::caller());
    let (sender, receiver) = loom::sync::mpsc::channel();
    (Sender { inner: sender, object }, Receiver { inner: receiver, object })
}

/// The end of a channel that values go into.
pub struct Sender<T> {
    inner: loom::sync::mpsc::Sender<T>,
    object: Id,
}

impl<T> Sender<T> {
    /// Puts a value into the channel.
    ///
    /// # Errors
    /// The value, if the receiver was dropped.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let begun = recorder::begin("send", self.object, Location::caller());
        let result = self.inner.send(value);
        begun.done(Op::Sends { accepted: result.is_ok() });
        result
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { inner: self.inner.clone(), object: self.object }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

/// The end of a channel that values come out of.
pub struct Receiver<T> {
    inner: loom::sync::mpsc::Receiver<T>,
    object: Id,
}

impl<T> Receiver<T> {
    /// Waits for a value. If no sender is left it never returns: loom does not count senders.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let begun = recorder::begin("recv", self.object, Location::caller());
        let result = self.inner.recv();
        begun.done(Op::Receives { method: "recv", found: result.is_ok() });
        result
    }

    /// Takes a value if one is there.
    ///
    /// # Errors
    /// `Empty` if there is none, even if there is no sender left.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let begun = recorder::begin("try_recv", self.object, Location::caller());
        // Loom asks at once, and does not go back from a value that is sent later to where none was found.
        crate::thread::begin_both_orders();
        let result = self.inner.try_recv();
        begun.done(Op::Receives { method: "try_recv", found: result.is_ok() });
        result
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
