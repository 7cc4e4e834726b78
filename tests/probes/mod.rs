//! What tests watch a runtime with: futures that count, wakers of no runtime, the grammar of a trace. Each test program uses
//! its own part of it.
#![allow(dead_code)]

pub mod grammar;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use cotask::{Runtime, yield_now};

/// A runtime that must still be able to do everything: after whatever a test has done to it.
pub fn still_serves(runtime: &Runtime) {
    let answer = runtime.block_on(async {
        cotask::time::sleep(std::time::Duration::from_micros(1)).await;
        let child = cotask::spawn(async {
            yield_now().await;
            6
        });
        child.await.unwrap() * cotask::spawn_blocking(|| 7).await.unwrap()
    });
    assert_eq!(answer, 42);
}

/// Lets the others run, so often that whatever can happen has happened.
pub async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// Gives the waker of the task that awaits it.
pub async fn my_waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// One poll by hand, with a waker of the test's choice.
pub fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Runs its closure when it is dropped.
pub struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub fn new(action: F) -> Self {
        OnDrop(Some(action))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

/// Never ready; counts its polls, and hands its waker out.
#[derive(Clone, Default)]
pub struct Probe(Rc<ProbeState>);

#[derive(Default)]
struct ProbeState {
    polls: Cell<usize>,
    dropped: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl Probe {
    pub fn future(&self) -> impl Future<Output = ()> + use<> {
        let state = Rc::clone(&self.0);
        let at_drop = OnDrop::new({
            let state = Rc::clone(&state);
            move || state.dropped.set(state.dropped.get() + 1)
        });
        poll_fn(move |cx| {
            let _kept = &at_drop;
            state.polls.set(state.polls.get() + 1);
            *state.waker.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    pub fn polls(&self) -> usize {
        self.0.polls.get()
    }

    /// How many of its futures have been dropped.
    pub fn dropped(&self) -> usize {
        self.0.dropped.get()
    }

    /// The waker of the latest poll.
    pub fn waker(&self) -> Waker {
        self.0.waker.borrow().clone().expect("the probe has been polled")
    }
}

/// When a foreign waker does what it was made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    Wake,
    /// The last clone is dropped.
    Drop,
}

pub const WAKE_AND_DROP: [On; 2] = [On::Wake, On::Drop];

/// A waker of no runtime, which runs `action` once, on the thread that made it. What it runs may hold handles,
/// which are not `Send`: so the waker has only its number.
pub fn foreign_waker(on: On, action: impl FnOnce() + 'static) -> Waker {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    ACTIONS.with_borrow_mut(|actions| actions.insert(number, Box::new(action)));
    Waker::from(Arc::new(Foreign { on, number }))
}

thread_local! {
    static ACTIONS: RefCell<HashMap<u64, Box<dyn FnOnce()>>> = RefCell::default();
}

struct Foreign {
    on: On,
    number: u64,
}

impl Foreign {
    fn act(&self) {
        let action = ACTIONS.try_with(|actions| actions.borrow_mut().remove(&self.number));
        if let Ok(Some(action)) = action {
            action();
        }
    }
}

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        if self.on == On::Wake {
            self.act();
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if self.on == On::Drop {
            self.act();
        }
    }
}
