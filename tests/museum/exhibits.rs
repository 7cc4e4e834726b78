//! All exhibits, in the order of a walk through the museum. To add one: copy the shortest file, change it, name it
//! here and in `README.md`. A test checks that nothing was forgotten.

use crate::model::Model;

pub mod shim;

mod sleep_without_recheck;
mod wake_during_poll;
mod waker_after_check;

/// Every exhibit's model.
pub const MODELS: &[&Model] =
    &[&waker_after_check::MODEL, &wake_during_poll::MODEL, &sleep_without_recheck::MODEL];

/// Those whose bug needs no second thread, only the right order of calls: loom has nothing to interleave there, so
/// they run in `cargo test` as well.
#[cfg(not(cotask_loom))]
pub const BY_HAND: &[&Model] = &[];
