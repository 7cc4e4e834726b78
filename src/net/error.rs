//! Errors that say what was attempted, and where.

use std::fmt;
use std::io;

/// Says what was attempted, with which address, and why it failed: "connect to 127.0.0.1:9: Connection refused".
pub(super) fn naming(what: &str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), Named { what: format!("{what} {address}"), error })
}

/// The message has the reason in it. So the system's error is not the source as well: what prints an error with its
/// sources would say the reason twice. [`raw_os_error`] finds it.
#[derive(Debug)]
struct Named {
    what: String,
    error: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// The system's number of an error that a function of this module returned, as [`io::Error::raw_os_error`] has it; also
/// of an error that names an address. The number says more than the kind: there is none for "too many open files".
///
/// # Examples
/// ```
/// # cotask::block_on(async {
/// let error = cotask::net::UnixStream::connect("/no/such/socket").await.unwrap_err();
/// assert_eq!(error.to_string(), "connect to /no/such/socket: No such file or directory (os error 2)");
/// assert_eq!(cotask::net::raw_os_error(&error), Some(2));
/// # });
/// ```
pub fn raw_os_error(error: &io::Error) -> Option<i32> {
    let named = error.get_ref().and_then(|inner| inner.downcast_ref::<Named>());
    named.map_or(error, |named| &named.error).raw_os_error()
}
