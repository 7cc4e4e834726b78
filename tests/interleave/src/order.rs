//! Whether each step is recorded where loom performs it. Loom writes a log; the order of its operations in there is
//! compared with the order of the steps.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::Model;
use crate::future::block_on;
use crate::recorder::{self, Op};
use crate::sync::atomic::{AtomicUsize, Ordering::*, fence};
use crate::thread;

/// A thread's number, and what kind of thing it operated on.
type Effect = (u8, &'static str);

/// What loom has done in the execution that runs now.
#[derive(Default)]
struct Log {
    effects: Vec<Effect>,
    active: u8,
    /// For each thread, the operation before which it stands.
    before: [Option<&'static str>; loom::MAX_THREADS],
    /// Whether the thread has begun to wait for a `Notify`.
    waits: [bool; loom::MAX_THREADS],
    /// Loom has switched to this thread: what it stands before takes effect next.
    resumed: bool,
}

impl Log {
    fn take_effect(&mut self) {
        if let Some(kind) = self.before[usize::from(self.active)].take() {
            self.effects.push((self.active, kind));
        }
        self.resumed = false;
    }

    fn event(&mut self, fields: &Fields) {
        let message = fields.message.as_str();
        if let Some(rest) = message.strip_prefix("~~~~~~~~ THREAD ") {
            self.active = rest.trim_end_matches([' ', '~']).parse().expect("a thread's number");
            self.resumed = true;
            return;
        }
        match message {
            // A spurious wait ends when loom comes back to the thread.
            "yield_now" if std::mem::take(&mut self.waits[usize::from(fields.thread)]) => {
                self.before[usize::from(fields.thread)] = Some("wait");
                self.resumed = true;
            }
            "yield_now" => self.effects.push((fields.thread, "yield")),
            "Notify::wait 1" => self.waits[usize::from(self.active)] = true,
            // Loom has not switched.
            "branch" => self.resumed = true,
            _ => {}
        }
        if self.resumed {
            self.take_effect();
        }
        if message.starts_with("Object::branch") {
            let kinds = ["atomic", "mutex", "rwlock", "condvar", "notify", "arc", "mpsc"];
            let kind = kinds.into_iter().find(|kind| fields.object.contains(&format!("rt::{kind}::")));
            let waits = std::mem::take(&mut self.waits[usize::from(self.active)]);
            let kind = if waits { "wait" } else { kind.expect(&fields.object) };
            self.before[usize::from(self.active)] = Some(kind);
        }
    }
}

/// What is said in one event of the log.
#[derive(Default)]
struct Fields {
    message: String,
    object: String,
    thread: u8,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "obj" => self.object = format!("{value:?}"),
            "thread" => {
                let digits = format!("{value:?}").trim_matches(|c: char| !c.is_ascii_digit()).to_owned();
                self.thread = digits.parse().unwrap_or_default();
            }
            _ => {}
        }
    }
}

struct Listening(Arc<Mutex<Log>>);

impl Subscriber for Listening {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("loom")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().event(&fields);
    }
}

/// The steps that are an operation of loom's.
fn recorded() -> Vec<Effect> {
    let steps = recorder::with(|recorder| recorder.recording.steps.clone()).expect("an exploration");
    let kind = |op: &Op| match op {
        Op::Load { .. } | Op::Store { .. } | Op::Update { .. } | Op::Exchange { .. } => Some("atomic"),
        Op::Lock { method: "lock" | "try_lock" } | Op::Refused { method: "try_lock" } => Some("mutex"),
        Op::WaitOver(_) => Some("mutex"),
        Op::Lock { .. } | Op::Refused { .. } => Some("rwlock"),
        Op::WaitFrom(_) | Op::Notify { .. } => Some("condvar"),
        Op::Permit | Op::Wake(_) => Some("notify"),
        Op::Notified { .. } | Op::Awake { .. } | Op::Join(_) => Some("wait"),
        Op::Yield => Some("yield"),
        Op::Parks | Op::Parked | Op::Unpark { .. } => Some("atomic"),
        Op::Clone(_) | Op::Drop(_) | Op::StrongCount(_) | Op::Only { .. } | Op::Shared { .. } => Some("arc"),
        _ => None,
    };
    steps.iter().filter_map(|step| Some((step.lane, kind(&step.op)?))).collect()
}

