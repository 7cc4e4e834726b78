//! The rows with a server: a process that echoes, and a process that asks it.
//!
//! The server is this binary started again with the hidden command `serve PEER`. It speaks with the process that
//! started it over its standard input and output, one line each way: it prints its port, then answers `cpu`
//! with the CPU nanoseconds it has used since it was asked last, `busiest` with those of its busiest thread, and
//! `rss` with its resident bytes. It ends when its input does, and in any
//! case after `TIME_LIMIT`.

mod load;
mod server;

pub(crate) use load::measure;
pub(crate) use server::{Announce, LOOPBACK, end_after, serve};

use std::time::Duration;

/// No process of a measurement lives longer than this.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Bytes of a request and of its answer.
const MESSAGE: usize = 64;
