//! A promise in place of `Send`, for guests that require `Send` of values that never leave their thread.
//!
//! A crate written for multi-threaded runtimes requires `Send` of what it is given, often without need: here every
//! task stays on its thread, so the crate never moves the value. [`Here`] promises this to the compiler and checks
//! it: a use or a drop on another thread panics instead of doing harm. (The crate `send_wrapper` provides the check,
//! and the unsafe code that the check makes sound.)

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
