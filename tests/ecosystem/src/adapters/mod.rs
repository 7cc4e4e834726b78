//! What a guest asks of its host, implemented for cotask: one file per guest. This is all that had to be written.

pub mod here;
pub mod hyper;
#[cfg(feature = "guests")]
pub mod lapin;
#[cfg(feature = "guests")]
pub mod postgres;
#[cfg(feature = "guests")]
pub mod quinn;
#[cfg(feature = "guests")]
pub mod redis;
