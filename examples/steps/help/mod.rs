//! What the steps share and a reader can leave aside: a slow server to ask, what a
//! program of the steps takes as arguments, the CPU time it has used, and a recorder
//! for the book's timelines.

#![allow(dead_code, reason = "no step uses all of it")]

pub mod record;
pub mod slow;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Command};

/// Reads the arguments of a step: `--help`, and `--trace FILE`, which records what
/// happens until the returned value is dropped.
pub fn begin(shows: &'static str) -> record::Recording {
    let trace = Arg::new("trace")
        .long("trace")
        .value_name("FILE")
        .value_parser(file)
        .help("Write what happened as lines of JSON, for the example `timeline`");
    let matches = Command::new("step").about(shows).arg(trace).get_matches();
    record::Recording::start(matches.get_one("trace").cloned())
}

/// A file to write. `-` is none, so that no file of that name is left behind.
fn file(name: &str) -> Result<PathBuf, String> {
    if name == "-" {
        return Err("this needs a file, and '-' is none: write /dev/stdout or ./- if you mean that".into());
    }
    Ok(name.into())
}

/// A time as the steps print it: whole milliseconds.
pub fn ms(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// The CPU time that all threads of this process have used so far, in user space and in
/// the system.
#[cfg(unix)]
pub fn cpu_time() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .expect("every Unix has this clock")
        .into()
}

/// Nothing is known of it elsewhere.
#[cfg(not(unix))]
pub fn cpu_time() -> Duration {
    Duration::ZERO
}
