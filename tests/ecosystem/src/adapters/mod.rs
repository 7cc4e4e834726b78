//! What a guest asks of its host, answered for cotask: one file a guest. This is all that had to be written.

pub mod here;
pub mod hyper;
pub mod lapin;
pub mod postgres;
pub mod quinn;
pub mod redis;
