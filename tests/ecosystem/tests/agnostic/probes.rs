//! How a future is shown to work: it must wait, and what ends the wait must wake its task.

use std::future::poll_fn;
use std::pin::pin;
use std::thread;

/// Awaits a future that must wait. Once it waits, another thread runs `cause`, which ends the wait.
pub async fn by_thread<T>(wait: impl Future<Output = T>, cause: impl FnOnce() + Send + 'static) -> T {
    let mut thread = None;
    let output = beside(wait, || thread = Some(thread::spawn(cause))).await;
    thread.expect("it was started").join().expect("it does not panic");
    output
}

/// Awaits a future that must wait. Once it waits, runs `cause`, which ends the wait, on this thread in the same poll.
pub async fn beside<T>(wait: impl Future<Output = T>, cause: impl FnOnce()) -> T {
    let (mut wait, mut cause) = (pin!(wait), Some(cause));
    let output = poll_fn(|cx| {
        let polled = wait.as_mut().poll(cx);
        if polled.is_pending()
            && let Some(cause) = cause.take()
        {
            cause();
        }
        polled
    })
    .await;
    assert!(cause.is_none(), "it did not wait");
    output
}

/// The same code for both libraries, since the names and their meanings are the same.
macro_rules! sync_of {
    ($module:ident, $library:ident) => {
        pub mod $module {
            use std::sync::Arc;

            use super::{beside, by_thread};
            use $library::sync;

            pub async fn mpsc() {
                let (sender, mut receiver) = sync::mpsc::channel(1);
                let there = sender.clone();
                assert_eq!(by_thread(receiver.recv(), move || there.try_send(1).unwrap()).await, Some(1));
                assert_eq!(beside(receiver.recv(), || sender.try_send(2).unwrap()).await, Some(2));
                sender.try_send(3).unwrap();
                beside(sender.send(4), || assert_eq!(receiver.try_recv(), Ok(3))).await.unwrap();
            }

            pub async fn oneshot() {
                let (sender, receiver) = sync::oneshot::channel();
                assert_eq!(by_thread(receiver, || sender.send(1).unwrap()).await, Ok(1));
                let (sender, receiver) = sync::oneshot::channel::<()>();
                beside(receiver, || drop(sender)).await.unwrap_err();
            }

            pub async fn notify() {
                let notify = Arc::new(sync::Notify::new());
                let there = Arc::clone(&notify);
                by_thread(notify.notified(), move || there.notify_one()).await;
                beside(notify.notified(), || notify.notify_waiters()).await;
            }

            pub async fn semaphore() {
                let semaphore = Arc::new(sync::Semaphore::new(0));
                let there = Arc::clone(&semaphore);
                drop(by_thread(semaphore.acquire(), move || there.add_permits(1)).await.unwrap());
                let held = semaphore.try_acquire().unwrap();
                drop(beside(semaphore.acquire(), || drop(held)).await.unwrap());
            }

            pub async fn mutex() {
                let mutex = sync::Mutex::new(1);
                let held = mutex.try_lock().unwrap();
                assert_eq!(*beside(mutex.lock(), || drop(held)).await, 1);
            }
        }
    };
}

sync_of!(ours, cotask);
sync_of!(tokios, tokio);
