//! The blocking pool at the limit of the system. In a process of its own, because the limit is the process's.

use std::sync::mpsc::channel;
use std::thread;

use cotask::blocking::{Config, Pool};
use futures::executor::block_on;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::alone::alone;

const MIB: u64 = 1 << 20;

#[test]
fn a_job_waits_for_a_thread_that_there_is() {
    alone("blocking_limit::a_job_waits_for_a_thread_that_there_is", a_second_job_waits);
}

fn a_second_job_waits() {
    let pool = Pool::new(Config { stack_size: Some(512 << 20), ..Config::default() });
    let (open, gate) = channel::<()>();
    let first = pool.spawn(move || {
        gate.recv().expect("the test opens the gate");
        thread::current().id()
    });
    let first = first.expect("room for one such stack");

    // Room for the test, not for another stack.
    let now = procfs::process::Process::myself().unwrap().stat().unwrap().vsize;
    let (soft, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
    setrlimit(Resource::RLIMIT_AS, now + 256 * MIB, hard).unwrap();
    let second = pool.spawn(|| thread::current().id()).expect("the job waits");
    setrlimit(Resource::RLIMIT_AS, soft, hard).unwrap();

    assert_eq!(pool.threads(), 1, "no second thread could start");
    open.send(()).unwrap();
    assert_eq!(block_on(first).unwrap(), block_on(second).unwrap());
}
