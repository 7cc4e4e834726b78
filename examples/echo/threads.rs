//! A thread for each connection: the blocking code stays as it is, and each connection keeps a stack.

use std::net::TcpListener;
use std::thread::Builder;

use anyhow::{Context, Result};

use super::sequential::echo;
use crate::common::accept_blocking;

pub(super) fn serve(listener: &TcpListener) -> Result<()> {
    loop {
        let (stream, client) = accept_blocking(listener);
        // `thread::spawn` would panic where the system grants no more threads.
        let thread = Builder::new().spawn(|| echo(stream));
        thread.with_context(|| format!("no thread for {client}"))?;
    }
}
