//! Platforms without Unix signals: a clear error.

use std::convert::Infallible;
use std::io;
use std::task::{Context, Poll};

pub(super) struct Signal(Infallible);

pub(super) fn interrupts() -> io::Result<Signal> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "waiting for Ctrl-C is not supported on this platform"))
}

impl Signal {
    pub(super) fn poll_recv(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
