//! The rows with a server: a process that echoes or greets, and a process that asks it.
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

use clap::ValueEnum;

/// No process of a measurement lives longer than this.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What a client sends, and what it gets for it, always as long.
pub(crate) struct Exchange {
    request: &'static [u8],
    answer_length: usize,
    answer_end: &'static [u8],
    /// What the server speaks.
    service: Service,
}

/// What a server is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Send back what it receives.
    Echo,
    /// Greet over HTTP/1.1, with hyper.
    Hello,
}

impl Exchange {
    const LONGEST: usize = 256;

    pub(crate) const ECHO: Exchange =
        Exchange { request: &[7; 64], answer_length: 64, answer_end: &[7; 64], service: Service::Echo };

    /// hyper's date is as long at any time.
    pub(crate) const HELLO: Exchange = Exchange {
        request: b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        answer_length:
            b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nhello\n"
                .len(),
        answer_end: b"\r\n\r\nhello\n",
        service: Service::Hello,
    };
}

impl Service {
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no service is hidden");
        value.get_name().to_owned()
    }
}
