//! The signals of Unix.

use std::ffi::c_int;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use futures::io::AsyncRead;
use signal_hook::SigId;
use signal_hook::consts;
use signal_hook::low_level::{pipe, unregister};

use crate::net::UnixStream;

/// Which signal: one of those named here, or any by its [number](SignalKind::from_raw).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalKind(c_int);

macro_rules! kinds {
    ($($(#[$doc:meta])* $function:ident $constant:ident)*) => {
        impl SignalKind {
            $($(#[$doc])* pub const fn $function() -> SignalKind { SignalKind(consts::$constant) })*

            fn name(self) -> Option<&'static str> {
                match self.0 {
                    $(consts::$constant => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// `SIGHUP`: the terminal is gone. Servers read their configuration again.
    hangup SIGHUP
    /// `SIGINT`: Ctrl-C.
    interrupt SIGINT
    /// `SIGTERM`: please end. What `kill` sends, and what systems send first when they shut down.
    terminate SIGTERM
    /// `SIGUSR1`: means what the program says it means.
    user_defined1 SIGUSR1
    /// `SIGUSR2`: means what the program says it means.
    user_defined2 SIGUSR2
}

impl SignalKind {
    /// A signal by its number.
    ///
    /// # Examples
    /// ```
    /// use cotask::signal::unix::SignalKind;
    ///
    /// assert_eq!(SignalKind::from_raw(15), SignalKind::terminate());
    /// ```
    pub const fn from_raw(number: c_int) -> SignalKind {
        SignalKind(number)
    }

    /// The signal's number.
    ///
    /// # Examples
    /// ```
    /// # use cotask::signal::unix::SignalKind;
    /// assert_eq!(SignalKind::terminate().as_raw(), 15);
    /// ```
    pub const fn as_raw(self) -> c_int {
        self.0
    }
}

impl fmt::Debug for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

/// Listens for a signal, from this call on. Any number of listeners may do so, in any runtime: each hears it.
///
/// # Errors
/// When the signal cannot be caught (`SIGKILL`, `SIGSTOP`) or only where it arises (`SIGILL`, `SIGFPE`,
/// `SIGSEGV`), when there is none of this number, and when the system has no descriptors left (it takes two).
/// The error names the signal.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use cotask::signal::unix::{SignalKind, signal};
///
/// # cotask::block_on(async {
/// let mut hangups = signal(SignalKind::hangup())?;
/// # signal_hook::low_level::raise(SignalKind::hangup().as_raw())?;
/// hangups.recv().await?;
/// println!("reading the configuration again");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Signal::new(kind)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen for {kind:?}: {error}")))
}

pub(super) fn interrupts() -> io::Result<Signal> {
    signal(SignalKind::interrupt())
}

/// A listener for a signal: [`signal`]. Also a [`Stream`] that does not end by itself.
///
/// Signals of one kind that come before the listener is polled may be reported as one, as the system itself
/// does.
///
/// Dropping it closes its descriptors. The signal's default action does not come back.
pub struct Signal {
    kind: SignalKind,
    /// Receives one byte per signal.
    heard: UnixStream,
    registration: SigId,
}

// ANCHOR: new
impl Signal {
    #[track_caller]
    fn new(kind: SignalKind) -> io::Result<Signal> {
        if consts::FORBIDDEN.contains(&kind.0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this signal cannot be caught"));
        }
        let (heard, told) = std::os::unix::net::UnixStream::pair()?;
        let heard = UnixStream::from_std(heard)?;
        let registration = pipe::register(kind.0, told)?;
        Ok(Signal { kind, heard, registration })
    }
    // ANCHOR_END: new

    /// Waits for the next signal.
    ///
    /// Cancel safety: dropping this future loses no signal.
    ///
    /// # Errors
    /// Those of the system; none are known.
    ///
    /// # Examples
    /// ```
    /// # use cotask::signal::unix::{SignalKind, signal};
    /// # cotask::block_on(async {
    /// let mut requests = signal(SignalKind::user_defined1())?;
    /// # signal_hook::low_level::raise(SignalKind::user_defined1().as_raw())?;
    /// requests.recv().await?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn recv(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`recv`](Signal::recv), to be polled by hand.
    ///
    /// # Examples
    /// ```
    /// # use cotask::signal::unix::{SignalKind, signal};
    /// # cotask::block_on(async {
    /// let mut requests = signal(SignalKind::user_defined1())?;
    /// let heard = std::future::poll_fn(|cx| std::task::Poll::Ready(requests.poll_recv(cx))).await;
    /// assert!(heard.is_pending());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 64];
        match ready!(Pin::new(&mut self.heard).poll_read(cx, &mut bytes)) {
            Ok(0) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            result => Poll::Ready(result.map(drop)),
        }
    }
}

impl Stream for Signal {
    type Item = io::Result<()>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx).map(Some)
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        unregister(self.registration);
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("kind", &self.kind).finish_non_exhaustive()
    }
}
