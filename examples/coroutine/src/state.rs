//! What a caller learns when a coroutine stops.

/// Where a coroutine stands when it hands control back to its caller.
///
/// ```
/// use coroutine::{Coroutine, State};
///
/// let mut evens = Coroutine::new(async |co| {
///     while let Some(number) = co.receive().await {
///         if number % 2 == 0 {
///             co.yield_(number).await;
///         }
///     }
///     "no more"
/// });
/// assert_eq!(evens.resume(2), State::Yielded(2));
/// assert_eq!(evens.resume(3), State::Waiting);
/// assert_eq!(evens.close(), State::Complete("no more"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State<Out, Ret> {
    /// It yielded this value. There may be more to come without another value going in.
    Yielded(Out),
    /// It has taken every value it was given and waits for the next.
    Waiting,
    /// It returned. It must not be resumed any more.
    Complete(Ret),
}

impl<Out, Ret> State<Out, Ret> {
    /// The yielded value, if there is one.
    ///
    /// ```
    /// use coroutine::State;
    ///
    /// assert_eq!(State::<_, ()>::Yielded(7).yielded(), Some(7));
    /// assert_eq!(State::<u8, ()>::Waiting.yielded(), None);
    /// ```
    pub fn yielded(self) -> Option<Out> {
        match self {
            State::Yielded(value) => Some(value),
            State::Waiting | State::Complete(_) => None,
        }
    }

    /// What the body returned, if it did.
    ///
    /// ```
    /// use coroutine::State;
    ///
    /// assert_eq!(State::<(), _>::Complete("done").complete(), Some("done"));
    /// assert_eq!(State::<(), u8>::Waiting.complete(), None);
    /// ```
    pub fn complete(self) -> Option<Ret> {
        match self {
            State::Complete(value) => Some(value),
            State::Waiting | State::Yielded(_) => None,
        }
    }
}
