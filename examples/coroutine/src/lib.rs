//! Coroutines proper: functions that stop in the middle, take a value, hand one out, and go on.
//!
//! An `async fn` already is a function that can stop in the middle. A runtime uses this to wait for sockets
//! and timers. Here nothing is waited for: the caller decides when the body goes on, by
//! [`resume`](Coroutine::resume). No executor, no I/O, no thread, and no waker that does anything.
//!
//! ```text
//!        caller                                        body (an async closure)
//!   co.resume(value)  -- value -->  mailbox  -------->  co.receive().await  => Some(value)
//!   State::Yielded(x) <-- x ------  mailbox  <--------  co.yield_(x).await
//!   State::Waiting    <------------------------------   co.receive().await  (nothing there yet)
//!   co.close()        -- end ---->  mailbox  -------->  co.receive().await  => None
//!   State::Complete(r) <-----------------------------   the body returns r
//! ```
//!
//! A running average: each value in, the average so far out.
//!
//! ```
//! use coroutine::{Coroutine, State};
//!
//! let mut average = Coroutine::new(async |co| {
//!     let (mut sum, mut count) = (0.0, 0.0);
//!     while let Some(value) = co.receive().await {
//!         sum += value;
//!         count += 1.0;
//!         co.yield_(sum / count).await;
//!     }
//!     sum
//! });
//!
//! assert_eq!(average.resume(10.0), State::Yielded(10.0));
//! assert_eq!(average.resume(30.0), State::Yielded(20.0));
//! assert_eq!(average.resume(5.0), State::Yielded(15.0));
//! assert_eq!(average.close(), State::Complete(45.0));
//! ```
//!
//! The shell's `cat | grep | wc -l`, each stage a coroutine that knows nothing of the others:
//!
//! ```
//! use coroutine::Coroutine;
//!
//! fn cat(text: &str) -> Coroutine<'_, (), &str> {
//!     Coroutine::new(async move |co| {
//!         for line in text.lines() {
//!             co.yield_(line).await;
//!         }
//!     })
//! }
//!
//! fn grep<'a>(pattern: &'a str) -> Coroutine<'a, &'a str, &'a str> {
//!     Coroutine::<&str, &str>::new(async move |co| {
//!         while let Some(line) = co.receive().await {
//!             if line.contains(pattern) {
//!                 co.yield_(line).await;
//!             }
//!         }
//!     })
//! }
//!
//! fn count<'a>() -> Coroutine<'a, &'a str, (), usize> {
//!     Coroutine::<&str, (), usize>::new(async |co| {
//!         let mut lines = 0;
//!         while co.receive().await.is_some() {
//!             lines += 1;
//!         }
//!         lines
//!     })
//! }
//!
//! let text = "call me\nsome years ago\nnever mind how\ncall again";
//! assert_eq!(cat(text).pipe(grep("call")).pipe(count()).finish(), 2);
//! ```
//!
//! # Ends
//!
//! - [`close`](Coroutine::close) says that no more values come. The body sees `None`, may still yield what it
//!   holds back, and returns.
//! - Dropping the coroutine drops the body where it stands: its local variables are dropped, and no further line
//!   of it runs. This also ends a body that would yield forever.
//! - A panic in the body comes out of the call that resumed it, and the coroutine is complete.
//! - Resuming a complete coroutine is a mistake of the caller and panics; check with [`is_complete`].
//!
//! The vocabulary is Python's generators' (`send`, `yield`, `close`) with one difference: there, one `yield`
//! both hands out a value and takes the next, and a generator must be started before the first `send`. Here
//! the two are separate, values wait in the mailbox, and nothing needs to be started.
//!
//! [`is_complete`]: Coroutine::is_complete

mod state;
mod yielder;

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub use state::State;
use yielder::Mailbox;
pub use yielder::Yielder;

