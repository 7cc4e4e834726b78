//! Panics of foreign code, where no caller is left that they could reach.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

// ANCHOR: discard
/// Runs foreign code (a wake, a drop, a job) that must not take the executor's loop or a thread with it. The
/// panic hook has reported its panic, and no caller is left to propagate it to.
pub(crate) fn catch_and_discard_panic(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        // The payload's drop may panic as well, and the drop of what that panics with, and so on without end:
        // the second is leaked.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(mem::forget);
    }
}
// ANCHOR_END: discard
