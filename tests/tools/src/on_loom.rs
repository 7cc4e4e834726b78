//! The museum over the primitives of loom, through the recorder.

#[allow(dead_code, reason = "what has no threads is listed once, in on_std")]
#[path = "../../museum/exhibits.rs"]
pub mod museum;

/// What the museum's shim takes.
pub mod primitives {
    pub use interleave::{
        future::block_on,
        sync::{Arc, Condvar, Mutex, atomic},
        thread,
    };
}
