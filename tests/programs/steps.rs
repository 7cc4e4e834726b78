//! The steps of `examples/steps`: each program runs, and what it claims to show is so.

use std::fs;

use serde_json::Value;

use crate::example_programs::run;
use crate::json_trace;

/// Runs a step to its end and returns what it printed.
fn printed(step: &str) -> String {
    let output = run::<&str>(step, &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{step}: {}\n{error}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// What stands behind these words, up to the end of the line.
#[track_caller]
fn after<'a>(text: &'a str, words: &str) -> &'a str {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no {words:?} in\n{text}"));
    rest.lines().next().unwrap_or_default().trim()
}

/// The number that stands behind these words.
#[track_caller]
fn number(text: &str, words: &str) -> u64 {
    let rest = after(text, words);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number, but {rest:?}, after {words:?} in\n{text}"))
}

/// The events that a step writes with `--trace`.
fn trace(step: &str) -> Vec<Value> {
    let file = std::env::temp_dir().join(format!("cotask-{step}-{}.jsonl", std::process::id()));
    let output = run(step, &["--trace".as_ref(), file.as_os_str()]);
    assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&file).expect("the trace");
    let _ = fs::remove_file(&file);
    json_trace::read(&text)
}

/// The kinds of events in their order, and of which task each is (`-` where of none).
fn story(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    events.iter().map(|event| (text(&event["event"]), text(&event["task"]))).collect()
}

const ANSWERS: &str =
    "index, after 100 ms\nnews, after 150 ms\nshop, after 200 ms\nabout, after 250 ms\nhelp, after 300 ms\n";

#[test]
fn step01_waits_for_one_after_the_other() {
    let text = printed("step01_blocking");
    assert_eq!(number(&text, "at the same time, at most: "), 1, "{text}");
    // The sum of the delays, and not their longest.
    assert!(number(&text, "the program took ") >= 1000, "{text}");
    let story = story(&trace("step01_blocking"));
    let asleep = story.iter().filter(|(event, _)| event == "parked").count();
    assert_eq!(asleep, 5, "a sleep for each page: {story:?}");
}

#[test]
fn step02_waits_for_all_at_once_with_a_thread_for_each() {
    let text = printed("step02_threads");
    assert!(text.starts_with(ANSWERS), "{text}");
    assert!(number(&text, "all five took ") >= 300, "{text}");
    assert!(number(&text, "at the same time, at most: ") > 1, "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.contains("\n1000 threads that only wait:\n"), "{text}");
        assert!(number(&text, "addresses reserved ") > 1024, "a stack is 2 MiB: {text}");
    }
    assert!(text.contains("share a total: 400000, in"), "no count is lost: {text}");
}

#[test]
fn step03_waits_for_all_at_once_on_one_thread() {
    let text = printed("step03_callbacks");
    for answer in ANSWERS.lines() {
        assert!(text.lines().any(|line| line == answer), "{text}");
    }
    assert!(number(&text, "all five took ") >= 300, "{text}");
    assert!(number(&text, "at the same time, at most: ") > 1, "{text}");
    let events = trace("step03_callbacks");
    let finished = events.iter().filter(|event| event["outcome"] == "finished").count();
    assert_eq!(finished, 5);
}

#[test]
fn step04_stops_and_goes_on_by_hand_as_async_fn_does() {
    let text = printed("step04_coroutines");
    let (first, second) = text.split_once("by hand").expect("both");
    let transcript =
        |part: &str| part.lines().filter(|line| line.contains("->")).collect::<Vec<_>>().join("\n");
    assert_eq!(transcript(first), transcript(second), "{text}");
    assert_eq!(transcript(first).matches("Yielded").count(), 2, "{text}");
    assert!(first.contains("resume(Some(\"London\")) -> Complete(\"Ada of London\")"), "{text}");
    assert_eq!(number(&text, "dropped there:         the desk has "), 1, "what it held is freed: {text}");
}

#[test]
fn step05_asks_without_end() {
    let text = printed("step05_busy");
    assert!(text.starts_with("Ann writes; Bob writes\n"), "{text}");
    let (both, ann) = (number(&text, "polls of both: "), number(&text, "of Ann's letter: "));
    assert!(ann > 1_000 && both >= ann, "a loop that never sleeps: {text}");
}