/// A function that is resumed with values of type `In`, yields values of type `Out`, and in the end returns
/// a `Ret`. `'a` is the life of what its body borrows.
///
/// Nothing runs before the first call that resumes it. Creating one costs two allocations, resuming none.
/// See the [module](self) for the whole picture.
///
/// As an [`Iterator`] it returns what the body yields without further input: all the output of a generator, or
/// the rest of the output for the last value.
///
/// ```
/// use coroutine::Coroutine;
///
/// let mut words = Coroutine::new(async |co| {
///     while let Some(line) = co.receive().await {
///         for word in str::split_whitespace(line) {
///             co.yield_(word).await;
///         }
///     }
/// });
/// assert_eq!(words.resume("from soup to nuts").yielded(), Some("from"));
/// assert_eq!(words.by_ref().collect::<Vec<_>>(), ["soup", "to", "nuts"]);
/// assert_eq!(words.resume("once more").yielded(), Some("once"));
/// ```
#[must_use = "a coroutine runs only while it is resumed"]
pub struct Coroutine<'a, In, Out = (), Ret = ()> {
    /// Taken out while it runs, and for good when it has returned or panicked.
    body: Option<Pin<Box<dyn Future<Output = Ret> + 'a>>>,
    mailbox: Rc<Mailbox<In, Out>>,
}

