//! Models of `Handle`: another thread spawns, aborts and joins, while the task finishes and the runtime ends.

use std::future::pending;

use cotask::RemoteJoinHandle;
use cotask::inside::{Inbox, Loose, handle, remote};
use interleave::future::block_on;
use interleave::sync::Arc;
use interleave::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use interleave::thread;

use crate::model::{Model, Mutant};

pub const MODELS: &[&Model] =
    &[&SPAWN_AGAINST_THE_END, &ABORT, &ABORT_AGAINST_COMPLETION, &ABORT_AGAINST_THE_END];

const FILE: &str = "src/task/remote.rs";

static SPAWN_AGAINST_THE_END: Model = Model {
    name: "handle",
    about: "a task spawned and aborted from another thread while the runtime ends: its joiner always gets a result",
    invariants: &[10],
    bound: Some(3),
    body: || {
        let inbox = Arc::new(Inbox::new(Box::new(|| ())));
        let theirs = handle(inbox.clone(), Arc::default());
        let joining = thread::spawn(move || {
            let task = theirs.spawn(|| async {});
            task.abort();
            assert!(task.join().unwrap_err().is_cancelled());
        });
        drop(inbox.close());
        joining.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "nothing_is_refused",
            file: "src/executor/inbox.rs",
            from: "        if state.closed {\n            return;\n        }\n",
            to: "",
        },
        Mutant::Source {
            name: "what_is_left_is_forgotten",
            file: "src/executor/inbox.rs",
            from: "        state.closed = true;\n        mem::take(&mut state.mail)",
            to: "        state.closed = true;\n        mem::forget(mem::take(&mut state.mail));\n        Mail::default()",
        },
        Mutant::Source {
            name: "dropped_sender_wakes_nobody",
            file: "src/sync/oneshot.rs",
            from: "after.discard(state.sender.take());\n            after.wake(state.receiver.take());\n        });",
            to: "after.discard(state.sender.take());\n            after.discard(state.receiver.take());\n        });",
        },
    ],
};

/// Writes when it is dropped, and so shows whether a future has been dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(1, Relaxed);
    }
}

/// Another thread aborts the task and joins it: by then the future is dropped, and `check` is given the result.
fn abort_and_join<T: Send + 'static>(
    task: RemoteJoinHandle<T>,
    dropped: &Arc<AtomicUsize>,
    check: impl FnOnce(Result<T, cotask::JoinError>) + Send + 'static,
) -> thread::JoinHandle<()> {
    let dropped = dropped.clone();
    thread::spawn(move || {
        task.abort();
        let result = task.join();
        assert_eq!(dropped.load(Relaxed), 1, "the join returned before the future was dropped");
        check(result);
    })
}

static ABORT: Model = Model {
    name: "abort",
    about: "a task that would wait forever is aborted by another thread, whether it has started or not",
    invariants: &[12],
    bound: None,
    body: || {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (joiner, owner) = remote::<()>();
        let aborting = abort_and_join(joiner, &dropped, |result| assert!(result.unwrap_err().is_cancelled()));
        let kept = Dropped(dropped);
        let task = Loose::remote(owner, async move {
            let _kept = kept;
            pending().await
        });
        block_on(task.run());
        aborting.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "abort_is_not_stored",
            file: FILE,
            from: "request.made = true;",
            to: "request.made = request.task.is_some();",
        },
        Mutant::Source {
            name: "told_before_the_future_is_dropped",
            file: FILE,
            from: "self.join.request_abort(Some(Actor::Thread));",
            to: "if let Some(sender) = self.result.take() {
                drop(sender.send(Err(JoinError::cancelled(None))));
            }
            self.join.request_abort(Some(Actor::Thread));",
        },
        Mutant::Source {
            name: "asked_only_once",
            file: FILE,
            from: "let before = request.task.replace(waker);",
            to: "let before = Some(waker);",
        },
        Mutant::Source {
            name: "request_and_waker_in_two_sections",
            file: FILE,
            from: "        let mut request = self.0.lock();
        let before = request.task.replace(waker);
        let made = request.made;
        drop(request);",
            to: "        let made = self.0.lock().made;
        let before = self.0.lock().task.replace(waker);",
        },
    ],
};

static ABORT_AGAINST_COMPLETION: Model = Model {
    name: "abort_against_completion",
    about: "a task is aborted while it finishes: its output arrives if there is one; otherwise it was cancelled",
    invariants: &[12],
    bound: Some(3),
    body: || {
        let (dropped, finished) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (joiner, owner) = remote();
        let theirs = finished.clone();
        let aborting = abort_and_join(joiner, &dropped, move |result| match result {
            Ok(output) => assert_eq!(output, 7),
            Err(error) => {
                assert!(error.is_cancelled());
                assert_eq!(theirs.load(Relaxed), 0, "finished, and reported as cancelled");
            }
        });
        let kept = Dropped(dropped);
        let task = Loose::remote(owner, async move {
            let _kept = kept;
            cotask::yield_now().await;
            finished.store(1, Relaxed);
            7
        });
        block_on(task.run());
        aborting.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "abort_is_the_end",
            file: FILE,
            from: "catch_and_discard_panic(|| drop(sender.send(result)));",
            to: "let made = self.abort.0.lock().made;
            catch_and_discard_panic(|| drop(sender.send(if made { Err(JoinError::cancelled(None)) } else { result })));",
        },
        Mutant::Source {
            name: "nothing_is_sent",
            file: FILE,
            from: "catch_and_discard_panic(|| drop(sender.send(result)));",
            to: "std::mem::forget((sender, result));",
        },
    ],
};

static ABORT_AGAINST_THE_END: Model = Model {
    name: "abort_against_the_end",
    about: "a task is aborted while its runtime ends: its joiner gets a result, and by then its future is dropped",
    invariants: &[10, 12],
    bound: None,
    body: || {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (joiner, owner) = remote::<()>();
        let aborting = abort_and_join(joiner, &dropped, |result| assert!(result.unwrap_err().is_cancelled()));
        let kept = Dropped(dropped);
        let task = Loose::remote(owner, async move {
            let _kept = kept;
            pending().await
        });
        // Here the runtime ends.
        task.cancel();
        aborting.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "told_before_the_end_drops_the_future",
            file: FILE,
            from: "        self.run.cancel();\n        self.send_result();",
            to: "        drop(self.result.take());\n        self.run.cancel();",
        },
        Mutant::Source {
            name: "the_end_sends_nothing",
            file: FILE,
            from: "        self.run.cancel();\n        self.send_result();",
            to: "        self.run.cancel();\n        std::mem::forget(self.result.take());",
        },
    ],
};
