//! The body's side of a coroutine, and the mailbox between the two sides.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// What the caller and the body share. It never holds the body, so no cycle can keep the two alive.
pub(super) struct Mailbox<In, Out> {
    pub(super) input: RefCell<VecDeque<In>>,
    pub(super) output: Cell<Option<Out>>,
    /// No value will be added to `input`.
    pub(super) closed: Cell<bool>,
    /// The body stopped at its `Yielder`, and not at a future that needs a wake from elsewhere.
    pub(super) suspended: Cell<bool>,
}

impl<In, Out> Mailbox<In, Out> {
    pub(super) fn new() -> Self {
        Mailbox {
            input: RefCell::default(),
            output: Cell::new(None),
            closed: Cell::new(false),
            suspended: Cell::new(false),
        }
    }
}

/// The body's end of a coroutine: it receives from the caller and yields to it.
///
/// ```
/// use coroutine::{Coroutine, State, Yielder};
///
/// async fn double(co: &mut Yielder<i32, i32>) {
///     while let Some(number) = co.receive().await {
///         co.yield_(2 * number).await;
///     }
/// }
///
/// assert_eq!(Coroutine::new(double).resume(21), State::Yielded(42));
/// ```
pub struct Yielder<In, Out> {
    pub(super) mailbox: Rc<Mailbox<In, Out>>,
}

impl<In, Out> Yielder<In, Out> {
    /// The next value from the caller, or `None` once the coroutine was closed and every value was taken.
    ///
    /// Where no value is there, the caller gets [`State::Waiting`](super::State::Waiting). Cancel safe: a value leaves the mailbox
    /// only in the poll that returns it.
    ///
    /// ```
    /// use coroutine::{Coroutine, State};
    ///
    /// let mut pairs = Coroutine::new(async |co| {
    ///     while let (Some(a), Some(b)) = (co.receive().await, co.receive().await) {
    ///         co.yield_((a, b)).await;
    ///     }
    /// });
    /// assert_eq!(pairs.resume(1), State::Waiting);
    /// assert_eq!(pairs.resume(2), State::Yielded((1, 2)));
    /// ```
    // ANCHOR: receive
    pub async fn receive(&mut self) -> Option<In> {
        let mailbox = &self.mailbox;
        poll_fn(|_| {
            let value = mailbox.input.borrow_mut().pop_front();
            if value.is_some() || mailbox.closed.get() {
                return Poll::Ready(value);
            }
            mailbox.suspended.set(true);
            Poll::Pending
        })
        .await
    }
    // ANCHOR_END: receive

    /// Hands `value` to the caller and stops until it resumes the coroutine.
    ///
    /// Cancel safe from its first poll on: the value is in the mailbox, and the caller gets it when the body
    /// stops next. A body that returns instead of stopping drops it.
    ///
    /// ```
    /// use coroutine::Coroutine;
    ///
    /// let countdown = Coroutine::<(), _>::new(async |co| {
    ///     for number in (1..=3).rev() {
    ///         co.yield_(number).await;
    ///     }
    /// });
    /// assert_eq!(countdown.collect::<Vec<_>>(), [3, 2, 1]);
    /// ```
    pub async fn yield_(&mut self, value: Out) {
        let mailbox = &self.mailbox;
        let mut value = Some(value);
        poll_fn(|_| {
            let before = mailbox.output.take();
            if before.is_none() && value.is_none() {
                return Poll::Ready(());
            }
            // Not ours: an abandoned `yield_` left it there. First in, first out.
            mailbox.output.set(before.or_else(|| value.take()));
            mailbox.suspended.set(true);
            Poll::Pending
        })
        .await
    }
}