impl<'a, In: 'a, Out: 'a, Ret: 'a> Coroutine<'a, In, Out, Ret> {
    /// Creates a coroutine from this body. No line of it runs yet.
    ///
    /// The body may await its [`Yielder`] and any future that is ready at once. A future that has to wait for
    /// something else belongs on a runtime: here nothing would wake it, and resuming panics.
    ///
    /// ```
    /// use coroutine::Coroutine;
    ///
    /// let mut greeter = Coroutine::new(async |co| {
    ///     while let Some(name) = co.receive().await {
    ///         co.yield_(format!("hello, {name}")).await;
    ///     }
    /// });
    /// assert_eq!(greeter.resume("Ada").yielded().unwrap(), "hello, Ada");
    /// ```
    pub fn new(body: impl AsyncFnOnce(&mut Yielder<In, Out>) -> Ret + 'a) -> Self {
        let mailbox = Rc::new(Mailbox::new());
        let mut yielder = Yielder { mailbox: Rc::clone(&mailbox) };
        Coroutine { body: Some(Box::pin(async move { body(&mut yielder).await })), mailbox }
    }

    /// Gives the body a value and lets it run until it yields, waits for the next value, or returns.
    ///
    /// A body may yield several times for one value: fetch the others with [`proceed`](Self::proceed) or as an
    /// iterator before the next `resume`. If not, nothing is lost, but the values given wait in the mailbox.
    ///
    /// # Panics
    ///
    /// If the coroutine is closed or complete, if the body awaits a foreign future that is not ready, and with
    /// whatever the body panics with.
    ///
    /// ```
    /// use coroutine::{Coroutine, State};
    ///
    /// let mut echo = Coroutine::new(async |co| {
    ///     while let Some(value) = co.receive().await {
    ///         co.yield_(value).await;
    ///     }
    /// });
    /// assert_eq!(echo.resume('a'), State::Yielded('a'));
    /// ```
    pub fn resume(&mut self, value: In) -> State<Out, Ret> {
        assert!(!self.mailbox.closed.get(), "a value was given to a coroutine that is closed");
        self.mailbox.input.borrow_mut().push_back(value);
        self.proceed()
    }

    /// Lets the body go on without a value.
    ///
    /// # Panics
    ///
    /// As [`resume`](Self::resume), but a closed coroutine may go on.
    ///
    /// ```
    /// use coroutine::{Coroutine, State};
    ///
    /// let mut powers = Coroutine::<(), _>::new(async |co| {
    ///     let mut power = 1_u64;
    ///     loop {
    ///         co.yield_(power).await;
    ///         power *= 2;
    ///     }
    /// });
    /// assert_eq!(powers.proceed(), State::<_, ()>::Yielded(1));
    /// assert_eq!(powers.proceed(), State::Yielded(2));
    /// drop(powers); // the only way to end a body that never returns
    /// ```
    // ANCHOR: proceed
    pub fn proceed(&mut self) -> State<Out, Ret> {
        // While the body runs it is out of its place. If it panics it is dropped by the unwinding.
        let mut body = self.body.take().expect("a coroutine was resumed after it had completed");
        self.mailbox.suspended.set(false);
        match body.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => State::Complete(value),
            Poll::Pending => {
                assert!(
                    self.mailbox.suspended.get(),
                    "a coroutine awaited a future other than its Yielder's, which nobody would ever wake; \
                     futures that wait need a runtime (cotask::spawn)"
                );
                self.body = Some(body);
                self.mailbox.output.take().map_or(State::Waiting, State::Yielded)
            }
        }
    }
    // ANCHOR_END: proceed

    /// Tells the body that no more values come, and lets it run on.
    ///
    /// The body gets the values that still wait in the mailbox, then `None`. If it yields, call `close` or
    /// [`proceed`](Self::proceed) again for the rest.
    ///
    /// # Panics
    ///
    /// As [`proceed`](Self::proceed).
    ///
    /// ```
    /// use coroutine::{Coroutine, State};
    ///
    /// let mut sort = Coroutine::new(async |co| {
    ///     let mut values = Vec::new();
    ///     while let Some(value) = co.receive().await {
    ///         values.push(value);
    ///     }
    ///     values.sort();
    ///     for value in values {
    ///         co.yield_(value).await;
    ///     }
    /// });
    /// assert_eq!((sort.resume(2), sort.resume(1)), (State::Waiting, State::Waiting));
    /// assert_eq!(sort.close(), State::Yielded(1));
    /// assert_eq!(sort.close(), State::Yielded(2));
    /// assert_eq!(sort.close(), State::Complete(()));
    /// ```
    pub fn close(&mut self) -> State<Out, Ret> {
        self.mailbox.closed.set(true);
        self.proceed()
    }

    /// Closes the coroutine, runs it to its end, drops what it still yields, and returns the body's return value.
    ///
    /// Does not return if the body yields forever; drop such a coroutine instead.
    ///
    /// # Panics
    ///
    /// As [`proceed`](Self::proceed).
    ///
    /// ```
    /// use coroutine::Coroutine;
    ///
    /// let mut sum = Coroutine::<_, (), _>::new(async |co| {
    ///     let mut sum = 0;
    ///     while let Some(value) = co.receive().await {
    ///         sum += value;
    ///     }
    ///     sum
    /// });
    /// for value in 1..=4 {
    ///     sum.resume(value);
    /// }
    /// assert_eq!(sum.finish(), 10);
    /// ```
    pub fn finish(mut self) -> Ret {
        loop {
            if let State::Complete(value) = self.close() {
                return value;
            }
        }
    }

    /// Whether the body has returned or panicked.
    ///
    /// ```
    /// use coroutine::Coroutine;
    ///
    /// let mut once = Coroutine::<(), ()>::new(async |_| ());
    /// assert!(!once.is_complete());
    /// once.proceed();
    /// assert!(once.is_complete());
    /// ```
    pub fn is_complete(&self) -> bool {
        self.body.is_none()
    }

    /// Returns a coroutine that passes what this one yields to `next`, and yields what `next` yields.
    ///
    /// When this one is complete, `next` is closed; what `next` returns is the return value of the whole. If
    /// `next` completes first (it wanted only ten lines, say), the whole is complete and this one is dropped.
    ///
    /// ```
    /// use coroutine::Coroutine;
    ///
    /// let numbers = Coroutine::<(), _>::new(async |co| {
    ///     for number in 0_u64.. {
    ///         co.yield_(number).await;
    ///     }
    /// });
    /// let sum_of_ten = Coroutine::<u64, (), _>::new(async |co| {
    ///     let mut sum = 0;
    ///     for _ in 0..10 {
    ///         sum += co.receive().await.unwrap_or(0);
    ///     }
    ///     sum
    /// });
    /// assert_eq!(numbers.pipe(sum_of_ten).finish(), 45);
    /// ```
    pub fn pipe<Next: 'a, Last: 'a>(
        mut self,
        mut next: Coroutine<'a, Out, Next, Last>,
    ) -> Coroutine<'a, In, Next, Last> {
        Coroutine::new(async move |co| {
            let mut ours = self.proceed();
            loop {
                let mut theirs = match ours {
                    State::Yielded(value) => next.resume(value),
                    State::Waiting => {
                        ours = match co.receive().await {
                            Some(value) => self.resume(value),
                            None => self.close(),
                        };
                        continue;
                    }
                    State::Complete(_) => next.close(),
                };
                while let State::Yielded(value) = theirs {
                    co.yield_(value).await;
                    theirs = next.proceed();
                }
                if let State::Complete(value) = theirs {
                    return value;
                }
                ours = self.proceed();
            }
        })
    }
}

impl<'a, In: 'a, Out: 'a, Ret: 'a> Iterator for Coroutine<'a, In, Out, Ret> {
    type Item = Out;

    /// The next value that the body yields without being given one; `None` when it waits or is complete.
    fn next(&mut self) -> Option<Out> {
        if self.is_complete() { None } else { self.proceed().yielded() }
    }
}

impl<In, Out, Ret> fmt::Debug for Coroutine<'_, In, Out, Ret> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine").field("complete", &self.body.is_none()).finish_non_exhaustive()
    }
}