/// Explores a model that joins its threads, and compares the two orders in every execution.
fn compare(body: fn()) {
    let log = Arc::new(Mutex::new(Log::default()));
    let theirs = log.clone();
    let model = Model::new("compared").preemption_bound(3);
    let body = move || {
        *theirs.lock().unwrap() = Log::default();
        body();
        let mut log = theirs.lock().unwrap();
        log.take_effect();
        let mut effects = std::mem::take(&mut log.effects);
        drop(log);
        // The last that each thread does is to let itself be joined: no step.
        for thread in 1..loom::MAX_THREADS as u8 {
            if let Some(last) = effects.iter().rposition(|(number, _)| *number == thread) {
                assert_eq!(effects.remove(last).1, "notify");
            }
        }
        assert_eq!(recorded(), effects);
    };
    let explored = tracing::subscriber::with_default(Listening(log), || model.explore(body));
    let executions = explored.unwrap_or_else(|failure| panic!("{}", failure.text())).executions;
    assert!(executions > 3, "a model of {executions} executions shows little");
}

#[test]
fn each_atomic_access_is_recorded_where_loom_performs_it() {
    compare(|| {
        let number = crate::sync::Arc::new(AtomicUsize::new(0));
        let theirs = number.clone();
        let other = thread::spawn(move || {
            theirs.fetch_add(1, AcqRel);
            fence(SeqCst);
            theirs.store(5, Release);
        });
        number.load(Acquire);
        thread::yield_now();
        let _ = number.compare_exchange(1, 7, AcqRel, Relaxed);
        other.join().unwrap();
    });
}

#[test]
fn each_lock_is_recorded_where_loom_performs_it() {
    compare(|| {
        let locks = crate::sync::Arc::new((crate::sync::Mutex::new(0), crate::sync::RwLock::new(0)));
        let theirs = locks.clone();
        let other = thread::spawn(move || {
            *theirs.0.lock().unwrap() += 1;
            *theirs.1.write().unwrap() += 1;
            drop(theirs.0.try_lock());
        });
        drop(locks.1.try_read());
        *locks.0.lock().unwrap() += *locks.1.read().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn each_wait_and_notification_is_recorded_where_loom_performs_it() {
    compare(|| {
        let shared = crate::sync::Arc::new((crate::sync::Mutex::new(0), crate::sync::Condvar::new()));
        let theirs = shared.clone();
        let other = thread::spawn(move || {
            // Before the change: a notification that may find no thread.
            theirs.1.notify_one();
            *theirs.0.lock().unwrap() = 1;
            theirs.1.notify_all();
        });
        let mut number = shared.0.lock().unwrap();
        while *number == 0 {
            number = shared.1.wait(number).unwrap();
        }
        drop(number);
        other.join().unwrap();
    });
}

#[test]
fn each_park_and_permit_is_recorded_where_loom_performs_it() {
    compare(|| {
        let notify = crate::sync::Arc::new(crate::sync::Notify::new());
        let theirs = notify.clone();
        let main = thread::current();
        let other = thread::spawn(move || {
            theirs.notify();
            main.unpark();
            main.unpark();
        });
        notify.wait();
        thread::park();
        other.join().unwrap();
    });
}

#[test]
fn each_wake_of_a_future_is_recorded_where_loom_performs_it() {
    compare(|| {
        let slot = crate::sync::Arc::new(crate::sync::Mutex::new((false, None::<std::task::Waker>)));
        let theirs = slot.clone();
        let other = thread::spawn(move || {
            let mut slot = theirs.lock().unwrap();
            slot.0 = true;
            if let Some(waker) = slot.1.take() {
                waker.wake();
            }
        });
        block_on(std::future::poll_fn(|cx| {
            let mut slot = slot.lock().unwrap();
            slot.1 = Some(cx.waker().clone());
            if slot.0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        }));
        other.join().unwrap();
    });
}

#[test]
fn each_handle_of_an_arc_is_recorded_where_loom_performs_it() {
    struct Last(crate::sync::Arc<AtomicUsize>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.fetch_add(1, AcqRel);
        }
    }
    compare(|| {
        let number = crate::sync::Arc::new(AtomicUsize::new(0));
        let last = crate::sync::Arc::new(Last(number.clone()));
        let theirs = last.clone();
        let other = thread::spawn(move || drop(theirs));
        number.load(Acquire);
        drop(last);
        other.join().unwrap();
    });
}
