//! Recording changes nothing of what is explored, and a failure can be had again.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use interleave::{Model, thread};

/// Models over `$sync` and `$thread`, once in loom's own types and once in ours.
macro_rules! models {
    ($name:ident, $sync:path, $thread:path) => {
        mod $name {
            use $sync::{Arc, Condvar, Mutex, Notify, atomic::*};
            use $thread as thread;

            pub fn counters() {
                let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
                let others = [0, 1].map(|_| {
                    let shared = shared.clone();
                    thread::spawn(move || {
                        shared.0.fetch_add(1, Ordering::AcqRel);
                        shared.1.store(true, Ordering::Release);
                    })
                });
                let _ = shared.0.compare_exchange(1, 7, Ordering::SeqCst, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                others.into_iter().for_each(|other| other.join().unwrap());
            }

            pub fn bell() {
                let shared = Arc::new((Mutex::new(0), Condvar::new(), Notify::new()));
                let theirs = shared.clone();
                let ringing = thread::spawn(move || {
                    *theirs.0.lock().unwrap() += 1;
                    theirs.1.notify_all();
                    theirs.2.notify();
                });
                let mut rung = shared.0.lock().unwrap();
                while *rung == 0 {
                    rung = shared.1.wait(rung).unwrap();
                }
                drop(rung);
                shared.2.wait();
                ringing.join().unwrap();
                assert!(Arc::try_unwrap(shared).is_ok());
            }
        }
    };
}

models!(looms, loom::sync, loom::thread);
models!(ours, interleave::sync, interleave::thread);

fn executions_of_loom(body: fn()) -> usize {
    static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
    let before = EXECUTIONS.load(Ordering::Relaxed);
    loom::model(move || {
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        body();
    });
    EXECUTIONS.load(Ordering::Relaxed) - before
}

#[test]
fn as_many_executions_with_recording_as_without_and_as_in_loom_itself() {
    for (loom, ours) in [(looms::counters as fn(), ours::counters as fn()), (looms::bell, ours::bell)] {
        let [with, without] = [true, false].map(|record| {
            Model::new("counted").recording(record).explore(ours).expect("it holds").executions
        });
        assert!(with > 10, "a model of {with} executions shows little");
        assert_eq!((with, without), (executions_of_loom(loom), with));
    }
}

/// Fails, late. Run by the tests below in a process of its own, for what it prints and writes.
#[test]
#[ignore = "fails on purpose"]
fn on_purpose() {
    let mut model = Model::new("on purpose");
    if let Some(folder) = std::env::var_os("PICTURES") {
        model = model.pictures_in(folder);
    }
    model.check(|| {
        let (left, right) = (
            interleave::sync::Arc::new(interleave::sync::atomic::AtomicBool::new(false)),
            interleave::sync::Arc::new(interleave::sync::atomic::AtomicBool::new(false)),
        );
        let theirs = (left.clone(), right.clone());
        let other = thread::spawn(move || {
            theirs.0.store(true, Ordering::Relaxed);
            theirs.1.load(Ordering::Relaxed)
        });
        right.store(true, Ordering::Relaxed);
        let seen = left.load(Ordering::Relaxed);
        let both = (seen, other.join().unwrap());
        assert_ne!(both, (true, true), "an outcome that is not the first");
    });
}

/// Panics, and then again in a destructor: Rust aborts the process.
#[test]
#[ignore = "aborts on purpose"]
fn aborts() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    interleave::model("aborts", || {
        let flag = interleave::sync::Arc::new(interleave::sync::atomic::AtomicBool::new(false));
        let theirs = flag.clone();
        let other = thread::spawn(move || theirs.store(true, Ordering::Relaxed));
        if flag.load(Ordering::Relaxed) {
            let _bad = Bad;
            interleave::note("before the end");
            panic!("the first panic");
        }
        other.join().unwrap();
    });
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--ignored", "--nocapture"]).env_remove("RUST_BACKTRACE");
    command
}

fn lanes(output: &str) -> Vec<&str> {
    let start = output.lines().skip_while(|line| !line.contains("FAILED (")).skip(1);
    start.take_while(|line| !line.starts_with("picture: ")).collect()
}

/// What is printed by the command that the output names.
fn again(output: &str) -> String {
    let number = output.split("FAILED (execution ").nth(1).unwrap().split(')').next().unwrap();
    assert!(number.parse::<usize>().unwrap() > 1, "a replay from the start would prove nothing");
    let mut lines = output.lines().skip_while(|line| *line != "this execution alone, again:");
    run(Command::new("sh").args(["-c", lines.nth(1).expect("a command").trim()]))
}

#[test]
fn the_printed_command_runs_the_same_execution_again() {
    let first = run(&mut this_test("on_purpose"));
    let again = again(&first);
    assert!(again.contains("on purpose FAILED (replayed): panic"), "{again}");
    assert!(lanes(&first).len() > 10);
    assert_eq!(lanes(&first), lanes(&again));
    let picture = first.lines().find_map(|line| line.strip_prefix("picture: ")).expect("a picture");
    assert!(std::fs::read_to_string(picture).unwrap().contains("an outcome that is not the first"));
}

#[test]
fn a_replay_file_that_was_changed_is_refused_before_loom_reads_it() {
    let folder = std::env::temp_dir().join(format!("interleave-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("on-purpose.json");
    let replay = || run(this_test("on_purpose").env("INTERLEAVE_REPLAY", &file));
    run(this_test("on_purpose").env("PICTURES", &folder));
    let good = std::fs::read_to_string(&file).expect("a replay file");

    std::fs::write(&file, &good).unwrap();
    assert!(replay().contains("FAILED (replayed)"), "as it was written");
    let checkpoint = format!("{{{}", good.split_once("\",").expect("a seal").1);
    for (what, text) in [
        ("cut", &good[..good.len() / 2]),
        ("empty", ""),
        ("a number changed", &good.replace("\"pos\":0", "\"pos\":1")),
        ("without its seal", &checkpoint),
        ("no text", "\u{0}\u{1}"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = replay();
        assert!(
            output.contains("INTERLEAVE_REPLAY names") && output.contains("on-purpose.json: it "),
            "{what}: {output}"
        );
        assert!(!output.contains("FAILED ("), "{what}: loom has read it: {output}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_process_that_is_aborted_has_told_all_before() {
    let output = run(&mut this_test("aborts"));
    assert!(lanes(&output).iter().any(|line| line.contains("before the end")), "{output}");
    assert!(output.contains("picture: "), "{output}");
    assert_eq!(output.matches("FAILED").count(), 1, "{output}");
    let again = again(&output);
    assert!(again.contains("aborts FAILED (replayed): panic: the first panic"), "{again}");
}
