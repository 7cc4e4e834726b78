//! The museum over the primitives of shuttle.

#[allow(dead_code, reason = "what has no threads is listed once, in on_std")]
#[path = "../../museum/exhibits.rs"]
pub mod museum;

/// What the museum's shim takes.
pub mod primitives {
    pub use shuttle::{
        future::block_on,
        sync::{Arc, Condvar, Mutex, atomic},
        thread,
    };
}
