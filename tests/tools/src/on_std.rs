//! The museum over the primitives of real threads.

#[path = "../../museum/exhibits.rs"]
pub mod museum;

/// What the museum's shim takes.
pub mod primitives {
    pub use futures::executor::block_on;
    pub use std::{
        sync::{Arc, Condvar, Mutex, atomic},
        thread,
    };
}
