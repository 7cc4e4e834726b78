//! The same steps on a real runtime.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use cotask::{JoinError, JoinHandle, Runtime};

use crate::model::{Deed, End, Handle, Model, Op, Turns};
use crate::probes::poll_with;

/// Tasks that do what the steps say, and what became of them.
#[derive(Clone, Default)]
pub struct World(Rc<Shared>);

#[derive(Default)]
struct Shared {
    tasks: RefCell<Vec<Rc<Puppet>>>,
    polls: RefCell<Vec<usize>>,
}

#[derive(Default)]
struct Puppet {
    deed: Cell<Deed>,
    drop_panics: Cell<bool>,
    dropped: Cell<usize>,
    waker: RefCell<Option<Waker>>,
    handle: RefCell<Option<JoinHandle<usize>>>,
}

/// How a handle's result reads in the model's words.
fn end_of(result: Result<usize, JoinError>, index: usize) -> End {
    match result {
        Ok(output) => {
            assert_eq!(output, index, "the output of another task");
            End::Finished
        }
        Err(error) if error.is_panic() => End::Panicked,
        Err(_) => End::Cancelled,
    }
}

impl World {
    /// Does a step. For `Join`, returns what the handle reports.
    pub fn apply(&self, op: Op, model: &Model, runtime: &Runtime, turns: Turns) -> Option<End> {
        let find = |target| {
            let index = model.index(target).expect("the step is allowed");
            (index, self.puppet(index))
        };
        match op {
            Op::Spawn => self.spawn(|future| runtime.spawn(future)),
            // The driver has already let the tasks run.
            Op::Turn => {}
            Op::Wake(target) => find(target).1.waker.borrow().as_ref().unwrap().wake_by_ref(),
            Op::Abort(target) => find(target).1.handle.borrow().as_ref().unwrap().abort(),
            Op::DropHandle(target) => drop(find(target).1.handle.take()),
            Op::Join(target) => {
                let (index, puppet) = find(target);
                return self.join(index, &puppet, turns);
            }
            Op::Will(target, deed) => find(target).1.deed.set(deed),
            Op::DropPanics(target) => find(target).1.drop_panics.set(true),
        }
        None
    }

    fn join(&self, index: usize, puppet: &Puppet, turns: Turns) -> Option<End> {
        let mut place = puppet.handle.borrow_mut();
        let handle = place.as_mut().unwrap();
        if turns == Turns::UntilIdle && !handle.is_finished() {
            // Outside of its runtime a handle cannot wait: its poll would panic.
            return None;
        }
        match poll_with(handle, Waker::noop()) {
            Poll::Pending => None,
            Poll::Ready(result) => {
                *place = None;
                Some(end_of(result, index))
            }
        }
    }

    fn puppet(&self, index: usize) -> Rc<Puppet> {
        Rc::clone(&self.0.tasks.borrow()[index])
    }

    fn spawn(&self, spawn: impl FnOnce(Act) -> JoinHandle<usize>) {
        let puppet = Rc::new(Puppet::default());
        let index = self.0.tasks.borrow().len();
        self.0.tasks.borrow_mut().push(Rc::clone(&puppet));
        let handle = spawn(Act { world: self.clone(), index, puppet: Rc::clone(&puppet) });
        *puppet.handle.borrow_mut() = Some(handle);
    }

    /// Has every task that is left finish at its next poll, and wakes it.
    pub fn release(&self) {
        for puppet in &*self.0.tasks.borrow() {
            puppet.deed.set(Deed::Finish);
            if let Some(waker) = &*puppet.waker.borrow() {
                waker.wake_by_ref();
            }
        }
    }

    /// Compares all that can be seen from outside.
    pub fn compare(&self, model: &Model) {
        for (index, task) in model.tasks.iter().enumerate() {
            let puppet = self.puppet(index);
            assert_eq!(puppet.dropped.get(), usize::from(task.end.is_some()), "drops of task {index}");
            let handle = puppet.handle.borrow();
            assert_eq!(handle.is_some(), task.handle == Handle::Held, "the handle of task {index}");
            if let Some(handle) = &*handle {
                assert_eq!(handle.is_finished(), task.end.is_some(), "is_finished of task {index}");
            }
        }
        assert_eq!(self.0.tasks.borrow().len(), model.tasks.len());
    }

    pub fn compare_polls(&self, model: &Model) {
        assert_eq!(*self.0.polls.borrow(), model.polls, "the polls, in order");
    }

    /// What each handle that is left says in the end.
    pub fn join_all(&self, model: &Model) {
        for (index, task) in model.tasks.iter().enumerate().filter(|(_, task)| task.handle == Handle::Held) {
            let puppet = self.puppet(index);
            assert_eq!(self.join(index, &puppet, Turns::UntilIdle), task.end, "the end of task {index}");
        }
    }
}

/// The future of a puppet.
struct Act {
    world: World,
    index: usize,
    puppet: Rc<Puppet>,
}

impl Future for Act {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let (world, puppet, index) = (&self.world, &self.puppet, self.index);
        world.0.polls.borrow_mut().push(index);
        *puppet.waker.borrow_mut() = Some(cx.waker().clone());
        match puppet.deed.take() {
            Deed::Wait => {}
            Deed::WakeSelf => cx.waker().wake_by_ref(),
            Deed::WakeOlder => {
                if let Some(waker) = &*world.puppet(index - 1).waker.borrow() {
                    waker.wake_by_ref();
                }
            }
            Deed::AbortSelf => {
                if let Some(own) = &*puppet.handle.borrow() {
                    own.abort();
                }
            }
            Deed::JoinOlder => {
                let older = world.puppet(index - 1);
                let mut place = older.handle.borrow_mut();
                match place.as_mut().map(|handle| Pin::new(handle).poll(cx)) {
                    Some(Poll::Pending) => puppet.deed.set(Deed::JoinOlder),
                    Some(Poll::Ready(_)) => {
                        *place = None;
                        return Poll::Ready(index);
                    }
                    None => {}
                }
            }
            Deed::Spawn => world.spawn(cotask::spawn),
            Deed::Finish => return Poll::Ready(index),
            // Without the panic hook, which would write a line for each of a million panics.
            Deed::Panic => resume_unwind(Box::new("as told")),
        }
        Poll::Pending
    }
}

impl Drop for Act {
    fn drop(&mut self) {
        self.puppet.dropped.set(self.puppet.dropped.get() + 1);
        if self.puppet.drop_panics.get() {
            resume_unwind(Box::new("in the drop, as told"));
        }
    }
}