#[test]
fn step06_sleeps_until_called() {
    let text = printed("step06_waker");
    assert!(text.contains("wrong: ready: false, called: false, but a letter lies there: true\n"), "{text}");
    assert_eq!(number(&text, "right: Ann writes, after "), 2, "{text}");
    let story = story(&trace("step06_waker"));
    let kinds: Vec<&str> =
        story.iter().map(|(kind, _)| kind.as_str()).filter(|kind| *kind != "parked").collect();
    let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "unparked").collect();
    let polls = ["poll_began", "poll_ended"];
    assert_eq!(kinds, [&["spawned", "scheduled"][..], &polls, &["scheduled"], &polls].concat());
}

#[test]
fn step07_takes_turns() {
    let text = printed("step07_tasks");
    assert!(text.contains("wrong: asleep forever after 1 poll, though it was woken\n"), "{text}");
    assert!(text.contains("right: a1 b1 c1 a2 b2 c2 a3 b3 c3; joined 3 tasks\n"), "{text}");
    assert_eq!(number(&text, "at once: their sum is "), 5_000_050_000, "{text}");
    let events = trace("step07_tasks");
    let outcome = |task: &str| {
        let ends = events.iter().filter(|event| event["event"] == "poll_ended" && event["task"] == task);
        ends.map(|event| event["outcome"].as_str().unwrap_or("-")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(outcome("0.1.0"), "pending pending pending finished");
    assert!(events.iter().all(|event| event["event"] != "parked"), "there is always a task that can run");
}

/// What epoll reports; kqueue reports the end of a stream in its own way.
#[cfg(target_os = "linux")]
#[test]
fn step08_an_edge_is_told_once() {
    let text = printed("step08_edges");
    assert!(text.contains("wrong: read 4 of 12, then 0 more events, while 8 lay there\n"), "{text}");
    assert!(
        text.contains("wrong: read 3 of 64, then 0 more events, while the end lay there: true\n"),
        "{text}"
    );
    assert!(text.contains("right: the first event had reported the end: true\n"), "{text}");
}

#[test]
fn step08_sockets_wake_tasks() {
    let text = printed("step08_reactor");
    assert!(text.starts_with(ANSWERS), "joined in the order in which they were asked: {text}");
    assert!(number(&text, "all five took ") >= 300, "{text}");
    assert!(number(&text, "at the same time, at most: ") > 1, "{text}");
    let events = trace("step08_reactor");
    let by_reactor = events.iter().filter(|event| event["event"] == "scheduled" && event["by"] == "reactor");
    assert!(by_reactor.count() >= 5, "each answer wakes a task");
}

#[test]
fn step09_sleeps_until_the_next_deadline() {
    let text = printed("step09_timers");
    let order: Vec<&str> = text.lines().filter(|line| line.ends_with(" is ready")).map(str::trim).collect();
    let teas = ["2 min: green tea", "4 min: black tea", "7 min: rooibos", "7 min: mint"];
    assert_eq!(order, teas.map(|tea| format!("{tea} is ready")));
    assert!(number(&text, "polls: ") > 100, "a timer that wakes itself is a busy loop: {text}");
    assert!(number(&text, "right: took ") >= 100, "never early: {text}");
    assert_eq!(number(&text, "ready at once, timers left: "), 0, "{text}");
    let events = trace("step09_timers");
    let at = |kind: &str| {
        events
            .iter()
            .filter(|event| event["event"] == kind)
            .map(|event| event["at"].as_u64())
            .collect::<Vec<_>>()
    };
    let minute = |minutes: u64| Some(minutes * 60_000_000_000);
    assert_eq!(at("timer_fired"), [minute(2), minute(4), minute(7), minute(7)]);
    assert_eq!(at("parked").len(), 3, "rooibos and mint are ready at the same time: one sleep");
}

#[test]
fn step10_loses_a_value_and_then_does_not() {
    let text = printed("step10_channels");
    for line in [
        "wrong: keeps the first waker: called, of the old and the new task: [true, false]",
        "right: keeps the last waker:  called, of the old and the new task: [false, true]",
        "wrong: sent [1, 2, 3, 4], pair() dropped in the middle, received [2, 3, 4]",
        "right: sent [1, 2, 3, 4], next() dropped in the middle, received [1, 2, 3, 4]",
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line}\n{text}");
    }
    let events = trace("step10_channels");
    let times = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((times("sent"), times("received")), (4, 4));
}

#[test]
fn step11_lets_everybody_have_a_turn() {
    let text = printed("step11_fairness");
    assert!(text.contains("wrong: no budget:        GGGGGGGGGGGGmmm\n"), "{text}");
    assert!(text.contains("right: a budget of four:  GGGGmGGGGmGGGGm\n"), "{text}");
    assert_eq!(number(&text, "when no task can run: heard after "), 1000, "{text}");
    assert_eq!(number(&text, "right: looks every 61 polls:              heard after "), 61, "{text}");
    let text = printed("step11_off_loop");
    assert!(text.contains("wrong: blocks the loop:       job b1 b2 b3\n"), "{text}");
    assert!(text.contains("right: blocks another thread: b1 b2 b3 job\n"), "{text}");
}

#[test]
fn step12_parks_without_missing_a_wake() {
    let text = printed("step12_parking");
    let calls = |words: &str| number(after(&text, words), "unpark called ");
    assert_eq!(text.matches(" 100000 wakes came, ").count(), 2, "{text}");
    assert_eq!(calls("unparks at each wake:"), 100_000);
    // At the least the last wake of all may have found the loop awake.
    assert!(calls("unparks who has parked:") < 100_000, "{text}");
    let lost = |model: &str| number(after(&text, model), "the wake is lost in ");
    assert!(lost("wrong: looks, then parks") > 0 && lost("wrong: asks, then pushes") > 0, "{text}");
    assert_eq!(lost("right: each under one lock"), 0, "{text}");
    assert_eq!(lost("right: two atomics, stores seen at once"), 0, "{text}");
    assert!(lost("wrong: two atomics, stores seen late") > 0, "{text}");
}

/// It asserts each result itself.
#[test]
fn the_all_safe_executor_does_the_same_work() {
    let text = printed("steps_all_safe");
    for row in ["spawn and join ", "yield, 1,000 tasks "] {
        let ratio = after(&text, row).rsplit(' ').next().expect("a ratio");
        assert!(ratio.parse::<f64>().is_ok_and(|ratio| ratio > 0.0), "{text}");
    }
}

/// The explorer of step 12 must itself be right.
mod explorer {
    use crate::schedules::{Step, Thread, Tried, explore};

    fn all(first: &[Step<[u8; 3]>], second: &[Step<[u8; 3]>], wrong: fn(&[u8; 3]) -> bool) -> Tried {
        let thread = |steps| Thread { steps, kept_back: None };
        explore([0; 3], [thread(first), thread(second)], wrong)
    }

    #[test]
    fn it_tries_every_interleaving_once() {
        let step = Step::Do(|world: &mut [u8; 3]| world[0] += 1);
        let tried = all(&[step; 3], &[step; 3], |world| world[0] != 6);
        assert_eq!(tried, Tried { schedules: 20, wrong: 0 }, "6 over 3");
        assert_eq!(all(&[], &[], |_| true), Tried { schedules: 1, wrong: 1 });
    }

    /// Two threads store, each its own, and load the other's: one of them sees the other's, unless stores come late.
    #[test]
    fn it_finds_what_a_store_buffer_does() {
        let loads: [Step<[u8; 3]>; 2] =
            [Step::Do(|world| world[2] += world[1]), Step::Do(|world| world[2] += world[0])];
        let nobody_saw = |world: &[u8; 3]| world[2] == 0;
        let at_once = [Step::Do(|world: &mut [u8; 3]| world[0] = 1), Step::Do(|world| world[1] = 1)];
        let late = [Step::Store(|world: &mut [u8; 3]| world[0] = 1), Step::Store(|world| world[1] = 1)];
        assert_eq!(all(&[at_once[0], loads[0]], &[at_once[1], loads[1]], nobody_saw).wrong, 0);
        assert!(all(&[late[0], loads[0]], &[late[1], loads[1]], nobody_saw).wrong > 0);
    }

    #[test]
    fn a_thread_sees_its_own_stores_in_order() {
        let stores =
            [Step::Store(|world: &mut [u8; 3]| world[0] = 1), Step::Store(|world| world[1] = world[0])];
        let tried = all(&stores, &[], |world| world[..2] != [1, 1]);
        assert_eq!(tried.wrong, 0);
    }
}

/// What the later steps build on, beyond what step 7 prints.
mod executor {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;
    use std::task::{Poll, Waker};
    use std::thread;

    use crate::tasks::{JoinHandle, ThisThread, block_on, spawn, yield_now};

    #[test]
    fn a_task_woken_twice_is_polled_once_and_one_that_is_over_not_at_all() {
        let (polls, over) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let waker = Rc::new(Cell::new(None::<Waker>));
        let task = {
            let (polls, over, waker) = (Rc::clone(&polls), Rc::clone(&over), Rc::clone(&waker));
            poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                waker.set(Some(cx.waker().clone()));
                if over.get() { Poll::Ready(()) } else { Poll::Pending }
            })
        };
        block_on(&ThisThread, async {
            let task = spawn("twice", task);
            let turn = async || {
                yield_now().await;
                yield_now().await;
                (waker.take(), polls.get())
            };
            let (first, polls) = turn().await;
            assert_eq!(polls, 1);
            let first = first.expect("it was polled");
            first.wake_by_ref();
            first.wake_by_ref();
            let (second, polls) = turn().await;
            assert_eq!(polls, 2, "woken twice before its turn");
            over.set(true);
            second.expect("it was polled").wake();
            task.await;
            first.wake();
            assert_eq!(turn().await.1, 3, "it has finished, and its waker may outlive it");
        });
    }

    #[test]
    fn a_wake_from_another_thread_ends_the_sleep() {
        let ready = block_on(&ThisThread, async {
            let mut asked = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut asked, true) {
                    return Poll::Ready(true);
                }
                let waker = cx.waker().clone();
                thread::spawn(move || waker.wake());
                Poll::Pending
            })
            .await
        });
        assert!(ready);
    }

    #[test]
    fn what_is_left_is_dropped_and_may_spawn_while_it_is() {
        struct SpawnsWhenDropped(Rc<Cell<u32>>);
        impl Drop for SpawnsWhenDropped {
            fn drop(&mut self) {
                let drops = Rc::clone(&self.0);
                drops.set(drops.get() + 1);
                if drops.get() < 3 {
                    let again = SpawnsWhenDropped(drops);
                    spawn("again", async move {
                        let _held = again;
                        std::future::pending::<()>().await;
                    });
                }
            }
        }
        let drops = Rc::new(Cell::new(0));
        let first = SpawnsWhenDropped(Rc::clone(&drops));
        block_on(&ThisThread, async move {
            spawn("first", async move {
                let _held = first;
                std::future::pending::<()>().await;
            });
            yield_now().await;
        });
        assert_eq!(drops.get(), 3);
    }

    #[test]
    fn a_result_is_there_once() {
        block_on(&ThisThread, async {
            let mut task: JoinHandle<u32> = spawn("seven", async { 7 });
            assert_eq!((&mut task).await, 7);
            let again = catch_unwind(AssertUnwindSafe(|| {
                let mut cx = std::task::Context::from_waker(Waker::noop());
                std::pin::Pin::new(&mut task).poll(&mut cx).is_ready()
            }));
            assert!(again.is_err());
        });
    }

    #[test]
    #[should_panic(expected = "inside of block_on")]
    fn to_spawn_outside_is_an_error_also_after_a_runtime_has_ended() {
        block_on(&ThisThread, async {});
        drop(spawn("nowhere", async {}));
    }
}

/// The events of each step that has a timeline are checked in `trace`; these have no further claim of their own.
#[test]
fn every_other_timeline_obeys_the_contract() {
    for step in ["step04_coroutines", "step05_busy", "step11_fairness", "step11_off_loop"] {
        assert!(!trace(step).is_empty(), "{step}");
    }
}
