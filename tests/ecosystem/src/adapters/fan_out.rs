//! One waker that wakes many: for guests who wait for one thing in several tasks.
//!
//! Most of what can be waited for has room for one waker, and the last one given is the one that is woken. That is
//! enough where one task owns what it waits for. Where several share it, all but one would sleep for ever. So the
//! thing is given a waker that belongs to nobody, and that one wakes whoever has taken a place here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

/// Those who wait for the same thing.
///
/// # Examples
/// ```
/// use ecosystem::adapters::fan_out::FanOut;
/// use std::rc::Rc;
///
/// cotask::block_on(async {
///     let socket = Rc::new(cotask::net::UdpSocket::bind("127.0.0.1:0").await?);
///     let nothing = std::future::poll_fn(|cx| std::task::Poll::Ready(socket.poll_recv_from(cx, &mut [0; 8])));
///     assert!(nothing.await.is_pending());
///
///     let readers = FanOut::new();
///     let tasks: Vec<_> = (0..3)
///         .map(|_| {
///             let (place, socket) = (readers.place(), Rc::clone(&socket));
///             cotask::spawn(std::future::poll_fn(move |cx| place.poll(cx, |cx| socket.poll_read_ready(cx))))
///         })
///         .collect();
///     cotask::yield_now().await;
///     socket.send_to(b"for all", socket.local_addr()?).await?;
///     for task in tasks {
///         task.await?;
///     }
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })
/// # .unwrap();
/// ```
#[derive(Debug, Default)]
pub struct FanOut {
    /// By number of their place.
    waiting: Mutex<BTreeMap<u64, Waker>>,
    places: AtomicU64,
}

impl FanOut {
    /// With nobody in it.
    pub fn new() -> Arc<FanOut> {
        Arc::default()
    }

    /// A place for one who will wait.
    pub fn place(self: &Arc<Self>) -> Place {
        Place { all: Arc::clone(self), number: self.places.fetch_add(1, Ordering::Relaxed) }
    }

    /// How many wait now.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        // Nothing in here can panic while it is held.
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

// ANCHOR: wake
impl Wake for FanOut {
    fn wake(self: Arc<Self>) {
        // Taken out first: a waker runs code of somebody else's, which may come back here.
        let woken = std::mem::take(&mut *self.lock());
        woken.into_values().for_each(Waker::wake);
    }
}
// ANCHOR_END: wake

/// Where one task waits. Dropping it ends its waiting.
#[derive(Debug)]
pub struct Place {
    all: Arc<FanOut>,
    number: u64,
}

impl Place {
    // ANCHOR: place
    /// Polls `ready`, which all who have a place here poll. When it is pending, the task is woken together with them.
    pub fn poll<T>(&self, cx: &mut Context<'_>, ready: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        // Before `ready` is asked, not after: it may wake at once, to have the task come again later.
        let replaced = self.all.lock().insert(self.number, cx.waker().clone());
        drop(replaced);
        let polled = ready(&mut Context::from_waker(&Waker::from(Arc::clone(&self.all))));
        if polled.is_ready() {
            self.leave();
        }
        polled
    }
    // ANCHOR_END: place

    fn leave(&self) {
        let left = self.all.lock().remove(&self.number);
        drop(left);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
