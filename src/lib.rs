//! An async coroutine runtime made to be read.

pub mod coroutine;

mod budget;
mod loom;
pub mod sync;
