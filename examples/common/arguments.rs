//! What arguments mean, and what to say of those that mean nothing.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

/// The longest duration of a command line. The programs add and multiply durations, and a sum of days cannot overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A duration as a person writes it.
///
/// # Errors
///
/// What is wrong with it, and an example; also when it is longer than a day.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a duration as 50ms, 2s or 1m 30s"))?;
    if duration > LONGEST { Err("at most a day (24h) is possible".to_string()) } else { Ok(duration) }
}

/// The address of a server, by number or by name. Of several addresses one of IPv4 comes first, because the servers of the
/// kit listen on 127.0.0.1.
///
/// # Errors
///
/// When it is no address, or the name is not known.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs();
    let found =
        found.map_err(|error| format!("{error}; write an address as 127.0.0.1:8080 or localhost:8080"))?;
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| "this name has no address".to_string())
}

/// Whether a file can be written, asked before the work whose result it is to hold. The file stays as it is; where there is
/// none, none stays. A result of which no part is standard output is no file of the name "-" either.
///
/// # Errors
///
/// Why it cannot.
pub(crate) fn writable(file: &Path) -> io::Result<()> {
    if file == Path::new("-") {
        return Err(io::Error::other(
            "this needs a file, and '-' is none: write /dev/stdout or ./- if you mean that",
        ));
    }
    let is_new = !file.exists();
    OpenOptions::new().append(true).create(true).open(file)?;
    if is_new { fs::remove_file(file) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_its_address_of_ipv4_first() {
        assert_eq!(address("localhost:7"), Ok("127.0.0.1:7".parse().unwrap()));
        assert_eq!(address("[::1]:7"), Ok("[::1]:7".parse().unwrap()));
        assert!(address("nowhere").unwrap_err().contains("127.0.0.1:8080"));
    }

    #[test]
    fn a_duration_that_is_none_comes_with_an_example() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["fast", "50", "", "-1s", "1s1"] {
            assert!(duration(wrong).unwrap_err().ends_with("50ms, 2s or 1m 30s"), "{wrong}");
        }
    }

    #[test]
    fn a_duration_that_would_overflow_is_refused() {
        assert_eq!(duration("24h"), Ok(LONGEST));
        for long in ["24h 1ns", "584542046090years"] {
            assert_eq!(duration(long).unwrap_err(), "at most a day (24h) is possible", "{long}");
        }
    }
}
