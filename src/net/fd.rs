//! Any other descriptor of which the system tells when it is ready.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::base::os::Source;
use crate::base::os::{Interest, Registry, SourceFd, Token};

use super::error::naming;
use super::io::Io;
use super::socket::Socket;

/// Anything with a descriptor that this crate has no type for: a pipe, a terminal, an `eventfd`, the socket of
/// some other library.
///
/// It waits with [`readable`](AsyncFd::readable) and [`writable`](AsyncFd::writable), and its operations are tried
/// through [`try_io`](AsyncFd::try_io). What it is made from
/// - must not block: here a descriptor that does so stops the thread, and this crate cannot change that;
/// - must keep its descriptor as long as it lives, and is dropped with the `AsyncFd`. To keep it, pass a
///   reference or an `Rc`.
///
/// # Examples
/// ```
/// use cotask::net::{AsyncFd, Direction};
/// use std::io::{ErrorKind, Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// # cotask::block_on(async {
/// let (ours, mut theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let ours = AsyncFd::new(ours)?;
/// cotask::spawn(async move { theirs.write_all(b"hello") });
///
/// let mut buffer = [0; 8];
/// let length = loop {
///     ours.readable().await;
///     match ours.try_io(Direction::Read, || ours.get_ref().read(&mut buffer)) {
///         Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
///         result => break result?,
///     }
/// };
/// assert_eq!(&buffer[..length], b"hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct AsyncFd<T: AsFd>(pub(super) Socket<Fd<T>>);

/// What watches it by its number.
#[derive(Debug)]
pub struct Fd<T>(T);

impl<T: AsFd> AsyncFd<T> {
    /// Watches a descriptor, for both directions.
    ///
    /// # Errors
    /// `PermissionDenied` for one of a kind that the system does not watch, which on Linux are files and folders:
    /// they never say that they would block, so read them in [`spawn_blocking`](crate::spawn_blocking).
    /// `AlreadyExists`, on Linux, for one that this runtime watches already; `Unsupported` in a simulation.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// # cotask::block_on(async {
    /// let (reader, writer) = std::io::pipe()?;
    /// // A pipe that blocks. It has ended, and so there is nothing to wait for.
    /// drop(writer);
    /// let watched = cotask::net::AsyncFd::new(&reader)?;
    /// watched.readable().await;
    /// assert_eq!(std::io::Read::read(&mut &reader, &mut [0; 8])?, 0);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn new(inner: T) -> io::Result<AsyncFd<T>> {
        let number = inner.as_fd().as_raw_fd();
        Socket::watch(Io::Os(Fd(inner))).map(AsyncFd).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::PermissionDenied => " (no poller watches a file: read it in `spawn_blocking`)",
                _ => "",
            };
            naming("watch descriptor", format_args!("{number}{why}"))(error)
        })
    }

    /// What it was made of.
    ///
    /// # Examples
    /// ```
    /// # use std::os::fd::AsFd;
    /// # cotask::block_on(async {
    /// let (reader, _writer) = std::io::pipe()?;
    /// let watched = cotask::net::AsyncFd::new(&reader)?;
    /// assert!(std::ptr::eq(*watched.get_ref(), &reader));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.0.io.os().0
    }

    /// What it was made of, for operations that ask for a mutable reference.
    ///
    /// [`try_io`](AsyncFd::try_io) needs only what such an operation has said.
    ///
    /// # Examples
    /// ```
    /// use cotask::net::{AsyncFd, Direction};
    /// use std::io::Write;
    ///
    /// # cotask::block_on(async {
    /// let (_reader, writer) = std::io::pipe()?;
    /// let mut watched = AsyncFd::new(writer)?;
    /// watched.writable().await;
    /// let written = watched.get_mut().write(b"four");
    /// assert_eq!(watched.try_io(Direction::Write, || written)?, 4);
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        let Io::Os(fd) = &mut self.0.io else { unreachable!("a descriptor is never simulated") };
        &mut fd.0
    }
}

impl<T: AsFd> AsFd for Fd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T: AsFd> Source for Fd<T> {
    fn register(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        SourceFd(&self.as_fd().as_raw_fd()).register(registry, token, interest)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        SourceFd(&self.as_fd().as_raw_fd()).reregister(registry, token, interest)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.as_fd().as_raw_fd()).deregister(registry)
    }
}
