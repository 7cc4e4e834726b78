//! Permits, counted: at most so many at once.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::base::shim::Mutex;

use super::critical::{Turn, locked, wait};
use super::permits::{MAX_PERMITS, Permits, Refused};

/// Holds a number of permits, which tasks take and return; a task that finds too few waits.
///
/// Waiters are served in the order in which they came. One that wants many holds up those behind it that want
/// few; otherwise it might starve.
///
/// ```
/// use cotask::sync::Semaphore;
/// # use cotask::block_on;
///
/// let connections = Semaphore::new(2);
/// let first = block_on(connections.acquire()).unwrap();
/// let _second = block_on(connections.acquire()).unwrap();
/// assert!(connections.try_acquire().is_err());
/// drop(first);
/// assert!(connections.try_acquire().is_ok());
/// ```
pub struct Semaphore {
    permits: Mutex<Permits>,
}

impl Semaphore {
    /// The most permits that a semaphore can have.
    pub const MAX_PERMITS: usize = MAX_PERMITS;

    /// A semaphore with this many permits. With none, everybody waits for [`add_permits`](Self::add_permits).
    ///
    /// # Panics
    ///
    /// If `permits` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    pub fn new(permits: usize) -> Self {
        assert!(permits <= MAX_PERMITS, "Semaphore::new({permits}): more than MAX_PERMITS ({MAX_PERMITS})");
        Semaphore { permits: Mutex::new(Permits::new(permits)) }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Self::close), before or while this waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: dropping the future gives up its place in the queue, and a permit that it had been
    /// granted goes to the next.
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(1);
    /// cotask::block_on(async {
    ///     let permit = semaphore.acquire().await.unwrap();
    ///     assert_eq!(semaphore.available_permits(), 0);
    ///     drop(permit);
    /// });
    /// ```
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.acquire_many(1).await
    }

    /// Waits for `permits` permits at once: without end if the semaphore never has that many. Zero permits are
    /// there at once, unless other tasks wait.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed, before or while this waits.
    ///
    /// # Cancel safety
    ///
    /// As for [`acquire`](Self::acquire).
    ///
    /// ```
    /// # use cotask::sync::Semaphore;
    /// # use cotask::block_on;
    /// let semaphore = Semaphore::new(3);
    /// let two = block_on(semaphore.acquire_many(2)).unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// drop(two);
    /// assert_eq!(semaphore.available_permits(), 3);
    /// ```
    pub async fn acquire_many(&self, permits: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.wait_for(permits).await?;
        Ok(Permit { semaphore: self, permits })
    }

    /// Takes a permit if one is free now and no task waits.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::NoPermits`] or [`TryAcquireError::Closed`].
    ///
    /// # Examples
    /// ```
    /// use cotask::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let _permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// ```
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `permits` permits if as many are free now and no task waits.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::NoPermits`] or [`TryAcquireError::Closed`].
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(3);
    /// let two = semaphore.try_acquire_many(2).unwrap();
    /// assert!(semaphore.try_acquire_many(2).is_err());
    /// assert_eq!((two.num_permits(), semaphore.available_permits()), (2, 1));
    /// ```
    pub fn try_acquire_many(&self, permits: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_take(permits)?;
        Ok(Permit { semaphore: self, permits })
    }

    /// As [`acquire`](Self::acquire), with a permit that keeps the semaphore alive and so may go into a
    /// spawned task.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cotask::sync::Semaphore;
    /// # use cotask::block_on;
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = block_on(semaphore.clone().acquire_owned()).unwrap();
    /// std::thread::spawn(move || drop(permit)).join().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is closed, before or while this waits.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.wait_for(1).await?;
        Ok(Permit { semaphore: self, permits: 1 })
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::NoPermits`] or [`TryAcquireError::Closed`].
    ///
    /// # Examples
    /// ```
    /// let semaphore = std::sync::Arc::new(cotask::sync::Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().unwrap();
    /// assert!(semaphore.clone().try_acquire_owned().is_err());
    /// drop(permit);
    /// ```
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_take(1)?;
        Ok(Permit { semaphore: self, permits: 1 })
    }

    /// Adds new permits, and wakes the waiters for which they suffice.
    ///
    /// # Panics
    ///
    /// If the semaphore would have more than [`MAX_PERMITS`](Self::MAX_PERMITS) free. Its permits are then
    /// as before.
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    pub fn add_permits(&self, permits: usize) {
        let sum = locked(&self.permits, |state, after| {
            let sum = state.free().checked_add(permits).filter(|&sum| sum <= MAX_PERMITS);
            if sum.is_some() {
                state.give(permits, after);
            }
            sum
        });
        assert!(
            sum.is_some(),
            "Semaphore::add_permits({permits}): more than MAX_PERMITS ({MAX_PERMITS}) in all"
        );
    }

    /// How many permits are free. While a task waits for many, some may be free and still not to be had.
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(2);
    /// let _permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.permits.lock().free()
    }

    /// Refuses all present and future waiters. Permits that are out stay valid.
    ///
    /// # Examples
    /// ```
    /// use cotask::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(1);
    /// semaphore.close();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    /// ```
    pub fn close(&self) {
        locked(&self.permits, |state, after| state.close(after));
    }

    /// Whether the semaphore is closed.
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(1);
    /// semaphore.close();
    /// assert!(semaphore.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.permits.lock().is_closed()
    }

    async fn wait_for(&self, permits: u32) -> Result<(), AcquireError> {
        let take = |state: &mut Permits, place: &mut _, turn: &mut Turn<'_>| {
            state.poll_take(permits as usize, place, turn)
        };
        wait(&self.permits, take, Permits::leave).await.map_err(|()| AcquireError)
    }

    fn try_take(&self, permits: u32) -> Result<(), TryAcquireError> {
        locked(&self.permits, |state, _| state.try_take(permits as usize)).map_err(|refused| match refused {
            Refused::Closed => TryAcquireError::Closed,
            Refused::Busy => TryAcquireError::NoPermits,
        })
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.permits.lock();
        let (available, closed) = (state.free(), state.is_closed());
        drop(state);
        f.debug_struct("Semaphore").field("available", &available).field("closed", &closed).finish()
    }
}

