//! Signals, each test in a process of its own: a signal concerns the whole process.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use cotask::signal::ctrl_c;
use cotask::signal::unix::{SignalKind, signal};
use futures::StreamExt;
use futures::future::FusedFuture;
use rustix::process::{Pid, Signal, kill_process};

use crate::open::descriptors;

const MARK: &str = "COTASK_SIGNAL_CHILD";

/// This program again, running one test that then does `body` and talks with us over its pipes.
struct Subject {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Subject {
    /// None in the process that is the subject. `test` is the test's name in this file.
    fn start(test: &str) -> Option<Subject> {
        if std::env::var_os(MARK).is_some() {
            return None;
        }
        let mut child = Command::new(std::env::current_exe().expect("the test's own file"))
            .args(["--exact", &format!("signal::{test}"), "--nocapture", "--test-threads", "1"])
            .env(MARK, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test's own file starts");
        let said = BufReader::new(child.stdout.take().expect("it was asked for"));
        Some(Subject { child, said })
    }

    fn kill(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the child is there");
    }

    /// Reads up to a line that ends so: the harness prints around what the subject says.
    fn says(&mut self, words: &str) {
        let mut line = String::new();
        while !line.trim_end().ends_with(words) {
            line.clear();
            let n = self.said.read_line(&mut line).expect("its output is text");
            assert!(n > 0, "the subject has ended without saying {words:?}");
        }
    }

    fn go_on(&mut self) {
        self.child.stdin.as_mut().expect("it was asked for").write_all(b"go on\n").expect("it listens");
    }

    fn end(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        io::Read::read_to_string(&mut self.said, &mut rest).expect("its output is text");
        let status = self.child.wait().expect("it is our child");
        assert!(status.success() || status.signal().is_some(), "{status}\n{rest}");
        status
    }
}

fn say(words: &str) {
    println!("{words}");
}

/// Blocks the whole thread, as a program does that has not come to its `await` yet.
fn wait_to_go_on() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("the pipe is open");
    assert_eq!(line, "go on\n");
}

#[test]
fn ctrl_c_while_waiting() {
    if let Some(mut subject) = Subject::start("ctrl_c_while_waiting") {
        subject.says("listening");
        subject.kill(Signal::INT);
        subject.says("heard");
        assert!(subject.end().success());
        return;
    }
    cotask::block_on(async {
        let mut stop = ctrl_c();
        say("listening");
        assert!(!stop.is_terminated());
        (&mut stop).await.unwrap();
        assert!(stop.is_terminated(), "so `select!` passes it over from now on");
        say("heard");
    });
}

/// Made, not polled: what comes in between is heard, and the process does not die of it.
#[test]
fn a_signal_before_the_first_poll_is_not_lost() {
    if let Some(mut subject) = Subject::start("a_signal_before_the_first_poll_is_not_lost") {
        subject.says("made");
        subject.kill(Signal::INT);
        subject.kill(Signal::TERM);
        subject.go_on();
        subject.says("heard both");
        assert!(subject.end().success());
        return;
    }
    cotask::block_on(async {
        let stop = ctrl_c();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        say("made");
        wait_to_go_on();
        stop.await.unwrap();
        terminate.recv().await.unwrap();
        say("heard both");
    });
}

/// The default action does not come back when no task listens any more.
#[test]
fn a_registration_remains_for_the_life_of_the_process() {
    if let Some(mut subject) = Subject::start("a_registration_remains_for_the_life_of_the_process") {
        subject.says("not listening any more");
        subject.kill(Signal::TERM);
        subject.go_on();
        subject.says("still here");
        assert!(subject.end().success());
        return;
    }
    cotask::block_on(async { drop(signal(SignalKind::terminate()).unwrap()) });
    say("not listening any more");
    wait_to_go_on();
    say("still here");
}

/// That the tests above prove something: without a listener the signal does end the process.
#[test]
fn without_a_listener_the_process_ends() {
    if let Some(mut subject) = Subject::start("without_a_listener_the_process_ends") {
        subject.says("not listening");
        subject.kill(Signal::TERM);
        assert_eq!(subject.end().signal(), Some(Signal::TERM.as_raw()));
        return;
    }
    say("not listening");
    wait_to_go_on();
}

/// Each listener hears each signal, in every runtime; a stream goes on; what is dropped is closed.
#[test]
fn all_who_listen_hear() {
    if let Some(mut subject) = Subject::start("all_who_listen_hear") {
        for _ in 0..3 {
            subject.says("listening");
            subject.kill(Signal::USR1);
            subject.says("heard");
            subject.go_on();
        }
        assert!(subject.end().success());
        return;
    }
    // What standard input keeps open, and the handler's own, are there before we count.
    drop(cotask::block_on(async { signal(SignalKind::user_defined1()) }));
    let before = descriptors();
    let (ready, started) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        cotask::block_on(async {
            let signals = signal(SignalKind::user_defined1()).unwrap();
            ready.send(()).unwrap();
            signals.take(3).for_each(|heard| async { heard.unwrap() }).await;
        });
    });
    started.recv().unwrap();
    cotask::block_on(async {
        let mut first = signal(SignalKind::user_defined1()).unwrap();
        let mut second = signal(SignalKind::user_defined1()).unwrap();
        for _ in 0..3 {
            say("listening");
            first.recv().await.unwrap();
            second.recv().await.unwrap();
            say("heard");
            wait_to_go_on();
        }
    });
    // It has heard three, unless two were merged into one: then the loop sends it the rest.
    while !other.is_finished() {
        signal_hook::low_level::raise(SignalKind::user_defined1().as_raw()).unwrap();
        std::thread::yield_now();
    }
    other.join().unwrap();
    assert_eq!(descriptors(), before);
}

#[test]
fn what_cannot_be_caught_is_an_error_that_names_it() {
    cotask::block_on(async {
        let kill = signal(SignalKind::from_raw(Signal::KILL.as_raw())).unwrap_err();
        assert_eq!(kill.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(kill.to_string(), "cannot listen for signal 9: this signal cannot be caught");
        let nonsense = signal(SignalKind::from_raw(12_345)).unwrap_err();
        assert!(nonsense.to_string().starts_with("cannot listen for signal 12345: "), "{nonsense}");
    });
    assert_eq!(format!("{:?}", SignalKind::hangup()), "SIGHUP");
}

#[test]
fn outside_of_a_runtime_it_says_so() {
    let message = std::panic::catch_unwind(|| drop(ctrl_c())).unwrap_err();
    let message = message.downcast::<String>().unwrap();
    assert!(message.contains("needs a cotask runtime on this thread"), "{message}");
}
