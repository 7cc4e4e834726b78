//! An async coroutine runtime made to be read.

mod budget;
mod loom;
