//! Guards of locks that a panic would drop, kept until it has been caught: a lock of loom's that is unlocked by a panic
//! panics itself from then on.

use std::any::Any;
use std::mem::ManuallyDrop;

use loom::thread::ThreadId;

use crate::recorder::{At, Id, Op, Step, is_on, lane, with};

/// The guard of a lock that its holder's panic would have dropped. It is dropped when the panic has been caught.
pub(crate) struct Kept {
    thread: ThreadId,
    /// Where loom's lock lies.
    lock: usize,
    /// Never dropped if the execution is given up: loom's locks are not there any more then.
    guard: ManuallyDrop<Box<dyn Any>>,
    object: Id,
    at: At,
}

/// Keeps a guard while its thread unwinds.
pub(crate) fn keep(lock: usize, guard: impl Any, object: Id, at: At) {
    if with(|_| ()).is_none() {
        // Explored by loom itself, so that there is no later.
        return drop(guard);
    }
    let guard = ManuallyDrop::new(Box::new(guard) as Box<dyn Any>);
    let kept = Kept { thread: loom::thread::current().id(), lock, guard, object, at };
    with(|recorder| recorder.kept.push(kept));
}

/// The guard of this lock, if it was kept: a destructor that runs while its thread unwinds locks it again.
pub(crate) fn take<G: Any>(lock: usize) -> Option<G> {
    let kept = with(|recorder| {
        let position = recorder.kept.iter().position(|kept| kept.lock == lock)?;
        (recorder.kept[position].thread == loom::thread::current().id())
            .then(|| recorder.kept.remove(position))
    });
    let guard = ManuallyDrop::into_inner(kept.flatten()?.guard);
    Some(*guard.downcast().expect("the guard of this lock"))
}

/// The running thread has caught its panic, if it had one: its locks are unlocked now.
pub(crate) fn drop_those_of_this_thread() {
    while with(|recorder| !recorder.kept.is_empty()) == Some(true) {
        let id = loom::thread::current().id();
        let next = with(|recorder| {
            let position = recorder.kept.iter().position(|kept| kept.thread == id)?;
            Some(recorder.kept.remove(position))
        });
        let Some(kept) = next.flatten() else { return };
        drop(ManuallyDrop::into_inner(kept.guard));
        if is_on() {
            with(|recorder| {
                let lane = lane(recorder, id, kept.at);
                recorder.step(Step { lane, object: kept.object.number, at: kept.at, op: Op::Unlock });
            });
        }
    }
}
