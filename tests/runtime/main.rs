//! A runtime: it starts, sleeps, shares its time, hears signals, runs blocking jobs, and ends.

#[path = "../process/alone.rs"]
mod alone;
#[cfg(unix)]
#[path = "../process/open.rs"]
mod open;
#[path = "../probes/mod.rs"]
mod probes;

mod blocking;
#[cfg(target_os = "linux")]
mod blocking_limit;
mod cores;
mod elsewhere;
mod fairness;
mod idle;
mod shutdown;
#[cfg(unix)]
mod signal;
mod two_runtimes;
