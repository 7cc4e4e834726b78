//! A promise in place of `Send`: what never leaves its thread, for guests that ask for what could.
//!
//! A crate that is written for runtimes of many threads asks `Send` of what it is given, often without need: it
//! would never move it here, where every task stays on its thread. [`Here`] says so to the compiler, and checks
//! it: used or dropped on another thread, it panics instead of doing harm. (The check, and the unsafe code that it
//! makes sound, are the crate `send_wrapper`'s.)

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};
use send_wrapper::SendWrapper;

/// A stream, or anything else, that is used on the thread that made it and no other.
///
/// # Panics
/// Every use and the drop panic on another thread.
///
/// # Examples
/// ```
/// use ecosystem::adapters::here::Here;
/// use std::rc::Rc;
///
/// fn wants_send<T: Send>(_: &T) {}
/// let shared = Here::new(Rc::new(7));
/// wants_send(&shared);
/// assert_eq!(**shared, 7);
/// assert!(std::thread::spawn(move || **shared).join().is_err());
/// ```
#[derive(Debug)]
pub struct Here<T>(SendWrapper<T>);

impl<T> Here<T> {
    /// Binds a value to this thread.
    pub fn new(value: T) -> Here<T> {
        Here(SendWrapper::new(value))
    }
}

impl<T> std::ops::Deref for Here<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Here<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<F: Future> Future for Here<F>
where
    F: Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut **self).poll(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Here<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut **self).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Here<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut **self).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_close(cx)
    }
}
