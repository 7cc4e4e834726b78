//! Invariant 6: a runtime with nothing to do sleeps. How often it slept is in its trace; how much it worked, the system
//! knows (on Linux).

use std::time::Duration;

use cotask::trace::{Event, Trace};
use cotask::{Builder, Runtime};

use crate::probes::{Probe, grammar, settle};

fn sleeps(trace: &Trace) -> usize {
    trace.records.iter().filter(|record| matches!(record.event, Event::Parked { .. })).count()
}

#[test]
fn a_sleep_of_one_task_is_one_sleep_of_the_thread() {
    let runtime = Builder::new().trace(10_000).build().unwrap();
    for _ in 0..50 {
        spawn_waiting_tasks(&runtime);
    }
    runtime.block_on(async {
        settle().await;
        let _ = runtime.take_trace();
        cotask::time::sleep(Duration::from_millis(60)).await;
    });
    let trace = runtime.take_trace();
    // Down from the wheel's second level, and once more where the poller's clock is ahead of ours.
    assert!((1..=6).contains(&sleeps(&trace)), "{} sleeps", sleeps(&trace));
    let polls = trace.records.iter().filter(|record| matches!(record.event, Event::PollBegan { .. })).count();
    assert_eq!(polls, 1, "only the one that slept is polled");
}

/// Spawns a task that waits for no event, and one with a timer far away.
fn spawn_waiting_tasks(runtime: &Runtime) {
    runtime.spawn(Probe::default().future());
    runtime.spawn(async { cotask::time::sleep(Duration::from_secs(86_400)).await });
}

#[test]
fn a_wait_for_another_thread_is_one_sleep_however_long() {
    let runtime = Builder::new().trace(10_000).build().unwrap();
    runtime.block_on(async {
        for _ in 0..20 {
            let (sender, receiver) = cotask::sync::oneshot::channel();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(2));
                sender.send(()).unwrap();
            });
            receiver.await.unwrap();
            thread.join().unwrap();
        }
    });
    let trace = runtime.take_trace();
    grammar::check(&trace);
    assert!(sleeps(&trace) <= 40, "{} sleeps for 20 messages", sleeps(&trace));
}

#[cfg(unix)]
#[test]
fn a_signal_while_it_sleeps_does_not_end_the_wait() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use nix::sys::pthread::{pthread_kill, pthread_self};
    use nix::sys::signal::Signal;

    let heard = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Signal::SIGUSR2 as i32, Arc::clone(&heard)).unwrap();
    let (sender, receiver) = cotask::sync::oneshot::channel();
    let (thread_sender, its_thread) = std::sync::mpsc::channel();
    let sleeper = std::thread::spawn(move || {
        cotask::block_on(async {
            thread_sender.send(pthread_self()).unwrap();
            receiver.await.unwrap()
        })
    });
    let its_thread = its_thread.recv().unwrap();
    // Each is handled before the next is sent. Before the first few the thread may still be on its way to sleep.
    for _ in 0..1_000 {
        pthread_kill(its_thread, Signal::SIGUSR2).unwrap();
        while !heard.swap(false, Ordering::SeqCst) {
            assert!(!sleeper.is_finished(), "the signal ended the runtime");
            std::thread::yield_now();
        }
    }
    sender.send(7).unwrap();
    assert_eq!(sleeper.join().unwrap(), 7);
}

#[cfg(target_os = "linux")]
mod on_linux {
    use super::*;

    /// Processor time of this thread, in clock ticks of the system (mostly of 10 ms).
    fn ticks_of_this_thread() -> u64 {
        let me = procfs::process::Process::myself().unwrap();
        let task = me.task_from_tid(nix::unistd::gettid().as_raw()).unwrap();
        let stat = task.stat().unwrap();
        stat.utime + stat.stime
    }

    #[test]
    fn a_second_of_waiting_costs_next_to_no_processor_time() {
        let runtime = Runtime::new().unwrap();
        for _ in 0..100 {
            spawn_waiting_tasks(&runtime);
        }
        let before = ticks_of_this_thread();
        runtime.block_on(async { cotask::time::sleep(Duration::from_secs(1)).await });
        let used = ticks_of_this_thread() - before;
        // To spin would take all of it: a hundred.
        assert!(used <= 30, "{used} ticks of processor time in a second of waiting");
    }
}