/// Permits of a [`Semaphore`], given back when this is dropped.
pub type SemaphorePermit<'a> = Permit<&'a Semaphore>;

/// Permits of a [`Semaphore`] which they keep alive, given back when this is dropped.
pub type OwnedSemaphorePermit = Permit<Arc<Semaphore>>;

/// Permits of the semaphore that `S` refers to, given back when this is dropped.
#[derive(Debug)]
#[must_use = "a permit that is dropped is given back at once"]
pub struct Permit<S: Deref<Target = Semaphore>> {
    semaphore: S,
    permits: u32,
}

impl<S: Deref<Target = Semaphore>> Permit<S> {
    /// Takes the permits out of the semaphore for good.
    ///
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// How many permits this holds.
    ///
    /// # Examples
    /// ```
    /// let semaphore = cotask::sync::Semaphore::new(3);
    /// assert_eq!(semaphore.try_acquire_many(2).unwrap().num_permits(), 2);
    /// ```
    pub fn num_permits(&self) -> usize {
        self.permits as usize
    }
}

impl<S: Deref<Target = Semaphore>> Drop for Permit<S> {
    fn drop(&mut self) {
        locked(&self.semaphore.permits, |state, after| state.give(self.permits as usize, after));
    }
}

/// The semaphore was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquireError;

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no permit: the semaphore is closed")
    }
}

impl Error for AcquireError {}

/// Why there is no permit at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore was closed.
    Closed,
    /// Too few are free, or others wait and come first.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryAcquireError::Closed => "no permit: the semaphore is closed",
            TryAcquireError::NoPermits => "no permit: too few are free",
        })
    }
}

impl Error for TryAcquireError {}
