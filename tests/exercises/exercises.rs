//! Ten broken primitives without a placard, from easy to hard. Each file is yours: write the model, find the bug,
//! repair it. `cargo loom exercise` shows how far you are, `cargo loom exercise NAME` what comes next.

use crate::model::Exercise;

pub mod barrier;
pub mod once_cell;
pub mod parker;
pub mod ref_count;
pub mod ring;
pub mod rw_lock;
pub mod semaphore;
pub mod seq_lock;
pub mod spin_lock;
pub mod watch;

/// What the files in this folder are compared with. Read them when you are done, or stuck.
pub mod answers {
    pub mod barrier;
    pub mod once_cell;
    pub mod parker;
    pub mod ref_count;
    pub mod ring;
    pub mod rw_lock;
    pub mod semaphore;
    pub mod seq_lock;
    pub mod spin_lock;
    pub mod watch;
}

/// All of them.
pub const EXERCISES: &[&Exercise] = &[
    &answers::spin_lock::EXERCISE,
    &answers::once_cell::EXERCISE,
    &answers::ring::EXERCISE,
    &answers::parker::EXERCISE,
    &answers::semaphore::EXERCISE,
    &answers::watch::EXERCISE,
    &answers::ref_count::EXERCISE,
    &answers::rw_lock::EXERCISE,
    &answers::barrier::EXERCISE,
    &answers::seq_lock::EXERCISE,
];
