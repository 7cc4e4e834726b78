//! The museum over the primitives of real threads that pause at random.

#[allow(dead_code, reason = "what has no threads is listed once, in on_std")]
#[path = "../../museum/exhibits.rs"]
pub mod museum;

/// What the museum's shim takes: `std`'s, with a pause before each operation that another thread could notice.
pub mod primitives {
    pub use futures::executor::block_on;
    use std::fmt;
    pub use std::sync::{Arc, Condvar};
    use std::sync::{LockResult, MutexGuard, TryLockResult};
    pub use std::thread;

    // ANCHOR: pause
    /// Mostly none, sometimes another thread's turn, sometimes long enough for a few steps of one.
    fn pause() {
        match fastrand::u8(..) {
            0..128 => {}
            128..192 => thread::yield_now(),
            spins => (0..u32::from(spins) * 8).for_each(|_| std::hint::spin_loop()),
        }
    }
    // ANCHOR_END: pause

    /// `std::sync::Mutex` with pauses.
    #[derive(Default)]
    pub struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex(std::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            pause();
            self.0.lock()
        }

        #[allow(dead_code, reason = "which methods the exhibits use changes with them")]
        pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            pause();
            self.0.try_lock()
        }
    }

    impl<T> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Mutex")
        }
    }

    #[allow(dead_code, reason = "which methods the exhibits use changes with them")]
    pub mod atomic {
        use super::pause;
        pub use std::sync::atomic::Ordering;

        pub fn fence(order: Ordering) {
            pause();
            std::sync::atomic::fence(order);
        }

        macro_rules! atomic {
            ($name:ident $value:ty: $($method:ident)*) => {
                /// The one of `std`, with pauses.
                #[derive(Debug, Default)]
                pub struct $name(std::sync::atomic::$name);

                impl $name {
                    pub fn new(value: $value) -> Self {
                        $name(std::sync::atomic::$name::new(value))
                    }

                    pub fn load(&self, order: Ordering) -> $value {
                        pause();
                        self.0.load(order)
                    }

                    pub fn store(&self, value: $value, order: Ordering) {
                        pause();
                        self.0.store(value, order);
                    }

                    pub fn compare_exchange(
                        &self,
                        current: $value,
                        new: $value,
                        success: Ordering,
                        failure: Ordering,
                    ) -> Result<$value, $value> {
                        pause();
                        self.0.compare_exchange(current, new, success, failure)
                    }

                    $(pub fn $method(&self, value: $value, order: Ordering) -> $value {
                        pause();
                        self.0.$method(value, order)
                    })*
                }
            };
        }
        atomic!(AtomicBool bool: swap fetch_and fetch_or);
        atomic!(AtomicU8 u8: swap fetch_and fetch_or fetch_add fetch_sub);
        atomic!(AtomicU32 u32: swap fetch_and fetch_or fetch_add fetch_sub);
        atomic!(AtomicU64 u64: swap fetch_and fetch_or fetch_add fetch_sub);
        atomic!(AtomicUsize usize: swap fetch_and fetch_or fetch_add fetch_sub);
    }
}
